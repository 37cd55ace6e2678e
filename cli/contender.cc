#include "contender.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "shape_text.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/profile.h"
#include "zeropoint/toolchain/random.h"
#include "zeropoint/toolchain/simplify.h"
#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::cli {
namespace {

using toolchain::Graph;
using toolchain::Value;
using toolchain::ValueId;
using Clock = std::chrono::steady_clock;

/// The shape that --shape gives an input, if it does.
Result<std::vector<std::optional<Shape>>> given_shapes(const Graph& graph,
                                                       const std::vector<std::string>& texts) {
  std::vector<std::optional<Shape>> shapes(graph.inputs.size());
  std::vector<std::string> names;
  for (ValueId id : graph.inputs) {
    names.push_back(graph.value(id).name);
  }
  for (const std::string& text : texts) {
    std::size_t equals = text.rfind('=');
    std::string name = equals == std::string::npos && names.size() == 1 ? names[0] : text.substr(0, equals);
    auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      std::string guess = toolchain::nearest(name, names);
      return Status::invalid_argument(fmt::format("--shape {}: there is no input '{}'{}", text, name,
                                                  guess.empty() ? "" : "; did you mean " + guess + "?"));
    }
    ZP_ASSIGN_OR_RETURN(shapes[static_cast<std::size_t>(found - names.begin())],
                        parse_shape(equals == std::string::npos ? text : text.substr(equals + 1)));
  }
  return shapes;
}

/// The extents that the model has, and `batch` for an open first one.
Result<Shape> shape_of_input(const Value& input, std::int64_t batch) {
  Shape shape;
  for (std::size_t axis = 0; input.dims && axis < input.dims->size(); ++axis) {
    const toolchain::Dim& dim = (*input.dims)[axis];
    if (!dim.known() && axis > 0) {
      return Status::invalid_argument(fmt::format("input '{0}' is {1}: give its shape as --shape {0}=1x...",
                                                  input.name, toolchain::to_string(*input.dims)));
    }
    if (dim.known() && axis == 0 && batch != 1 && dim.extent != batch) {
      return Status::invalid_argument(
          fmt::format("input '{}' takes batches of {} alone", input.name, dim.extent));
    }
    shape.push_back(dim.known() ? dim.extent : batch);
  }
  if (!input.dims) {
    return Status::invalid_argument(
        fmt::format("input '{0}' may have any shape: give one as --shape {0}=1x...", input.name));
  }
  return shape;
}

Tensor random_input(ElementType type, const Shape& shape, toolchain::Random& random) {
  Tensor tensor(type, shape);
  if (type == ElementType::kFloat32) {
    for (float& element : tensor.data<float>()) {
      element = static_cast<float>(random.uniform(-1, 1));
    }
  } else if (type == ElementType::kInt8 || type == ElementType::kUint8) {
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      tensor.bytes()[i] = static_cast<std::byte>(random.below(256));
    }
  }
  return tensor;
}

Result<std::vector<Tensor>> make_inputs(const Graph& graph, const ContenderOptions& options) {
  ZP_ASSIGN_OR_RETURN(std::vector<std::optional<Shape>> given, given_shapes(graph, options.shapes));
  toolchain::Random random(1);
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Value& value = graph.value(graph.inputs[i]);
    if (!given[i]) {
      ZP_ASSIGN_OR_RETURN(given[i], shape_of_input(value, options.batch));
    }
    inputs.push_back(random_input(value.type, *given[i], random));
  }
  return inputs;
}

/// A session on memory of its own.
struct Prepared {
  zeropoint::Session session;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::vector<std::span<const std::byte>> from;
  std::vector<std::span<std::byte>> to;
};

Result<std::shared_ptr<Prepared>> prepared(const std::shared_ptr<const Program>& program,
                                           const SessionOptions& options, const std::vector<Tensor>& inputs) {
  ZP_ASSIGN_OR_RETURN(zeropoint::Session session, zeropoint::Session::create(program, options));
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) {
    shapes.push_back(input.shape());
  }
  ZP_RETURN_IF_ERROR(session.prepare(shapes));
  auto made = std::make_shared<Prepared>(Prepared{std::move(session), inputs, {}, {}, {}});
  for (std::size_t i = 0; i < program->outputs.size(); ++i) {
    std::optional<Shape> shape = made->session.output_shape(i);
    if (!shape) {
      return Status::unsupported(fmt::format("the values of the inputs decide the shape of output '{}'",
                                             program->tensor(program->outputs[i]).name));
    }
    made->outputs.emplace_back(program->tensor(program->outputs[i]).type, *shape);
  }
  for (const Tensor& input : made->inputs) {
    made->from.emplace_back(input.bytes(), input.byte_size());
  }
  for (Tensor& output : made->outputs) {
    made->to.emplace_back(output.bytes(), output.byte_size());
  }
  return made;
}

Status run_in_runtime(Contender& contender, const IntegerEngine& engine, const ContenderOptions& options,
                      std::vector<Tensor> inputs) {
  SessionOptions how{.threads = options.threads};
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<Prepared> made, prepared(engine.program, how, inputs));
  contender.isa = made->session.isa();
  contender.engine = fmt::format("{}, {}", engine.name, name_of(made->session.isa()));
  contender.memory = made->session.memory();
  for (const StepProfile& step : made->session.profile()) {
    contender.multiply_adds += step.multiply_adds;
  }
  contender.run = [made] { return made->session.run(made->from, made->to); };
  how.profile = true;
  contender.profile = [program = engine.program, how,
                       inputs = std::move(inputs)](double seconds) -> Result<std::vector<StepProfile>> {
    ZP_ASSIGN_OR_RETURN(std::shared_ptr<Prepared> measured, prepared(program, how, inputs));
    for (Clock::time_point begin = Clock::now();
         Clock::now() - begin < std::chrono::duration<double>(seconds);) {
      ZP_RETURN_IF_ERROR(measured->session.run(measured->from, measured->to));
    }
    return measured->session.profile();
  };
  return contender.run();
}

Status run_in_float(Contender& contender, const Graph& graph, const ContenderOptions& options,
                    std::vector<Tensor> inputs) {
  ZP_ASSIGN_OR_RETURN(toolchain::FloatExecutor executor,
                      toolchain::FloatExecutor::create(graph, {options.threads}));
  contender.engine = is_quantized(graph) ? "float32 (oneDNN), quantization simulated" : "float32 (oneDNN)";
  contender.in_float = true;
  Result<toolchain::Profile> profile =
      toolchain::profile(graph, inputs.size() == 1 ? inputs[0].shape() : Shape());
  contender.multiply_adds = profile.ok() ? profile->multiply_adds : 0;
  auto shared = std::make_shared<toolchain::FloatExecutor>(std::move(executor));
  contender.run = [shared, inputs = std::move(inputs)] { return shared->run(inputs).status(); };
  return contender.run();
}

/// As `compile` makes it.
Result<IntegerEngine> program_of(const Network& network, const ContenderOptions& options) {
  if (network.program != nullptr) {
    return IntegerEngine{engine_name(*network.program), network.program};
  }
  Graph graph = network.graph;
  if (!is_quantized(graph)) {
    ZP_RETURN_IF_ERROR(toolchain::infer_shapes(graph));
    ZP_RETURN_IF_ERROR(toolchain::simplify(graph).status());
  }
  return integer_engine(graph, options.requantize);
}

Status make_ready(Contender& contender, const Network& network, const ContenderOptions& options) {
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> inputs, make_inputs(network.graph, options));
  contender.samples = inputs.empty() || inputs[0].rank() == 0 ? 1 : inputs[0].dim(0);
  bool in_float =
      options.engine == BenchEngine::kFloat ||
      (options.engine == BenchEngine::kAuto && network.program == nullptr && !is_quantized(network.graph));
  if (!in_float) {
    ZP_ASSIGN_OR_RETURN(IntegerEngine engine, program_of(network, options));
    return run_in_runtime(contender, engine, options, std::move(inputs));
  }
  return network.program == nullptr
             ? run_in_float(contender, network.graph, options, std::move(inputs))
             : Status::invalid_argument("a compiled program has no float32 form; give the model");
}

}  // namespace

Result<Contender> make_contender(const ModelOptions& model, const ContenderOptions& options) {
  Clock::time_point start = Clock::now();
  Contender contender;
  contender.path = model.path;
  ZP_ASSIGN_OR_RETURN(Network network, load_network(model));
  ZP_RETURN_IF_ERROR(make_ready(contender, network, options).at(model.path));
  contender.load_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  return contender;
}

}  // namespace zeropoint::cli

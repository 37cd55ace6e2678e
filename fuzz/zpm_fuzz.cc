// Program files: whatever parses is written to a file that gives the same program again, and runs to the same
// bits in a session and in the reference interpreter, or is refused by both.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "compile/same_but_for_nans_for_test.h"
#include "zeropoint/program_file.h"
#include "zeropoint/reference.h"
#include "zeropoint/session.h"

namespace {

using namespace zeropoint;

[[noreturn]] void panic(const char* what, const std::string& why) {
  std::fprintf(stderr, "panic: %s: %s\n", what, why.c_str());
  std::abort();
}

constexpr std::int64_t kSmall = 24;

bool small(std::int64_t value) { return value >= -kSmall && value <= kSmall; }
bool small(const std::vector<std::int64_t>& values) {
  return std::all_of(values.begin(), values.end(), [](std::int64_t v) { return small(v); });
}
bool small(const Tensor& tensor) {
  if (tensor.size() > 100000) {
    return false;
  }
  if (tensor.type() != ElementType::kInt64) {
    return true;
  }
  auto values = tensor.data<std::int64_t>();
  return std::all_of(values.begin(), values.end(), [](std::int64_t v) { return small(v); });
}
bool small(const Attributes& attributes) {
  return std::all_of(attributes.begin(), attributes.end(), [](const auto& named) {
    if (const auto* value = std::get_if<std::int64_t>(&named.second)) {
      return small(*value);
    }
    if (const auto* values = std::get_if<std::vector<std::int64_t>>(&named.second)) {
      return small(*values);
    }
    const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&named.second);
    return tensor == nullptr || small(**tensor);
  });
}
bool small(const Window& window) {
  return small(window.strides) && small(window.dilations) && small(window.holes) &&
         small(window.pads_begin) && small(window.pads_end);
}

/// Operators that can make much of little.
bool grows(Op op) {
  constexpr Op kGrowing[] = {Op::kTile,   Op::kExpand,       Op::kConstantOfShape, Op::kRange,
                             Op::kResize, Op::kOneHot,       Op::kEinsum,          Op::kPad,
                             Op::kMatMul, Op::kConvTranspose};
  return std::find(std::begin(kGrowing), std::end(kGrowing), op) != std::end(kGrowing);
}

/// Whether a run must end soon: a program may well ask for years and for all memory there is.
bool runs_quickly(const Program& program) {
  int growing = 0;
  bool quick = program.operations.size() <= 100;
  for (const TensorInfo& info : program.tensors) {
    quick = quick && (info.constant == nullptr || small(*info.constant));
  }
  for (const Operation& operation : program.operations) {
    if (const auto* op = std::get_if<EvaluateOp>(&operation)) {
      quick = quick && small(op->attributes);
      growing += grows(op->op) ? 1 : 0;
    } else if (const auto* conv = std::get_if<ConvOp>(&operation)) {
      quick = quick && small(conv->window) && small(conv->layer.weights);
    } else if (const auto* pool = std::get_if<AveragePoolOp>(&operation)) {
      quick = quick && small(pool->attributes);
    } else if (const auto* arithmetic = std::get_if<ArithmeticOp>(&operation)) {
      for (const ArithmeticOp::Step& step : arithmetic->steps) {
        quick = quick && small(step.attributes);
        growing += grows(step.op) ? 1 : 0;
      }
    }
    growing += std::holds_alternative<MatMulOp>(operation) ? 1 : 0;
  }
  return quick && growing <= 3;
}

/// Inputs of the declared shapes, with 1 for what is open and elements made of the file; none where that
/// would be large.
std::optional<std::vector<Tensor>> inputs_for(const Program& program, std::span<const std::byte> bytes) {
  std::vector<Tensor> inputs;
  for (TensorId id : program.inputs) {
    const TensorInfo& info = program.tensor(id);
    Shape shape = info.shape.value_or(Shape{2, 2});
    for (std::int64_t& extent : shape) {
      extent = extent == kOpenExtent ? 1 : extent;
    }
    Result<std::int64_t> count = element_count(shape);
    if (!count.ok() || *count > 20000) {
      return std::nullopt;
    }
    inputs.emplace_back(info.type, shape);
    // bool, int4 and uint4 do not use all of their byte; one file in four does, which both must refuse.
    bool any = bytes.size() % 4 == 0;
    int mask = any ? 255 : info.type == ElementType::kBool ? 1 : info.type == ElementType::kUint4 ? 15 : 255;
    for (std::size_t i = 0; (any || info.type != ElementType::kInt4) && i < inputs.back().byte_size(); ++i) {
      inputs.back().bytes()[i] = bytes[(7 * i) % bytes.size()] & std::byte(mask);
    }
  }
  return inputs;
}

void run_both(const std::shared_ptr<const Program>& program, const std::vector<Tensor>& inputs) {
  Result<std::vector<Tensor>> expected = run_reference(*program, inputs);
  constexpr std::size_t kMemoryLimit = std::size_t{256} << 20;
  Result<Session> session = Session::create(program, {.memory_limit = kMemoryLimit});
  if (!session.ok()) {
    panic("a program that was verified makes no session", session.status().message());
  }
  Result<std::vector<Tensor>> actual = session->run(inputs);
  if (!actual.ok() && actual.status().code() == StatusCode::kResourceExhausted) {
    return;  // the reference has no limit
  }
  if (expected.ok() != actual.ok()) {
    panic("only one of session and reference runs",
          expected.ok() ? actual.status().message() : expected.status().message());
  }
  if (expected.ok() && !std::equal(expected->begin(), expected->end(), actual->begin(), actual->end(),
                                   toolchain::same_but_for_nans)) {
    panic("session and reference differ", program->name);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto file = std::as_bytes(std::span(data, size));
  Result<std::shared_ptr<const Program>> program = parse_program(file);
  if (!program.ok()) {
    return 0;
  }
  Result<std::vector<std::byte>> written = serialize(**program);
  if (!written.ok()) {
    panic("a program that was read cannot be written", written.status().message());
  }
  Result<std::shared_ptr<const Program>> again = parse_program(*written);
  if (!again.ok() || *serialize(**again) != *written) {
    panic("a program that was written is read as another", again.status().message());
  }
  if (runs_quickly(**program)) {
    if (std::optional<std::vector<Tensor>> inputs = inputs_for(**program, file)) {
      run_both(*program, *inputs);
    }
  }
  return 0;
}

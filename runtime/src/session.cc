#include "zeropoint/session.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "engine/builder.h"
#include "narrow_elements.h"
#include "thread_pool.h"

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace zeropoint {
namespace {

using engine::Buffer;

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Three quarters of the machine's memory; 2 GiB where it does not tell.
std::size_t most_memory() {
#if defined(_SC_PHYS_PAGES) && defined(_SC_PAGESIZE)
  long pages = sysconf(_SC_PHYS_PAGES);
  long bytes = sysconf(_SC_PAGESIZE);
  if (pages > 0 && bytes > 0) {
    return static_cast<std::size_t>(pages) / 4 * 3 * static_cast<std::size_t>(bytes);
  }
#endif
  return std::size_t{1} << 31;
}

template <typename Function>
auto without_exceptions(const Program& program, Function&& function) -> decltype(function()) {
  auto short_of_memory = [&] {
    return Status::resource_exhausted("program '", program.name,
                                      "' needs more memory than there is; use a smaller batch");
  };
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return short_of_memory();
  } catch (const std::length_error&) {
    return short_of_memory();
  } catch (const std::system_error&) {
    return Status::resource_exhausted("program '", program.name,
                                      "' cannot have so many threads; ask for fewer");
  }
}

}  // namespace

class Session::Impl {
 public:
  Impl(std::shared_ptr<const Program> program, SessionOptions options, Isa isa)
      : program_(std::move(program)), options_(options), isa_(isa) {
    if (options_.threads == 0) {
      options_.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    }
    if (options_.memory_limit == 0) {
      options_.memory_limit = most_memory();
    }
    if (options_.threads > 1) {
      pool_ = std::make_unique<ThreadPool>(options_.threads);
    }
  }

  [[nodiscard]] const Program& program() const { return *program_; }
  [[nodiscard]] Isa isa() const { return isa_; }
  [[nodiscard]] int threads() const { return options_.threads; }

  Status prepare(std::span<const Shape> shapes) {
    Status status = prepare_for(shapes);
    return status.code() != StatusCode::kResourceExhausted
               ? status
               : status.at("memory_limit of ", options_.memory_limit, " bytes");
  }

  [[nodiscard]] std::optional<Shape> output_shape(std::size_t output) const {
    return prepared_ ? prepared_->known.shapes[static_cast<std::size_t>(program_->outputs[output])]
                     : std::nullopt;
  }

  Status run(std::span<const std::span<const std::byte>> inputs,
             std::span<const std::span<std::byte>> outputs) {
    ZP_RETURN_IF_ERROR(check_sizes(inputs, outputs));
    return run_on(inputs, outputs);
  }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs) {
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      shapes.push_back(inputs[i].shape());
    }
    ZP_RETURN_IF_ERROR(check_types(inputs));
    ZP_RETURN_IF_ERROR(prepare(shapes));
    std::vector<std::span<const std::byte>> from;
    for (const Tensor& input : inputs) {
      from.emplace_back(input.bytes(), input.byte_size());
    }
    std::vector<Tensor> results;
    std::vector<std::span<std::byte>> to;
    results.reserve(program_->outputs.size());
    for (std::size_t i = 0; i < program_->outputs.size(); ++i) {
      std::optional<Shape> shape = output_shape(i);
      results.emplace_back(program_->tensor(program_->outputs[i]).type, shape.value_or(Shape{0}));
      to.emplace_back(results.back().bytes(), results.back().byte_size());
    }
    ZP_RETURN_IF_ERROR(run_on(from, to));
    for (std::size_t i = 0; i < results.size(); ++i) {
      auto id = static_cast<std::size_t>(program_->outputs[i]);
      if (!output_shape(i)) {
        results[i] = *(*prepared_->open)[id];
      }
    }
    return results;
  }

  [[nodiscard]] std::vector<StepProfile> profile() const {
    std::vector<StepProfile> list;
    for (std::size_t i = 0; prepared_ && i < prepared_->steps.size(); ++i) {
      list.push_back(prepared_->steps[i]->profile);
    }
    return list;
  }

  [[nodiscard]] SessionMemory memory() const {
    if (!prepared_) {
      return {};
    }
    SessionMemory memory{prepared_->memory.peak, prepared_->memory.least, layers_.bytes(), 0};
    for (const std::unique_ptr<engine::Step>& step : prepared_->steps) {
      memory.moves += step->bytes();
    }
    return memory;
  }

 private:
  Status prepare_for(std::span<const Shape> shapes) {
    if (prepared_ && std::equal(shapes.begin(), shapes.end(), shapes_.begin(), shapes_.end())) {
      return {};
    }
    std::size_t limit = options_.memory_limit;
    ZP_ASSIGN_OR_RETURN(engine::KnownTensors known, engine::infer_shapes(*program_, shapes, limit));
    ZP_ASSIGN_OR_RETURN(
        engine::Prepared prepared,
        engine::Builder(*program_, std::move(known), isa_, layers_, options_.threads, limit).build());
    // The arena is zero where nothing wrote yet: kernels read behind their inputs, and what they read there
    // has no part in any result.
    Tensor arena(ElementType::kUint8, {prepared.memory.peak});
    std::vector<std::byte*> memory;
    for (std::size_t i = 0; i < prepared.buffers.size(); ++i) {
      const Buffer& buffer = prepared.buffers[i];
      memory.push_back(buffer.home == Buffer::Home::kArena      ? arena.bytes() + prepared.memory.offsets[i]
                       : buffer.home == Buffer::Home::kConstant ? const_cast<std::byte*>(buffer.constant)
                                                                : nullptr);
    }
    prepared_ = std::move(prepared);
    arena_ = std::move(arena);
    memory_ = std::move(memory);
    shapes_.assign(shapes.begin(), shapes.end());
    return {};
  }

  Status check_types(std::span<const Tensor> inputs) const {
    for (std::size_t i = 0; i < inputs.size() && i < program_->inputs.size(); ++i) {
      const TensorInfo& info = program_->tensor(program_->inputs[i]);
      if (inputs[i].type() != info.type) {
        return Status::invalid_argument("input '", info.name, "' is ", name_of(inputs[i].type()),
                                        "; the program needs ", name_of(info.type));
      }
    }
    return {};
  }

  [[nodiscard]] Status check_memory(TensorId id, std::span<const std::byte> memory) const {
    const std::optional<Shape>& shape = prepared_->known.shapes[static_cast<std::size_t>(id)];
    const TensorInfo& info = program_->tensor(id);
    if (!shape) {
      return Status::unsupported("the values of the inputs decide the shape of '", info.name,
                                 "'; run on tensors");
    }
    std::size_t needed = static_cast<std::size_t>(*element_count(*shape)) * size_of(info.type);
    if (memory.size() != needed) {
      return Status::invalid_argument("'", info.name, "' has ", needed, " bytes, not ", memory.size());
    }
    if (reinterpret_cast<std::uintptr_t>(memory.data()) % size_of(info.type) != 0) {
      return Status::invalid_argument("the memory of '", info.name, "' must begin at a multiple of ",
                                      size_of(info.type), " bytes");
    }
    return {};
  }

  [[nodiscard]] Status check_sizes(std::span<const std::span<const std::byte>> inputs,
                                   std::span<const std::span<std::byte>> outputs) const {
    if (!prepared_) {
      return Status::invalid_argument("program '", program_->name, "' was not prepared for its inputs");
    }
    if (inputs.size() != program_->inputs.size() || outputs.size() != program_->outputs.size()) {
      return Status::invalid_argument("program '", program_->name, "' has ", program_->inputs.size(),
                                      " inputs and ", program_->outputs.size(), " outputs");
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      ZP_RETURN_IF_ERROR(check_memory(program_->inputs[i], inputs[i]));
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      ZP_RETURN_IF_ERROR(check_memory(program_->outputs[i], outputs[i]));
    }
    return {};
  }

  Status run_on(std::span<const std::span<const std::byte>> inputs,
                std::span<const std::span<std::byte>> outputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const TensorInfo& info = program_->tensor(program_->inputs[i]);
      if (!are_elements(info.type, inputs[i])) {
        return not_elements(info.type, info.name);
      }
    }
    for (std::size_t i = 0; i < prepared_->buffers.size(); ++i) {
      const Buffer& buffer = prepared_->buffers[i];
      if (buffer.home == Buffer::Home::kInput) {
        memory_[i] = const_cast<std::byte*>(inputs[buffer.index].data());
      } else if (buffer.home == Buffer::Home::kOutput) {
        memory_[i] = outputs[buffer.index].data();
      }
    }
    engine::RunContext context{memory_.data(), pool_.get()};
    if (!options_.profile) {
      for (const std::unique_ptr<engine::Step>& step : prepared_->steps) {
        ZP_RETURN_IF_ERROR(step->run(context));
      }
      return {};
    }
    for (const std::unique_ptr<engine::Step>& step : prepared_->steps) {
      std::int64_t begin = now();
      ZP_RETURN_IF_ERROR(step->run(context));
      StepProfile& profile = step->profile;
      std::int64_t took = now() - begin;
      profile.least_nanoseconds = profile.runs == 0 ? took : std::min(profile.least_nanoseconds, took);
      profile.nanoseconds += took;
      ++profile.runs;
    }
    return {};
  }

  std::shared_ptr<const Program> program_;
  SessionOptions options_;
  Isa isa_;
  engine::LayerCache layers_;
  std::optional<engine::Prepared> prepared_;
  std::vector<Shape> shapes_;
  Tensor arena_;
  std::vector<std::byte*> memory_;    // of each buffer
  std::unique_ptr<ThreadPool> pool_;  // none: the caller's thread alone
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&& other) noexcept = default;
Session& Session::operator=(Session&& other) noexcept = default;
Session::~Session() = default;

Result<Session> Session::create(std::shared_ptr<const Program> program, SessionOptions options) {
  if (!program->verified.is_set()) {
    ZP_RETURN_IF_ERROR(verify(*program));
  }
  constexpr int kMostThreads = 1024;
  if (options.threads < 0 || options.threads > kMostThreads) {
    return Status::invalid_argument("a session has 0 (one per core) to ", kMostThreads, " threads, not ",
                                    options.threads);
  }
  ZP_ASSIGN_OR_RETURN(Isa isa, choose_isa(options.isa));
  return without_exceptions(
      *program, [&]() -> Result<Session> { return Session(std::make_unique<Impl>(program, options, isa)); });
}

const Program& Session::program() const { return impl_->program(); }
Isa Session::isa() const { return impl_->isa(); }
int Session::threads() const { return impl_->threads(); }

Status Session::prepare(std::span<const Shape> input_shapes) {
  return without_exceptions(program(), [&] { return impl_->prepare(input_shapes); });
}

std::optional<Shape> Session::output_shape(std::size_t output) const { return impl_->output_shape(output); }

Status Session::run(std::span<const std::span<const std::byte>> inputs,
                    std::span<const std::span<std::byte>> outputs) {
  return without_exceptions(program(), [&] { return impl_->run(inputs, outputs); });
}

Result<std::vector<Tensor>> Session::run(std::span<const Tensor> inputs) {
  return without_exceptions(program(), [&] { return impl_->run(inputs); });
}

std::vector<StepProfile> Session::profile() const { return impl_->profile(); }
SessionMemory Session::memory() const { return impl_->memory(); }

}  // namespace zeropoint

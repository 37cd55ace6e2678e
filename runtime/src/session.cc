#include "zeropoint/session.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>

#include "zeropoint/reference.h"

namespace zeropoint {

class Session::Impl {
 public:
  Impl(std::shared_ptr<const Program> program, Isa isa, int threads)
      : program_(std::move(program)), isa_(isa), threads_(threads) {}

  [[nodiscard]] const Program& program() const { return *program_; }
  [[nodiscard]] Isa isa() const { return isa_; }
  [[nodiscard]] int threads() const { return threads_; }

  Status prepare(std::span<const Shape> shapes) {
    if (shapes.size() == inputs_.size() && !shapes.empty() &&
        std::equal(shapes.begin(), shapes.end(), inputs_.begin(),
                   [](const Shape& shape, const Tensor& input) { return shape == input.shape(); })) {
      return {};
    }
    if (shapes.size() != program_->inputs.size()) {
      return Status::invalid_argument("program '" + program_->name + "' takes " +
                                      std::to_string(program_->inputs.size()) + " inputs, not " +
                                      std::to_string(shapes.size()));
    }
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      inputs.emplace_back(program_->tensor(program_->inputs[i]).type, shapes[i]);
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, run_reference(*program_, inputs));
    output_shapes_.clear();
    for (const Tensor& output : outputs) {
      output_shapes_.push_back(output.shape());
    }
    inputs_ = std::move(inputs);
    return {};
  }

  [[nodiscard]] std::optional<Shape> output_shape(std::size_t output) const {
    return output < output_shapes_.size() ? std::optional(output_shapes_[output]) : std::nullopt;
  }

  Status run(std::span<const std::span<const std::byte>> inputs,
             std::span<const std::span<std::byte>> outputs) {
    if (inputs.size() != inputs_.size() || outputs.size() != output_shapes_.size()) {
      return Status::invalid_argument("program '" + program_->name + "' was prepared for " +
                                      std::to_string(inputs_.size()) + " inputs and " +
                                      std::to_string(output_shapes_.size()) + " outputs");
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].size() != inputs_[i].byte_size()) {
        return Status::invalid_argument("input " + std::to_string(i) + " has " +
                                        std::to_string(inputs[i].size()) + " bytes; " +
                                        std::to_string(inputs_[i].byte_size()) + " were prepared for");
      }
      std::memcpy(inputs_[i].bytes(), inputs[i].data(), inputs[i].size());
    }
    ZP_ASSIGN_OR_RETURN(std::vector<Tensor> results, run_reference(*program_, inputs_));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (outputs[i].size() != results[i].byte_size()) {
        return Status::invalid_argument("output " + std::to_string(i) + " has " +
                                        std::to_string(outputs[i].size()) + " bytes; it needs " +
                                        std::to_string(results[i].byte_size()));
      }
      std::memcpy(outputs[i].data(), results[i].bytes(), outputs[i].size());
    }
    return {};
  }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs) { return run_reference(*program_, inputs); }

 private:
  std::shared_ptr<const Program> program_;
  Isa isa_;
  int threads_;
  std::vector<Tensor> inputs_;
  std::vector<Shape> output_shapes_;
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&& other) noexcept = default;
Session& Session::operator=(Session&& other) noexcept = default;
Session::~Session() = default;

Result<Session> Session::create(std::shared_ptr<const Program> program, SessionOptions options) {
  if (options.threads < 0) {
    return Status::invalid_argument("a session needs 1 thread or more, or 0 for one per core");
  }
  ZP_RETURN_IF_ERROR(verify(*program));
  ZP_ASSIGN_OR_RETURN(Isa isa, choose_isa(options.isa));
  int threads = options.threads > 0 ? options.threads
                                    : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return Session(std::make_unique<Impl>(std::move(program), isa, threads));
}

const Program& Session::program() const { return impl_->program(); }
Isa Session::isa() const { return impl_->isa(); }
int Session::threads() const { return impl_->threads(); }

Status Session::prepare(std::span<const Shape> input_shapes) {
  try {
    return impl_->prepare(input_shapes);
  } catch (const std::bad_alloc&) {
    return Status::resource_exhausted("not enough memory for these shapes; use a smaller batch");
  } catch (const std::length_error&) {
    return Status::resource_exhausted("not enough memory for these shapes; use a smaller batch");
  }
}

std::optional<Shape> Session::output_shape(std::size_t output) const { return impl_->output_shape(output); }

Status Session::run(std::span<const std::span<const std::byte>> inputs,
                    std::span<const std::span<std::byte>> outputs) {
  return impl_->run(inputs, outputs);
}

Result<std::vector<Tensor>> Session::run(std::span<const Tensor> inputs) { return impl_->run(inputs); }

std::vector<StepProfile> Session::profile() const { return {}; }
SessionMemory Session::memory() const { return {}; }

}  // namespace zeropoint

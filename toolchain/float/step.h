#pragma once

#include <dnnl.hpp>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "float/primitives.h"
#include "zeropoint/status.h"
#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

class StepBuilder;
class GradientBuilder;

/// One piece of work on memory that was fixed when it was prepared. Steps may throw what oneDNN throws.
class Step {
 public:
  Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  virtual ~Step() = default;

  virtual Status run() = 0;
};

/// The step of a node. In training it also knows how to make the step that takes the gradient of the node's
/// output to those of its inputs.
class NodeStep : public Step {
 public:
  /// kUnsupported unless the operator says otherwise.
  virtual Result<std::unique_ptr<Step>> prepare_gradient(GradientBuilder& builder);
};

/// oneDNN primitives run one after another.
class PrimitiveStep final : public Step {
 public:
  using Arguments = std::unordered_map<int, dnnl::memory>;

  explicit PrimitiveStep(dnnl::stream stream) : stream_(std::move(stream)) {}
  void add(dnnl::primitive primitive, Arguments arguments) {
    calls_.emplace_back(std::move(primitive), std::move(arguments));
  }
  Status run() override {
    for (const auto& [primitive, arguments] : calls_) {
      primitive.execute(stream_, arguments);
    }
    return {};
  }

 private:
  dnnl::stream stream_;
  std::vector<std::pair<dnnl::primitive, Arguments>> calls_;
};

using PrepareStep = Result<std::unique_ptr<NodeStep>> (*)(StepBuilder& builder);

/// The step of the builder's node.
Result<std::unique_ptr<NodeStep>> prepare_step(StepBuilder& builder);

}  // namespace zeropoint::toolchain

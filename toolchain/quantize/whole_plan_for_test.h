#pragma once

// A float graph made node by node, with the range of each tensor, and the plan of it.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "zeropoint/toolchain/quantize.h"

namespace zeropoint::toolchain {

class WholePlan : public testing::Test {
 protected:
  ValueId input(const std::string& name, Dims dims) {
    return graph_.add_input(name, ElementType::kFloat32, dims);
  }
  ValueId node(Op op, std::vector<ValueId> inputs, const std::string& name, RealRange range,
               Attributes attributes = {}) {
    ranges_.ranges[name] = range;
    return graph_.add_node(op, name, std::move(inputs), name, std::move(attributes));
  }
  ValueId floats(const std::string& name, Shape shape, const std::vector<float>& values) {
    return graph_.add_constant(name, Tensor::of<float>(std::move(shape), values));
  }
  QuantPlan plan() {
    Result<QuantPlan> made = make_plan(graph_, ranges_, recipe_);
    EXPECT_TRUE(made.ok()) << made.status().message();
    return made.ok() ? *std::move(made) : QuantPlan();
  }
  /// The one scale of a tensor; 0 where the plan does not have it.
  static float scale(const QuantPlan& plan, const std::string& tensor) {
    const Decision* decision = plan.find(tensor);
    return decision == nullptr ? 0 : decision->params.params[0].scale;
  }

  Graph graph_;
  RangeTable ranges_{"minmax", 3, "test", {}};
  Recipe recipe_{.output = Recipe::Output::kQuantized};
};

}  // namespace zeropoint::toolchain

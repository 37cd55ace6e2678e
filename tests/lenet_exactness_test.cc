// The integer interpreter against a float64 simulation of the same QDQ graph, and the two requantizations
// against each other: every layer, all 10,000 test images.

#include <gtest/gtest.h>

#include <map>

#include "float/double_oracle.h"
#include "lenet_for_test.h"
#include "zeropoint/reference.h"
#include "zeropoint/toolchain/loader.h"

namespace zeropoint::toolchain {
namespace {

/// How the integers of one tensor differ between two ways to compute it.
struct Difference {
  std::int64_t elements = 0;
  std::int64_t differing = 0;
  std::int64_t largest = 0;

  void add(std::int64_t a, std::int64_t b) {
    ++elements;
    differing += a != b ? 1 : 0;
    largest = std::max(largest, a > b ? a - b : b - a);
  }
};

using Differences = std::map<std::string, Difference>;
using Tensors = std::map<std::string, Tensor>;

void print_differences(const char* title, const Differences& differences) {
  std::printf("%s\n%-20s %12s %10s %12s %8s\n", title, "tensor", "elements", "differing", "share", "largest");
  for (const auto& [name, d] : differences) {
    std::printf("%-20s %12lld %10lld %11.5f%% %8lld\n", name.c_str(), static_cast<long long>(d.elements),
                static_cast<long long>(d.differing),
                100.0 * static_cast<double>(d.differing) / static_cast<double>(d.elements),
                static_cast<long long>(d.largest));
  }
}

class LeNetExactness : public LeNet {
 protected:
  /// The integer tensors that `program` makes of `inputs`, by name.
  static Tensors run(const Program& program, const Tensor& inputs) {
    Tensors tensors;
    expect_ok(run_reference(program, std::span(&inputs, 1), [&](TensorId id, const Tensor& tensor) {
      if (is_integer(tensor.type())) {
        tensors[program.tensor(id).name] = tensor;
      }
    }));
    return tensors;
  }

  template <typename Visit>
  void for_each_batch(Visit visit) const {
    DataLoader loader = expect_ok(DataLoader::make(test_, {.batch_size = 100}));
    Epoch epoch = expect_ok(loader.epoch(0));
    while (std::optional<Batch> batch = expect_ok(epoch.next())) {
      visit(batch->inputs);
    }
  }
};

void compare(const Tensor& a, const Tensor& b, Difference& difference) {
  visit_integer(a.type(), [&](auto element) {
    using T = decltype(element);
    for (std::size_t i = 0; i < a.data<T>().size(); ++i) {
      difference.add(a.data<T>()[i], b.data<T>()[i]);
    }
  });
}

void compare(const Tensor& a, const oracle::Reals& b, Difference& difference) {
  visit_integer(a.type(), [&](auto element) {
    using T = decltype(element);
    for (std::size_t i = 0; i < a.data<T>().size(); ++i) {
      difference.add(a.data<T>()[i], static_cast<std::int64_t>(b.data[i]));
    }
  });
}

TEST_F(LeNetExactness, IntegersEqualTheFloat64SimulationUpToTies) {
  Recipe recipe;
  recipe.output = Recipe::Output::kQuantized;
  Graph graph = quantized(recipe);
  Program program = expect_ok(lower(graph, RequantizeMode::kFloat)).program;
  Differences differences;
  for_each_batch([&](const Tensor& inputs) {
    Tensors integers = run(program, inputs);
    oracle::Values simulated = oracle::evaluate(graph, {{graph.inputs[0], oracle::reals_of(inputs)}});
    for (const auto& [name, tensor] : integers) {
      compare(tensor, simulated.at(graph.find(name)), differences[name]);
    }
  });
  print_differences("integer interpreter against the float64 simulation", differences);
  // input, 4 layers with ReLU, 2 pools, flatten, output
  EXPECT_EQ(differences.size(), 9u);
  for (const auto& [name, d] : differences) {
    EXPECT_LE(d.largest, 1) << name;
    EXPECT_LE(static_cast<double>(d.differing), 1e-4 * static_cast<double>(d.elements)) << name;
  }
}

TEST_F(LeNetExactness, FixedPointDiffersFromTheFloatMultiplierOnlyAtTies) {
  Recipe recipe;
  recipe.output = Recipe::Output::kQuantized;
  Graph graph = quantized(recipe);
  Program by_float = expect_ok(lower(graph, RequantizeMode::kFloat)).program;
  Program by_fixed = expect_ok(lower(graph, RequantizeMode::kFixedPoint)).program;
  Differences differences;
  for_each_batch([&](const Tensor& inputs) {
    Tensors a = run(by_float, inputs);
    Tensors b = run(by_fixed, inputs);
    for (const auto& [name, tensor] : a) {
      compare(tensor, b.at(name), differences[name]);
    }
  });
  print_differences("fixed point against float multiplier", differences);
  EXPECT_EQ(differences.size(), 9u);
  for (const auto& [name, d] : differences) {
    EXPECT_LE(d.largest, 1) << name;
    EXPECT_LE(static_cast<double>(d.differing), 1e-4 * static_cast<double>(d.elements)) << name;
  }
}

TEST_F(LeNetExactness, NoFloatTensorAppearsBetweenInputAndOutput) {
  for (Recipe::Output output : {Recipe::Output::kAccumulator, Recipe::Output::kQuantized}) {
    Recipe recipe;
    recipe.output = output;
    Program program = expect_ok(lower(quantized(recipe), RequantizeMode::kFixedPoint)).program;
    EXPECT_TRUE(float_tensors_inside(program).empty());
    std::vector<std::string> floats;
    Tensor inputs(ElementType::kFloat32, {2, 1, 28, 28});
    expect_ok(run_reference(program, std::span(&inputs, 1), [&](TensorId id, const Tensor& tensor) {
      if (!is_integer(tensor.type())) {
        floats.push_back(program.tensor(id).name);
      }
    }));
    EXPECT_EQ(floats, (std::vector<std::string>{"input", "logits"}));
  }
}

}  // namespace
}  // namespace zeropoint::toolchain

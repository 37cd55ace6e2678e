#include "zeropoint/toolchain/architectures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "zeropoint/toolchain/random.h"

namespace zeropoint::toolchain {
namespace {

/// Appends layers to a graph one after another, each reading the value before it.
class Chain {
 public:
  Chain(std::string name, Dims input, std::uint64_t seed) : random_(seed) {
    graph_.name = std::move(name);
    end_ = graph_.add_input("input", ElementType::kFloat32, std::move(input));
  }

  void conv(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel) {
    layer(Op::kConv, name, name, {out, in, kernel, kernel}, in * kernel * kernel,
          {{"kernel_shape", std::vector<std::int64_t>{kernel, kernel}}});
  }
  void linear(const std::string& name, const std::string& output, std::int64_t in, std::int64_t out) {
    layer(Op::kGemm, name, output, {out, in}, in, {{"transB", std::int64_t{1}}});
  }
  void relu(const std::string& name) { end_ = graph_.add_node(Op::kRelu, name, {end_}, name); }
  void flatten(const std::string& name) { end_ = graph_.add_node(Op::kFlatten, name, {end_}, name); }
  void max_pool(const std::string& name, std::int64_t size) {
    std::vector<std::int64_t> both = {size, size};
    end_ = graph_.add_node(Op::kMaxPool, name, {end_}, name, {{"kernel_shape", both}, {"strides", both}});
  }

  Result<Graph> finish() {
    graph_.outputs = {end_};
    ZP_RETURN_IF_ERROR(verify(graph_));
    ZP_RETURN_IF_ERROR(infer_shapes(graph_));
    return std::move(graph_);
  }

 private:
  void layer(Op op, const std::string& name, const std::string& output, Shape weights, std::int64_t fan_in,
             Attributes attributes) {
    double bound = 1 / std::sqrt(static_cast<double>(fan_in));
    std::int64_t out = weights[0];
    ValueId w = graph_.add_constant(name + ".weight", uniform(std::move(weights), bound));
    ValueId b = graph_.add_constant(name + ".bias", uniform({out}, bound));
    end_ = graph_.add_node(op, name, {end_, w, b}, output, std::move(attributes));
  }

  Tensor uniform(Shape shape, double bound) {
    Tensor tensor(ElementType::kFloat32, std::move(shape));
    for (float& element : tensor.data<float>()) {
      element = static_cast<float>(random_.uniform(-bound, bound));
    }
    return tensor;
  }

  Graph graph_;
  ValueId end_ = kNoValue;
  Random random_;
};

Result<Graph> lenet(ArchitectureOptions options) {
  Chain net("lenet", {Dim("N"), 1, 28, 28}, options.seed);
  net.conv("conv1", 1, 6, 5);
  net.relu("relu1");
  net.max_pool("maxpool1", 2);
  net.conv("conv2", 6, 16, 5);
  net.relu("relu2");
  net.max_pool("maxpool2", 2);
  net.flatten("flatten");
  net.linear("fc1", "fc1", 256, 120);
  net.relu("relu3");
  net.linear("fc2", "fc2", 120, 84);
  net.relu("relu4");
  net.linear("fc3", "logits", 84, options.classes);
  return net.finish();
}

struct Architecture {
  std::string_view name;
  Result<Graph> (*make)(ArchitectureOptions options);
};
constexpr Architecture kArchitectures[] = {{"lenet", lenet}};

}  // namespace

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const Architecture& architecture : kArchitectures) {
    names.emplace_back(architecture.name);
  }
  return names;
}

Result<Graph> make_architecture(std::string_view name, ArchitectureOptions options) {
  // Far more classes than any data set has, and few enough that the last layer stays small.
  constexpr std::int64_t kMostClasses = 1'000'000;
  if (options.classes < 1 || options.classes > kMostClasses) {
    return Status::invalid_argument(
        fmt::format("{} classes were asked for; 1 to {} are possible", options.classes, kMostClasses));
  }
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == name) {
      return architecture.make(options);
    }
  }
  return Status::invalid_argument(
      fmt::format("unknown architecture '{}'; there is {}", name, fmt::join(architecture_names(), ", ")));
}

}  // namespace zeropoint::toolchain

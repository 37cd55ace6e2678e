// ONNX Shape, Size, NonZero and Dropout (as in inference).

#include <algorithm>

#include "operators/operators.h"
#include "operators/visit_type.h"
#include "operators/wide.h"

namespace zeropoint::operators {

Result<std::vector<Tensor>> shape(const OperatorCall& call) {
  const Shape& extents = call.input(0).shape();
  auto rank = static_cast<std::int64_t>(extents.size());
  auto clamped = [&](std::int64_t axis) {
    return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  std::int64_t begin = clamped(call.int_attribute("start"));
  std::int64_t end = call.attributes().contains("end") ? clamped(call.int_attribute("end")) : rank;
  Shape part;
  if (begin < end) {
    part.assign(extents.begin() + begin, extents.begin() + end);
  }
  return one(Tensor::of<std::int64_t>({static_cast<std::int64_t>(part.size())}, part));
}

Result<std::vector<Tensor>> size(const OperatorCall& call) {
  return one(Tensor::of<std::int64_t>({}, std::vector<std::int64_t>{call.input(0).size()}));
}

Result<std::vector<Tensor>> non_zero(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  Tensor found = convert(x, ElementType::kBool);
  std::span<const std::uint8_t> is = elements_as<std::uint8_t>(found);
  std::int64_t count = x.size() - std::ranges::count(is, 0);
  ZP_ASSIGN_OR_RETURN(Tensor output, call.make_output(ElementType::kInt64, {x.rank(), count}));
  std::span<std::int64_t> out = output.data<std::int64_t>();
  std::size_t column = 0;
  for (std::size_t i = 0; i < is.size(); ++i) {
    if (is[i] == 0) {
      continue;
    }
    auto rest = static_cast<std::int64_t>(i);
    for (std::int64_t axis = x.rank(); axis-- > 0;) {
      out[static_cast<std::size_t>(axis * count) + column] = rest % x.dim(axis);
      rest /= x.dim(axis);
    }
    ++column;
  }
  return one(std::move(output));
}

Result<std::vector<Tensor>> dropout(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  bool trains = call.has(2) && call.input(2).size() == 1 && call.input(2).type() == ElementType::kBool &&
                elements_as<std::uint8_t>(call.input(2))[0] != 0;
  bool drops = !call.has(1) || call.input(1).size() != 1 ||
               convert(call.input(1), ElementType::kFloat64).data<double>()[0] != 0;
  if (trains && drops) {
    return Status::unsupported("Dropout in training_mode is random; export the model for inference");
  }
  std::vector<Tensor> outputs = one(x);
  if (call.output_count() > 1) {
    Tensor mask(ElementType::kBool, x.shape());
    std::span<std::uint8_t> kept = elements_as<std::uint8_t>(mask);
    std::fill(kept.begin(), kept.end(), std::uint8_t{1});
    outputs.push_back(std::move(mask));
  }
  return outputs;
}

}  // namespace zeropoint::operators

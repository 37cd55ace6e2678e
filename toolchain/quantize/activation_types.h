#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "quantize/integer_flow.h"
#include "quantize/precision_needs.h"

namespace zeropoint::toolchain {

/// The types of the tensors that flow between nodes whose wishes may differ.
struct ActivationTypes {
  struct Type {
    QuantizedType type;
    std::string why;  ///< where it is not what the recipe says of all
  };
  std::map<ValueId, Type> groups;  ///< by IntegerFlow::group
  /// The products that read a value of a wider group in the type they wish: by value, bits and sign, the
  /// indices of the nodes. Each such type is a rounding of its own, of the group's integers.
  std::map<std::tuple<ValueId, int, bool>, std::vector<std::int32_t>> copies;
};

/// A tensor has the most bits that its readers wish. A product (a layer, or MatMul) that wishes fewer reads a
/// copy, so that its sum is one of narrow integers; all others read what there is. What a node gives is
/// wished for by the node too, where not products alone read it. Between a layer and the function of one
/// element that alone reads its result stand 16 bits, so that both are one step: nothing is rounded to few
/// bits between them.
ActivationTypes activation_types(const Graph& graph, const IntegerFlow& flow, const Recipe& recipe,
                                 const PrecisionNeeds& needs);

}  // namespace zeropoint::toolchain

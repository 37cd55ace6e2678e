#include <fmt/format.h>

#include <map>

#include "graph/shapes/shape_rules.h"
#include "zeropoint/einsum.h"

namespace zeropoint::toolchain {

Status einsum_shape(InferenceContext& context) {
  context.set_type(0, context.type(0));
  std::vector<std::size_t> ranks;
  for (std::size_t i = 0; i < context.input_count(); ++i) {
    ZP_RETURN_IF_ERROR(wants(context, i, context.type(0)));
    if (!context.dims(i)) {
      return {};
    }
    ranks.push_back(context.dims(i)->size());
  }
  ZP_ASSIGN_OR_RETURN(EinsumEquation equation,
                      EinsumEquation::parse(string_attribute(context.node(), "equation"), ranks));
  std::map<int, Dim> extents;
  for (std::size_t i = 0; i < equation.inputs.size(); ++i) {
    for (std::size_t k = 0; k < equation.inputs[i].size(); ++k) {
      const Dim& own = (*context.dims(i))[k];
      Dim& known = extents.emplace(equation.inputs[i][k], Dim(1)).first->second;
      Result<Dims> together = broadcast({known}, {own});
      if (!together.ok()) {
        return Status::invalid_argument(
            fmt::format("input {} of {} does not fit equation '{}' and the inputs before it", i,
                        to_string(*context.dims(i)), string_attribute(context.node(), "equation")));
      }
      known = (*together)[0];
    }
  }
  Dims dims;
  for (int label : equation.output) {
    dims.push_back(extents.at(label));
  }
  context.set_dims(0, std::move(dims));
  return {};
}

}  // namespace zeropoint::toolchain

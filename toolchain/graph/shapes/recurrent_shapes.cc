// LSTM, GRU and RNN.

#include <fmt/format.h>

#include "graph/shapes/shape_rules.h"

namespace zeropoint::toolchain {

// Y[steps, directions, batch, hidden] and the last states [directions, batch, hidden] from X[steps, batch,
// inputs]; with layout 1 the batch comes first.
Status recurrent_shape(InferenceContext& context) {
  for (std::size_t i = 0; i < context.output_count(); ++i) {
    context.set_type(i, context.type(0));
  }
  ZP_RETURN_IF_ERROR(wants(context, 1, context.type(0)));
  ZP_RETURN_IF_ERROR(wants(context, 2, context.type(0)));
  bool known = context.dims(0) && context.dims(1) && context.dims(2);
  if (!known) {
    return {};
  }
  const Dims& x = *context.dims(0);
  const Dims& w = *context.dims(1);
  const Dims& r = *context.dims(2);
  Dim directions = string_attribute(context.node(), "direction") == "bidirectional" ? 2 : 1;
  bool fits = x.size() == 3 && w.size() == 3 && r.size() == 3 && may_equal(w[0], directions) &&
              may_equal(r[0], directions) && may_equal(w[2], x[2]) && may_equal(w[1], r[1]);
  if (!fits) {
    return Status::invalid_argument(
        fmt::format("weights {} and {} do not fit input {}", to_string(w), to_string(r), to_string(x)));
  }
  const Dim& hidden = r[2];
  bool batch_first = int_attribute(context.node(), "layout") != 0;
  const Dim& steps = x[batch_first ? 1 : 0];
  const Dim& batch = x[batch_first ? 0 : 1];
  context.set_dims(
      0, batch_first ? Dims{batch, steps, directions, hidden} : Dims{steps, directions, batch, hidden});
  for (std::size_t i = 1; i < context.output_count(); ++i) {
    context.set_dims(i, batch_first ? Dims{batch, directions, hidden} : Dims{directions, batch, hidden});
  }
  return {};
}

}  // namespace zeropoint::toolchain

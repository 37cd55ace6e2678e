#include "engine/conv_geometry.h"

namespace zeropoint::engine {

Result<Shape> conv_output(const ConvOp& op, const Shape& input) {
  const Shape& w = op.layer.weights.shape();
  if (input.size() != w.size() || input[1] % op.group != 0 || input[1] / op.group != w[1]) {
    return Status::invalid_argument("weights " + to_string(w) + " in " + std::to_string(op.group) +
                                    " group(s) do not fit " + to_string(input));
  }
  Shape out{input[0], w[0]};
  for (std::size_t i = 0; i + 2 < input.size(); ++i) {
    std::int64_t filled = input[i + 2] == 0 ? 0 : (input[i + 2] - 1) * op.window.holes[i] + 1;
    std::int64_t room = filled + op.window.pads_begin[i] + op.window.pads_end[i];
    std::int64_t reach = (w[i + 2] - 1) * op.window.dilations[i] + 1;
    out.push_back(room < reach ? 0 : (room - reach) / op.window.strides[i] + 1);
  }
  return out;
}

}  // namespace zeropoint::engine

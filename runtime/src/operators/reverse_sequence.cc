// ONNX ReverseSequence and Trilu.

#include <cstring>

#include "operators/axes.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {

// Each sequence of a batch has its first sequence_lens elements along the time axis turned round. The two
// axes are the first two.
Result<std::vector<Tensor>> reverse_sequence(const OperatorCall& call) {
  const Tensor& x = call.input(0);
  std::int64_t time_axis = call.int_attribute("time_axis");
  ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> lengths, call.ints_input(1));
  bool fits = x.rank() >= 2 && ((time_axis == 0 && call.int_attribute("batch_axis") == 1) ||
                                (time_axis == 1 && call.int_attribute("batch_axis") == 0));
  std::int64_t times = fits ? x.dim(time_axis) : 0;
  fits = fits && static_cast<std::int64_t>(lengths.size()) == x.dim(1 - time_axis);
  for (std::int64_t length : lengths) {
    fits = fits && length >= 0 && length <= times;
  }
  if (!fits) {
    return Status::invalid_argument("sequence lengths ", lengths, " do not fit input ", x.shape(),
                                    " with time and batch as its first two axes");
  }
  Tensor y = x;
  std::size_t bytes =
      static_cast<std::size_t>(extent_between(x.shape(), 2, x.shape().size())) * size_of(x.type());
  auto batches = static_cast<std::int64_t>(lengths.size());
  auto offset = [&](std::int64_t batch, std::int64_t time) {
    return static_cast<std::size_t>(time_axis == 0 ? time * batches + batch : batch * times + time) * bytes;
  };
  for (std::int64_t batch = 0; batch < batches && y.size() > 0; ++batch) {
    std::int64_t length = lengths[static_cast<std::size_t>(batch)];
    for (std::int64_t time = 0; time < length; ++time) {
      std::memcpy(y.bytes() + offset(batch, time), x.bytes() + offset(batch, length - 1 - time), bytes);
    }
  }
  return one(std::move(y));
}

// Keeps what lies on one side of the diagonal k of the last two axes; the rest becomes 0.
Result<std::vector<Tensor>> trilu(const OperatorCall& call) {
  Tensor y = call.input(0);
  std::int64_t diagonal = 0;
  if (call.has(1)) {
    ZP_ASSIGN_OR_RETURN(std::vector<std::int64_t> k, call.ints_input(1));
    if (k.size() != 1) {
      return Status::invalid_argument("k must be one number");
    }
    diagonal = k[0];
  }
  if (y.rank() < 2) {
    return Status::invalid_argument("input ", y.shape(), " is no matrix");
  }
  bool upper = call.int_attribute("upper") != 0;
  std::size_t width = size_of(y.type());
  std::byte* at = y.bytes();
  std::int64_t rows = y.size() == 0 ? 0 : y.size() / y.dim(-1);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < y.dim(-1); ++column, at += width) {
      std::int64_t behind = column - row % y.dim(-2);
      if (upper ? behind < diagonal : behind > diagonal) {
        std::memset(at, 0, width);
      }
    }
  }
  return one(std::move(y));
}

}  // namespace zeropoint::operators

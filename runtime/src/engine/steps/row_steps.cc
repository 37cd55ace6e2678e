#include "engine/steps/row_steps.h"

#include <algorithm>
#include <cstring>

namespace zeropoint::engine {

Status SoftmaxStep::run(const RunContext& context) {
  kernels::SoftmaxParams params{exponentials.data(), quantization};
  context.in_parts(rows, rows * count / 2, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      kernels->softmax(context.bytes_at(from) + i * count, context.bytes_at(to) + i * count, count, params);
    }
  });
  return {};
}

Status NormalizeStep::run(const RunContext& context) {
  kernels::NormalizeParams p = params;
  p.gain = gain.data();
  p.bias = bias.data();
  context.in_parts(rows, rows * count / 2, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      kernels->normalize(context.bytes_at(from) + i * count, context.bytes_at(to) + i * count, count, p);
    }
  });
  return {};
}

Status ChannelTableStep::run(const RunContext& context) {
  constexpr std::int64_t kTables = 64;  // that stay in the nearest cache while the rows pass
  std::int64_t blocks = (count + kTables - 1) / kTables;
  context.in_parts(blocks, rows * count * 3 / 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      std::int64_t first = block * kTables;
      std::int64_t size = std::min(kTables, count - first);
      for (std::int64_t i = 0; i < rows; ++i) {
        kernels->look_up_each(context.bytes_at(from) + i * count + first,
                              context.bytes_at(to) + i * count + first, size, tables.data() + first * 256);
      }
    }
  });
  return {};
}

Status BroadcastAddStep::run(const RunContext& context) {
  auto all = std::ssize(rows);
  context.in_parts(all, all * count / 8, [&](std::int64_t begin, std::int64_t end, std::int64_t part) {
    std::uint8_t* row = context.bytes_at(expanded) + part * count;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint8_t* x = context.bytes_at(a) + rows[static_cast<std::size_t>(i)].a;
      const std::uint8_t* y = context.bytes_at(b) + rows[static_cast<std::size_t>(i)].b;
      if (a_is_one || b_is_one) {
        std::memset(row, a_is_one ? *x : *y, static_cast<std::size_t>(count));
      }
      kernels->add(a_is_one ? row : x, b_is_one ? row : y, context.bytes_at(to) + i * count, count, epilogue);
    }
  });
  return {};
}

}  // namespace zeropoint::engine

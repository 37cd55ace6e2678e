#include "engine/steps/move_step.h"

#include <cstring>
#include <limits>

namespace zeropoint::engine {
namespace {

template <std::size_t kBytes>
void move_fixed(const MoveStep::Series& s, const std::byte* from, std::byte* to) {
  for (std::int64_t i = 0; i < s.count; ++i, from += s.from_step, to += s.to_step) {
    std::memcpy(to, from, kBytes);
  }
}

void move_series(const MoveStep::Series& s, const std::byte* from, std::byte* to) {
  switch (s.first.bytes) {
    case 1:
      return move_fixed<1>(s, from, to);
    case 4:
      return move_fixed<4>(s, from, to);
    case 8:
      return move_fixed<8>(s, from, to);
    case 16:
      return move_fixed<16>(s, from, to);
    case 32:
      return move_fixed<32>(s, from, to);
    case 64:
      return move_fixed<64>(s, from, to);
    default:
      for (std::int64_t i = 0; i < s.count; ++i, from += s.from_step, to += s.to_step) {
        std::memcpy(to, from, static_cast<std::size_t>(s.first.bytes));
      }
  }
}

}  // namespace

void MoveStep::prepare() {
  for (const Series& s : series) {
    work += s.count * (8 + s.first.bytes) / 16;  // half a nanosecond each, and 16 bytes in one
  }
}

Status MoveStep::run(const RunContext& context) {
  std::byte* to = context.at(output);
  for (const Move& move : filled) {
    if (fill.size() == 1) {
      std::memset(to + move.to, static_cast<int>(fill[0]), static_cast<std::size_t>(move.bytes));
      continue;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(move.bytes); i += fill.size()) {
      std::memcpy(to + move.to + i, fill.data(), fill.size());
    }
  }
  auto move = [&](Series s, std::int64_t begin, std::int64_t end) {
    s.count = end - begin;
    move_series(
        s, context.at(inputs[static_cast<std::size_t>(s.first.input)]) + s.first.from + begin * s.from_step,
        to + s.first.to + begin * s.to_step);
  };
  if (series.size() == 1) {
    context.in_parts(series[0].count, work,
                     [&](std::int64_t begin, std::int64_t end) { move(series[0], begin, end); });
    return {};
  }
  context.in_parts(std::ssize(series), work, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Series& s = series[static_cast<std::size_t>(i)];
      move(s, 0, s.count);
    }
  });
  return {};
}

std::vector<MoveStep::Series> join_moves(const std::vector<MoveStep::Move>& moves) {
  std::vector<MoveStep::Move> joined;
  for (const MoveStep::Move& move : moves) {
    bool neighbours = !joined.empty() && joined.back().input == move.input &&
                      joined.back().to + joined.back().bytes == move.to &&
                      joined.back().from + joined.back().bytes == move.from &&
                      joined.back().bytes <= std::numeric_limits<std::int32_t>::max() - move.bytes;
    if (neighbours) {
      joined.back().bytes += move.bytes;
    } else {
      joined.push_back(move);
    }
  }
  std::vector<MoveStep::Series> series;
  for (const MoveStep::Move& move : joined) {
    if (!series.empty()) {
      MoveStep::Series& last = series.back();
      bool alike = last.first.input == move.input && last.first.bytes == move.bytes;
      std::int64_t to_step = move.to - (last.first.to + (last.count - 1) * last.to_step);
      std::int64_t from_step = move.from - (last.first.from + (last.count - 1) * last.from_step);
      if (alike && (last.count == 1 || (to_step == last.to_step && from_step == last.from_step))) {
        last.to_step = to_step;
        last.from_step = from_step;
        ++last.count;
        continue;
      }
    }
    series.push_back({move, 1, 0, 0});
  }
  return series;
}

}  // namespace zeropoint::engine

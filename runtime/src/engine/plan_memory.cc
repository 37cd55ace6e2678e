#include "engine/plan_memory.h"

#include <algorithm>
#include <numeric>

namespace zeropoint::engine {
namespace {

std::int64_t aligned(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

bool meet(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

std::int64_t most_alive(const std::vector<Lifetime>& buffers) {
  std::int64_t end = 0;
  for (const Lifetime& buffer : buffers) {
    end = std::max(end, buffer.last + 1);
  }
  std::vector<std::int64_t> change(static_cast<std::size_t>(end) + 1);
  for (const Lifetime& buffer : buffers) {
    if (buffer.last >= buffer.first) {
      change[static_cast<std::size_t>(buffer.first)] += aligned(buffer.bytes);
      change[static_cast<std::size_t>(buffer.last) + 1] -= aligned(buffer.bytes);
    }
  }
  std::partial_sum(change.begin(), change.end(), change.begin());
  return *std::max_element(change.begin(), change.end());
}

}  // namespace

MemoryPlan plan_memory(const std::vector<Lifetime>& buffers) {
  MemoryPlan plan;
  plan.offsets.resize(buffers.size());
  plan.least = most_alive(buffers);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].last >= buffers[i].first) {
      order.push_back(i);
    }
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return buffers[a].bytes != buffers[b].bytes ? buffers[a].bytes > buffers[b].bytes : a < b;
  });
  std::vector<std::size_t> placed;  // by their offsets
  for (std::size_t i : order) {
    std::int64_t offset = 0;
    for (std::size_t other : placed) {
      if (!meet(buffers[i], buffers[other])) {
        continue;
      }
      if (plan.offsets[other] >= offset + aligned(buffers[i].bytes)) {
        break;
      }
      offset = std::max(offset, plan.offsets[other] + aligned(buffers[other].bytes));
    }
    plan.offsets[i] = offset;
    plan.peak = std::max(plan.peak, offset + aligned(buffers[i].bytes));
    auto after = std::upper_bound(placed.begin(), placed.end(), offset,
                                  [&](std::int64_t at, std::size_t p) { return at < plan.offsets[p]; });
    placed.insert(after, i);
  }
  return plan;
}

}  // namespace zeropoint::engine

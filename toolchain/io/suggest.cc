#include "zeropoint/toolchain/suggest.h"

#include <algorithm>

#include "zeropoint/operator.h"

namespace zeropoint::toolchain {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::size_t width = b.size() + 1;
  std::vector<std::size_t> cost((a.size() + 1) * width);
  auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return cost[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        at(i, j) = i + j;
        continue;
      }
      std::size_t replaced = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({replaced, at(i - 1, j) + 1, at(i, j - 1) + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
      }
    }
  }
  return at(a.size(), b.size());
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  // A third of the letters may be wrong; beyond that it is another word.
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    std::size_t distance = edit_distance(word, candidate);
    bool begins = word.size() >= 3 && candidate.rfind(word, 0) == 0;
    distance = begins ? std::min<std::size_t>(distance, 1) : distance;
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string nearest_operator(std::string_view word, std::string_view domain) {
  std::vector<std::string> names;
  for (const OpInfo& info : all_operators()) {
    if (info.domain == domain) {
      names.emplace_back(info.name);
    }
  }
  return nearest(word, names);
}

}  // namespace zeropoint::toolchain

// The statistics reader, then what is done with a file that it reads: merge, choose ranges by every method,
// write.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "zeropoint/toolchain/ranges.h"
#include "zeropoint/toolchain/statistics.h"

using namespace zeropoint;
using namespace zeropoint::toolchain;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// A file that reads.
std::string good_file(unsigned int seed) {
  std::mt19937 random(seed);
  Statistics statistics{"model", {{"data", 2}}, {}};
  for (const char* name : {"a", "b"}) {
    Tensor values(ElementType::kFloat32, {1, 3, 4});
    for (float& value : values.data<float>()) {
      value = static_cast<float>(random() % 2001) / static_cast<float>(1 + random() % 1000) - 1;
    }
    TensorStatistics& tensor = statistics.tensors[name];
    tensor.moving_average.add(*tensor.add(values, 1));
  }
  return to_json(statistics);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  if (size < 8) {
    std::string good = good_file(seed);
    if (good.size() <= max_size) {
      size = good.size();
      std::memcpy(data, good.data(), size);
    }
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Result<Statistics> statistics = statistics_from_json({reinterpret_cast<const char*>(data), size});
  if (!statistics.ok()) {
    return 0;
  }
  Result<Statistics> again = statistics_from_json(to_json(*statistics));
  require(again.ok() && to_json(*again) == to_json(*statistics));
  bool merged = statistics->merge(*again).ok();
  require(!merged || statistics_from_json(to_json(*statistics)).ok());
  for (const char* method : {"minmax", "moving_average", "percentile:99", "entropy", "mse"}) {
    RangeTable table = choose_ranges(*again, *CalibrationMethod::parse(method));
    for (const auto& [name, range] : table.ranges) {
      const RealRange& seen = again->tensors.at(name).range;
      require(range.r_min <= range.r_max && range.r_min >= std::min(seen.r_min, 0.0F) &&
              range.r_max <= std::max(seen.r_max, 0.0F));
    }
  }
  return 0;
}

// Any bytes as .npy and as .npz: a tensor that comes back the same after writing, or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "zeropoint/toolchain/npy.h"

using namespace zeropoint::toolchain;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::byte> content = std::as_bytes(std::span(data, size));
  auto tensor = parse_npy(content);
  if (tensor.ok()) {
    auto written = to_npy(*tensor);
    if (!written.ok()) {
      std::abort();
    }
    auto again = parse_npy(*written);
    if (!again.ok() || !(*again == *tensor) || tensor->byte_size() > size) {
      std::abort();
    }
  }
  auto names = npz_names(content);
  for (std::size_t i = 0; names.ok() && i < names->size(); ++i) {
    (void)parse_npz(content, (*names)[i]);
  }
  return 0;
}

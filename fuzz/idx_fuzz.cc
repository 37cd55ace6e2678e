#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "zeropoint/toolchain/idx.h"

// Any bytes, plain or gzip: an array as large as its header says, or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto array = zeropoint::toolchain::parse_idx(std::as_bytes(std::span(data, size)));
  if (array.ok()) {
    auto count = zeropoint::element_count(array->shape);
    if (!count.ok() || static_cast<std::size_t>(*count) != array->data.size()) {
      std::abort();
    }
  }
  return 0;
}

// Any text as a preprocessing description: one that comes back the same through JSON, or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/labels_csv.h"
#include "zeropoint/toolchain/preprocess.h"

using namespace zeropoint::toolchain;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_labels_csv(text);
  auto how = preprocess_from_json(text);
  if (how.ok() && how->transform.validate(1).ok()) {
    auto again = preprocess_from_json(to_json(*how));
    if (!again.ok() || to_json(*again) != to_json(*how)) {
      std::abort();
    }
  }
  return 0;
}

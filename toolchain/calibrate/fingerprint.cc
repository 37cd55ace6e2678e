#include <span>

#include "io/sha256.h"
#include "zeropoint/toolchain/statistics.h"

namespace zeropoint::toolchain {

Result<std::string> fingerprint(const Graph& graph) {
  Graph plain = graph;  // shapes may be inferred or not
  for (Value& value : plain.values) {
    value.dims.reset();
  }
  Sha256 sum;
  std::string text = print(plain);
  sum.add(std::as_bytes(std::span(text)));
  for (const Value& value : graph.values) {
    if (value.constant != nullptr) {
      sum.add({value.constant->bytes(), value.constant->byte_size()});
    }
  }
  return sum.digest();
}

}  // namespace zeropoint::toolchain

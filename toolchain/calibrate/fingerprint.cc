#include <fmt/format.h>

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

Status check_model(const Statistics& statistics, const Graph& graph) {
  ZP_ASSIGN_OR_RETURN(std::string model, fingerprint(graph));
  if (model == statistics.model) {
    return {};
  }
  for (const auto& [name, seen] : statistics.tensors) {
    if (graph.find(name) == kNoValue) {
      return Status::invalid_argument(
          fmt::format("these are statistics of another model: this one has no tensor '{}'", name));
    }
  }
  return Status::invalid_argument(
      "these are statistics of another model: this one has tensors of the same names, but other constants or "
      "nodes");
}

}  // namespace zeropoint::toolchain

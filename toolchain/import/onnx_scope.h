#pragma once

#include <onnx/onnx_pb.h>

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "zeropoint/toolchain/graph.h"

namespace zeropoint::toolchain {

/// ONNX's own domain has two names; "" here.
inline std::string domain_of(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

/// What names mean where a node stands: in the model's graph, in a subgraph, in a function.
struct Scope {
  /// A subgraph sees the tensors around it.
  const Scope* around = nullptr;
  /// Per domain.
  std::map<std::string, std::int64_t> opsets;
  /// Of a function: what the call gives for its attributes.
  std::map<std::string, const onnx::AttributeProto*> attributes;
  /// Before the names of nodes and tensors that are not the model's own.
  std::string prefix;
  int depth = 0;
  std::unordered_map<std::string, ValueId> tensors = {};

  [[nodiscard]] const ValueId* find(const std::string& name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->around) {
      if (auto found = scope->tensors.find(name); found != scope->tensors.end()) {
        return &found->second;
      }
    }
    return nullptr;
  }
};

/// What a name takes in a scope, about.
inline constexpr std::size_t kBytesPerName = 64;

}  // namespace zeropoint::toolchain

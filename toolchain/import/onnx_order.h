#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "zeropoint/status.h"

namespace zeropoint::toolchain {

/// The indices of `nodes` in an order in which each node comes after those whose outputs it reads; the order
/// they have where that is one. Nodes inside of a node's subgraphs count as that node's readers. kCorrupt
/// where a tensor is made twice, or nodes wait for each other (naming them).
Result<std::vector<int>> order_of(const google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes);

/// "Conv 'conv1'": how messages name a node of a model.
std::string describe(const onnx::NodeProto& node);

}  // namespace zeropoint::toolchain

#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace zeropoint::toolchain {

/// The content of each occurrence of a field of strings or messages, also where the ONNX schema that is
/// compiled in is older than the field. For messages it is their serialized form.
std::vector<std::string> later_field(const google::protobuf::Message& message, int number);

}  // namespace zeropoint::toolchain

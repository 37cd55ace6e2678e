#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>

#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::toolchain {

/// The file of weights beside a model (ONNX: TensorProto.external_data). It takes its place when it is
/// complete.
class ExternalWeights {
 public:
  static Result<ExternalWeights> create(const std::string& path);

  /// Smaller tensors stay in the model, where shape inference looks for them.
  [[nodiscard]] static bool takes(const Tensor& tensor);
  /// Appends the tensor's elements; `proto` says where they are. Errors are those of NewFile.
  Status add(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);
  Status commit() { return file_.commit(); }

 private:
  ExternalWeights(NewFile file, std::string location)
      : file_(std::move(file)), location_(std::move(location)) {}

  NewFile file_;
  std::string location_;  // relative to the model's folder
  std::uint64_t size_ = 0;
};

}  // namespace zeropoint::toolchain

#pragma once

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <string>

namespace zeropoint::toolchain {

/// The newest opset that the installed checker knows.
inline constexpr std::int64_t kNewestChecked = 17;

/// What ONNX's checker, with strict shape inference, has against a model; empty where nothing.
inline std::string complaint_about(const std::string& content) {
  onnx::ModelProto model;
  if (!model.ParseFromString(content)) {
    return "no protobuf";
  }
  try {
    onnx::checker::check_model(model);
    onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(),
                                       onnx::ShapeInferenceOptions{/*check_type=*/true, /*strict_mode=*/1});
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace zeropoint::toolchain

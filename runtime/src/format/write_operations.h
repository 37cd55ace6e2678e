#pragma once

// The parts of a program as a FlatBuffer, and its tensors as a data section.

#include <flatbuffers/flatbuffers.h>

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/program_generated.h"
#include "zeropoint/operations.h"

namespace zeropoint::format {

/// Tensors one behind the other, each at a multiple of 64; equal bytes are written once.
class DataSection {
 public:
  /// Where the bytes begin.
  std::uint64_t add(std::string bytes);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// In order, each to be followed by zeros up to the next multiple of 64.
  [[nodiscard]] const std::vector<const std::string*>& pieces() const { return pieces_; }

 private:
  std::unordered_map<std::string, std::uint64_t> places_;
  std::vector<const std::string*> pieces_;
  std::uint64_t size_ = 0;
};

/// Writes the values of operations.
class OperationWriter {
 public:
  OperationWriter(flatbuffers::FlatBufferBuilder& builder, DataSection& data)
      : builder_(builder), data_(data) {}

  flatbuffers::Offset<zpm::Operation> write(const Operation& operation);
  flatbuffers::Offset<zpm::Tensor> tensor(const Tensor& tensor);

 private:
  template <typename T>
  using Offsets = flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<T>>>;
  struct Content {
    zpm::AnyOperation kind;
    flatbuffers::Offset<void> offset;
  };
  template <typename T>
  static Content of(flatbuffers::Offset<T> made) {
    return {zpm::AnyOperationTraits<T>::enum_value, made.Union()};
  }

  Content content(const QuantizeOp& op);
  Content content(const DequantizeOp& op);
  Content content(const ConvOp& op);
  Content content(const FullyConnectedOp& op);
  Content content(const MatMulOp& op);
  Content content(const AddOp& op);
  Content content(const TableOp& op);
  Content content(const ArithmeticOp& op);
  Content content(const ReduceOp& op);
  Content content(const AveragePoolOp& op);
  Content content(const SoftmaxOp& op);
  Content content(const NormalizeOp& op);
  Content content(const EvaluateOp& op);

  flatbuffers::Offset<zpm::Dequantization> dequantization(const Dequantization& from);
  flatbuffers::Offset<zpm::Requantization> requantization(const Requantization& how);
  flatbuffers::Offset<zpm::LinearLayer> layer(const LinearLayer& layer);
  flatbuffers::Offset<zpm::Window> window(const Window& window);
  flatbuffers::Offset<zpm::Operator> op(Op op, const Attributes& attributes);
  flatbuffers::Offset<zpm::Attribute> attribute(const std::string& name, const Attribute& attribute);
  Offsets<zpm::Attribute> attributes(const Attributes& attributes);

  flatbuffers::FlatBufferBuilder& builder_;
  DataSection& data_;
};

}  // namespace zeropoint::format

#pragma once

// The operators of ONNX as data (ops.inc), and each of them computed in plain loops. What graphs mean, what
// constants fold to and what a program does in float is decided here.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"

namespace zeropoint {

/// The operators of ops.inc: Op::kConv, Op::kGemm, ...
enum class Op : std::uint16_t {
#define ZP_OP(name, ...) k##name,
#include "zeropoint/ops.inc"
};

/// What an operator can be told besides its inputs. The kinds are those of ONNX's AttributeProto.
using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>,
                               std::vector<float>, std::vector<std::string>, std::shared_ptr<const Tensor>>;
using Attributes = std::map<std::string, Attribute, std::less<>>;

/// In the order of Attribute's alternatives.
enum class AttributeKind : std::uint8_t { kInt, kFloat, kString, kInts, kFloats, kStrings, kTensor };

/// An attribute an operator may carry: its kind, and its default unless it is derived or required.
struct AttributeInfo {
  std::string_view name;
  std::variant<AttributeKind, int, float, std::string_view> kind_or_default;

  constexpr AttributeInfo(std::string_view attribute, AttributeKind kind)
      : name(attribute), kind_or_default(kind) {}
  constexpr AttributeInfo(std::string_view attribute, int value) : name(attribute), kind_or_default(value) {}
  constexpr AttributeInfo(std::string_view attribute, float value)
      : name(attribute), kind_or_default(value) {}
  constexpr AttributeInfo(std::string_view attribute, const char* value)
      : name(attribute), kind_or_default(std::string_view(value)) {}

  [[nodiscard]] AttributeKind kind() const noexcept;
};

/// What becomes of an operator between quantized tensors.
enum class IntegerForm : std::uint8_t {
  kNone,      ///< it stays in float
  kBorder,    ///< it is where reals and integers meet
  kMoves,     ///< it gives integers of its input, rearranged or selected: scale and zero point stay
  kTable,     ///< a function of one element: 256 entries say it all for 8 bits
  kComputes,  ///< it has an integer operation of its own
};

class OperatorCall;
using Evaluation = Result<std::vector<Tensor>> (*)(const OperatorCall&);

/// One row of ops.inc, but for its shape rule.
struct OpInfo {
  std::string_view name;
  std::string_view domain;
  int since;
  std::uint32_t min_inputs;
  std::uint32_t max_inputs;
  std::uint32_t max_outputs;
  Evaluation evaluation;
  IntegerForm integer_form;
  std::span<const AttributeInfo> attributes;

  [[nodiscard]] const AttributeInfo* find_attribute(std::string_view attribute) const noexcept;
};

/// As many inputs or outputs as one likes.
inline constexpr std::uint32_t kMany = std::uint32_t{1} << 31;

const OpInfo& info_of(Op op) noexcept;
std::string_view name_of(Op op) noexcept;
/// The operator of that ONNX name and domain, if the table has it.
std::optional<Op> find_op(std::string_view name, std::string_view domain = "") noexcept;
/// All operators, in the order of ops.inc.
std::span<const OpInfo> all_operators() noexcept;

/// The attribute's value, or the default that ops.inc gives it. A value of the wrong kind counts as absent;
/// verify() of a graph refuses it.
std::int64_t int_attribute(Op op, const Attributes& attributes, std::string_view name) noexcept;
float float_attribute(Op op, const Attributes& attributes, std::string_view name) noexcept;
std::string string_attribute(Op op, const Attributes& attributes, std::string_view name);
/// Empty when it is not there.
std::vector<std::int64_t> ints_attribute(const Attributes& attributes, std::string_view name);
std::vector<float> floats_attribute(const Attributes& attributes, std::string_view name);
std::vector<std::string> strings_attribute(const Attributes& attributes, std::string_view name);
/// nullptr when it is not there.
const Tensor* tensor_attribute(const Attributes& attributes, std::string_view name) noexcept;

/// An operator with its attributes and the tensors it is applied to. Borrows all of them.
class OperatorCall {
 public:
  /// An absent optional input is nullptr. `output_count` says how many outputs are read; an evaluation gives
  /// at least as many. `largest_output` in bytes bounds what one output may ask for, where shapes come from a
  /// file.
  OperatorCall(Op op, const Attributes& attributes, std::span<const Tensor* const> inputs,
               std::size_t output_count = 1, std::size_t largest_output = std::size_t{1} << 40)
      : op_(op),
        attributes_(attributes),
        inputs_(inputs),
        output_count_(output_count),
        largest_output_(largest_output) {}

  [[nodiscard]] Op op() const { return op_; }
  [[nodiscard]] const Attributes& attributes() const { return attributes_; }
  [[nodiscard]] std::size_t input_count() const { return inputs_.size(); }
  [[nodiscard]] std::size_t output_count() const { return output_count_; }
  [[nodiscard]] std::size_t largest_output() const { return largest_output_; }
  [[nodiscard]] bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr; }
  /// An input that is there.
  [[nodiscard]] const Tensor& input(std::size_t i) const { return *inputs_[i]; }

  [[nodiscard]] std::int64_t int_attribute(std::string_view name) const noexcept {
    return zeropoint::int_attribute(op_, attributes_, name);
  }
  [[nodiscard]] float float_attribute(std::string_view name) const noexcept {
    return zeropoint::float_attribute(op_, attributes_, name);
  }
  [[nodiscard]] std::string string_attribute(std::string_view name) const {
    return zeropoint::string_attribute(op_, attributes_, name);
  }
  [[nodiscard]] std::vector<std::int64_t> ints_attribute(std::string_view name) const {
    return zeropoint::ints_attribute(attributes_, name);
  }

  /// Zeros for an output; kResourceExhausted beyond `largest_output`.
  [[nodiscard]] Result<Tensor> make_output(ElementType type, Shape shape) const;
  /// The elements of an int64 or int32 input of rank 0 or 1: axes, a shape, repeats.
  [[nodiscard]] Result<std::vector<std::int64_t>> ints_input(std::size_t i) const;

 private:
  Op op_;
  const Attributes& attributes_;
  std::span<const Tensor* const> inputs_;
  std::size_t output_count_;
  std::size_t largest_output_;
};

/// Computes the call as ONNX says: the norm that every other way of computing it is tested against. Floating
/// point is computed in the type of the inputs, float16 and bfloat16 in float32 and rounded at the end.
/// kInvalidArgument for inputs that do not fit the operator or each other, kUnsupported for element types it
/// does not have here.
Result<std::vector<Tensor>> evaluate(const OperatorCall& call);

}  // namespace zeropoint

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace zeropoint {

/// A part of a message: text, a number, or a shape. It refers to what it was made of, so that a message is
/// put together in one place and its callers stay small; it lives no longer than the call.
class MessagePart {
 public:
  MessagePart(const char* text) : kind_(Kind::kLiteral), pointer_(text) {}
  MessagePart(std::string_view text) : kind_(Kind::kText), pointer_(text.data()), size_(text.size()) {}
  MessagePart(const std::string& text) : MessagePart(std::string_view(text)) {}
  /// "[64, 1, 28, 28]"
  MessagePart(const std::vector<std::int64_t>& shape) : kind_(Kind::kShape), pointer_(&shape) {}
  template <std::integral T>
  MessagePart(T number)
      : kind_(std::is_signed_v<T> ? Kind::kSigned : Kind::kUnsigned),
        size_(static_cast<std::size_t>(number)) {}
  /// Six digits behind the point.
  MessagePart(double number) : kind_(Kind::kReal), real_(number) {}

  void append_to(std::string& message) const;

 private:
  enum class Kind : std::uint8_t { kLiteral, kText, kShape, kSigned, kUnsigned, kReal };

  Kind kind_;
  const void* pointer_ = nullptr;
  union {
    std::size_t size_ = 0;  ///< of a text; or a whole number, by its bits
    double real_;
  };
};

/// The parts, one behind the other.
std::string join(std::initializer_list<MessagePart> parts);

}  // namespace zeropoint

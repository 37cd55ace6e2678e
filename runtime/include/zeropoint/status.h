#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace zeropoint {

/// What kind of failure a Status reports.
enum class StatusCode {
  kOk,
  kInvalidArgument,    ///< the caller asked for something that cannot be: a wrong shape, an unknown option
  kNotFound,           ///< a file, tensor or node that was named does not exist
  kUnsupported,        ///< well-formed, but not something this version can do
  kCorrupt,            ///< a file contradicts itself or its format
  kIo,                 ///< the operating system refused to read or write
  kResourceExhausted,  ///< not enough memory or disk
  kInternal,           ///< a broken invariant of this library
};

/// The outcome of an operation: ok, or a code with one line that says what, where and what to do.
/// A value type; safe to copy between threads.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status invalid_argument(std::string message) {
    return {StatusCode::kInvalidArgument, std::move(message)};
  }
  static Status not_found(std::string message) { return {StatusCode::kNotFound, std::move(message)}; }
  static Status unsupported(std::string message) { return {StatusCode::kUnsupported, std::move(message)}; }
  static Status corrupt(std::string message) { return {StatusCode::kCorrupt, std::move(message)}; }
  static Status io(std::string message) { return {StatusCode::kIo, std::move(message)}; }
  static Status resource_exhausted(std::string message) {
    return {StatusCode::kResourceExhausted, std::move(message)};
  }
  static Status internal(std::string message) { return {StatusCode::kInternal, std::move(message)}; }

  [[nodiscard]] bool ok() const { return code_ == StatusCode::kOk; }
  [[nodiscard]] StatusCode code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }

  /// The same failure with `where` in front of its message ("model.pt: tensor fc1.weight: ...").
  [[nodiscard]] Status at(const std::string& where) const {
    return ok() ? *this : Status(code_, where + ": " + message_);
  }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

/// A T, or the Status that says why there is none. Reading the value of a failed Result is a programming
/// error.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}
  Result(Status status) : content_(std::move(status)) { assert(!std::get<Status>(content_).ok()); }

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(content_); }
  [[nodiscard]] Status status() const { return ok() ? Status() : std::get<Status>(content_); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  T& value() {
    assert(ok());
    return *std::get_if<T>(&content_);
  }
  const T& value() const {
    assert(ok());
    return *std::get_if<T>(&content_);
  }

  std::variant<T, Status> content_;
};

}  // namespace zeropoint

#define ZP_CONCAT_INNER(a, b) a##b
#define ZP_CONCAT(a, b) ZP_CONCAT_INNER(a, b)

/// Returns the Status of `expression` from the enclosing function unless it is ok.
#define ZP_RETURN_IF_ERROR(expression)                                   \
  do {                                                                   \
    if (::zeropoint::Status zp_status = (expression); !zp_status.ok()) { \
      return zp_status;                                                  \
    }                                                                    \
  } while (false)

/// Declares or assigns `target` from a Result, or returns its Status from the enclosing function.
#define ZP_ASSIGN_OR_RETURN(target, expression) \
  ZP_ASSIGN_OR_RETURN_INNER(ZP_CONCAT(zp_result_, __LINE__), target, expression)
// NOLINTBEGIN(bugprone-macro-parentheses): `target` may be a declaration, which parentheses would break.
#define ZP_ASSIGN_OR_RETURN_INNER(result, target, expression) \
  auto result = (expression);                                 \
  if (!result.ok()) {                                         \
    return result.status();                                   \
  }                                                           \
  target = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)

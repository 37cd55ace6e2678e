#pragma once

#include <cassert>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "zeropoint/message.h"

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
/// A value type; safe to copy between threads. As large as a pointer, and as quick to pass on when ok. Throws
/// nothing: where there is no memory for the message, the failure is that.
class [[nodiscard]] Status {
 public:
  Status() = default;
  /// A failure, which `code` must be; its message is the parts, one behind the other.
  template <typename... T>
  explicit Status(StatusCode code, const T&... message) noexcept : failure_(fail(code, {message...})) {}
  Status(const Status& other) noexcept : failure_(other.ok() ? nullptr : copy(other.failure_)) {}
  Status(Status&& other) noexcept : failure_(std::exchange(other.failure_, nullptr)) {}
  Status& operator=(Status other) noexcept {
    std::swap(failure_, other.failure_);
    return *this;
  }
  ~Status() {
    if (!ok()) {
      destroy(failure_);
    }
  }

  template <typename... T>
  static Status invalid_argument(const T&... message) noexcept {
    return Status(StatusCode::kInvalidArgument, message...);
  }
  template <typename... T>
  static Status not_found(const T&... message) noexcept {
    return Status(StatusCode::kNotFound, message...);
  }
  template <typename... T>
  static Status unsupported(const T&... message) noexcept {
    return Status(StatusCode::kUnsupported, message...);
  }
  template <typename... T>
  static Status corrupt(const T&... message) noexcept {
    return Status(StatusCode::kCorrupt, message...);
  }
  template <typename... T>
  static Status io(const T&... message) noexcept {
    return Status(StatusCode::kIo, message...);
  }
  template <typename... T>
  static Status resource_exhausted(const T&... message) noexcept {
    return Status(StatusCode::kResourceExhausted, message...);
  }
  template <typename... T>
  static Status internal(const T&... message) noexcept {
    return Status(StatusCode::kInternal, message...);
  }

  [[nodiscard]] bool ok() const noexcept { return failure_ == nullptr; }
  [[nodiscard]] StatusCode code() const noexcept;
  [[nodiscard]] const std::string& message() const noexcept;

  /// The same failure with its place in front of its message ("model.pt: tensor fc1.weight: ...").
  template <typename... T>
  [[nodiscard]] Status at(const T&... where) const noexcept {
    return at_place({where...});
  }

 private:
  struct Failure;
  using Parts = std::initializer_list<MessagePart>;
  static Failure* out_of_memory() noexcept;
  static Failure* fail(StatusCode code, Parts parts, Parts rest = {}) noexcept;
  static Failure* copy(const Failure* failure) noexcept;
  static void destroy(Failure* failure) noexcept;
  [[nodiscard]] Status at_place(Parts where) const noexcept;

  Failure* failure_ = nullptr;  ///< null when ok
};

/// A T, or the Status that says why there is none. Reading the value of a failed Result is a programming
/// error.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }

  [[nodiscard]] bool ok() const { return value_.has_value(); }
  [[nodiscard]] const Status& status() const& { return status_; }
  [[nodiscard]] Status status() && { return std::move(status_); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  T& value() {
    assert(ok());
    return *value_;
  }
  const T& value() const {
    assert(ok());
    return *value_;
  }

  Status status_;
  std::optional<T> value_;
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
    return std::move(result).status();                        \
  }                                                           \
  target = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)

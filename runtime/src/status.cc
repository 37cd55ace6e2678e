#include "zeropoint/status.h"

namespace zeropoint {

struct Status::Failure {
  StatusCode code;
  std::string message;
};

/// What is said where there is no memory to say more; short enough to need none.
Status::Failure* Status::out_of_memory() noexcept {
  static Failure failure{StatusCode::kResourceExhausted, "out of memory"};
  return &failure;
}

Status::Failure* Status::fail(StatusCode code, Parts parts, Parts rest) noexcept {
  try {
    return new Failure{code, join(parts) + join(rest)};
  } catch (...) {
    return out_of_memory();
  }
}

Status::Failure* Status::copy(const Failure* failure) noexcept {
  return fail(failure->code, {failure->message});
}

void Status::destroy(Failure* failure) noexcept {
  if (failure != out_of_memory()) {
    delete failure;
  }
}

StatusCode Status::code() const noexcept { return ok() ? StatusCode::kOk : failure_->code; }

const std::string& Status::message() const noexcept {
  static const std::string kNone;
  return ok() ? kNone : failure_->message;
}

Status Status::at_place(Parts where) const noexcept {
  Status status;
  if (!ok()) {
    status.failure_ = fail(failure_->code, where, {": ", failure_->message});
  }
  return status;
}

}  // namespace zeropoint

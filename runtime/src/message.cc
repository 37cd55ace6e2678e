#include "zeropoint/message.h"

namespace zeropoint {

void MessagePart::append_to(std::string& message) const {
  switch (kind_) {
    case Kind::kLiteral:
      message += static_cast<const char*>(pointer_);
      break;
    case Kind::kText:
      message.append(static_cast<const char*>(pointer_), size_);
      break;
    case Kind::kShape: {
      const char* between = "[";
      for (std::int64_t extent : *static_cast<const std::vector<std::int64_t>*>(pointer_)) {
        message += between;
        message += std::to_string(extent);
        between = ", ";
      }
      message += *between == '[' ? "[]" : "]";
      break;
    }
    case Kind::kSigned:
      message += std::to_string(static_cast<std::int64_t>(size_));
      break;
    case Kind::kUnsigned:
      message += std::to_string(size_);
      break;
    case Kind::kReal:
      message += std::to_string(real_);
      break;
  }
}

std::string join(std::initializer_list<MessagePart> parts) {
  std::string message;
  for (const MessagePart& part : parts) {
    part.append_to(message);
  }
  return message;
}

}  // namespace zeropoint

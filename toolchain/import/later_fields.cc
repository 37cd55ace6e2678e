#include "import/later_fields.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

namespace zeropoint::toolchain {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

std::vector<std::string> known_field(const Message& message, const FieldDescriptor* field) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<std::string> content;
  if (!field->is_repeated()) {
    if (reflection.HasField(message, field)) {
      content.push_back(reflection.GetString(message, field));
    }
    return content;
  }
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    content.push_back(reflection.GetRepeatedMessage(message, field, i).SerializeAsString());
  }
  return content;
}

}  // namespace

std::vector<std::string> later_field(const Message& message, int number) {
  if (const FieldDescriptor* field = message.GetDescriptor()->FindFieldByNumber(number)) {
    return known_field(message, field);
  }
  std::vector<std::string> content;
  const UnknownFieldSet& fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() == number && field.type() == UnknownField::TYPE_LENGTH_DELIMITED) {
      content.push_back(field.length_delimited());
    }
  }
  return content;
}

}  // namespace zeropoint::toolchain

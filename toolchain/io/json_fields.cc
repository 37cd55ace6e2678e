#include "io/json_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::toolchain::json_fields {
namespace {

/// "did you mean 'x'?", or all there are.
std::string hint(std::string_view wrong, std::span<const std::string_view> known) {
  std::string guess = nearest(std::string(wrong), {known.begin(), known.end()});
  return guess.empty() ? fmt::format("use {}", fmt::join(known, ", "))
                       : fmt::format("did you mean '{}'?", guess);
}

bool is_within(const Json& value, std::int64_t least, std::int64_t most) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return value.is_number_integer() &&
         !(value.is_number_unsigned() && value.get<std::uint64_t>() > kLargest) &&
         value.get<std::int64_t>() >= least && value.get<std::int64_t>() <= most;
}

}  // namespace

const Json& member(const Json& json, const char* name) {
  auto found = json.find(name);
  if (found == json.end()) {
    throw BadField{fmt::format("'{}' is missing", name)};
  }
  return *found;
}

std::string text_in(const Json& json, const char* name) {
  const Json& value = member(json, name);
  if (!value.is_string()) {
    throw BadField{fmt::format("'{}' must be a text", name)};
  }
  return value.get<std::string>();
}

bool bool_in(const Json& json, const char* name) {
  const Json& value = member(json, name);
  if (!value.is_boolean()) {
    throw BadField{fmt::format("'{}' must be true or false", name)};
  }
  return value.get<bool>();
}

const Json& list_in(const Json& json, const char* name) {
  const Json& value = member(json, name);
  if (!value.is_array()) {
    throw BadField{fmt::format("'{}' must be a list", name)};
  }
  return value;
}

const Json& object_in(const Json& json, const char* name) {
  const Json& value = member(json, name);
  if (!value.is_object()) {
    throw BadField{fmt::format("'{}' must be an object", name)};
  }
  return value;
}

std::int64_t integer(const Json& value, const char* name) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  if (!is_within(value, -kMost, kMost)) {
    throw BadField{fmt::format("'{}' must be an integer of at most 53 bits", name)};
  }
  return value.get<std::int64_t>();
}

std::int64_t integer(const Json& value, const char* name, std::int64_t least, std::int64_t most) {
  if (!is_within(value, least, most)) {
    throw BadField{fmt::format("'{}' must hold integers from {} to {}", name, least, most)};
  }
  return value.get<std::int64_t>();
}

std::int64_t integer_in(const Json& json, const char* name) { return integer(member(json, name), name); }

std::int64_t integer_in(const Json& json, const char* name, std::int64_t least, std::int64_t most) {
  return integer(member(json, name), name, least, most);
}

std::size_t word(std::string_view text, const char* name, std::span<const std::string_view> words) {
  auto found = std::find(words.begin(), words.end(), text);
  if (found == words.end()) {
    throw BadField{fmt::format("'{}' cannot be '{}'; {}", name, text, hint(text, words))};
  }
  return static_cast<std::size_t>(found - words.begin());
}

std::size_t word_in(const Json& json, const char* name, std::span<const std::string_view> words) {
  return word(text_in(json, name), name, words);
}

void check_fields(const Json& json, std::span<const std::string_view> fields) {
  for (const auto& [name, value] : json.items()) {
    if (std::find(fields.begin(), fields.end(), name) == fields.end()) {
      throw BadField{fmt::format("unknown field '{}'; {}", name, hint(name, fields))};
    }
  }
}

}  // namespace zeropoint::toolchain::json_fields

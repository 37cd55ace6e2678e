#pragma once

// Fields of JSON that people may have written: what is missing, misspelt or of the wrong kind is said. For
// use inside of one try block each.

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace zeropoint::toolchain::json_fields {

using Json = nlohmann::ordered_json;

/// What is wrong; thrown by all of these.
struct BadField {
  std::string why;
};

const Json& member(const Json& json, const char* name);
std::string text_in(const Json& json, const char* name);
bool bool_in(const Json& json, const char* name);
const Json& list_in(const Json& json, const char* name);
const Json& object_in(const Json& json, const char* name);
/// JSON integers may be anything; without limits, those of at most 53 bits are taken.
std::int64_t integer(const Json& value, const char* name);
std::int64_t integer(const Json& value, const char* name, std::int64_t least, std::int64_t most);
std::int64_t integer_in(const Json& json, const char* name);
std::int64_t integer_in(const Json& json, const char* name, std::int64_t least, std::int64_t most);
/// The index in `words` of `text`.
std::size_t word(std::string_view text, const char* name, std::span<const std::string_view> words);
std::size_t word_in(const Json& json, const char* name, std::span<const std::string_view> words);
/// A misspelt field must not be a silent default. `json` must be an object.
void check_fields(const Json& json, std::span<const std::string_view> fields);
inline void check_fields(const Json& json, std::initializer_list<std::string_view> fields) {
  check_fields(json, std::span<const std::string_view>(fields.begin(), fields.size()));
}

}  // namespace zeropoint::toolchain::json_fields

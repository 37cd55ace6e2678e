#pragma once

// Fields of JSON that people may have written: what is missing, misspelt or of the wrong kind is said. For
// use inside of one try block each.

#include <cstdint>
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
/// JSON integers may be anything; nothing here needs more than 53 bits.
std::int64_t integer(const Json& value, const char* name);
std::int64_t integer_in(const Json& json, const char* name);
/// The index in `words` of `text`.
std::size_t word(std::string_view text, const char* name, std::span<const std::string_view> words);
std::size_t word_in(const Json& json, const char* name, std::span<const std::string_view> words);
/// A misspelt field must not be a silent default. `json` must be an object.
void check_fields(const Json& json, std::span<const std::string_view> fields);

}  // namespace zeropoint::toolchain::json_fields

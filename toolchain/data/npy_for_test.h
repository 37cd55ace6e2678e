#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace zeropoint::toolchain {

/// A .npy file with the dictionary and the elements given, in the layout of `version`.
inline std::string npy_file(const std::string& dictionary, const std::string& elements, int version = 1) {
  std::string length;
  for (std::size_t i = 0; i < (version == 1 ? 2 : 4); ++i) {
    length += static_cast<char>(dictionary.size() >> (8 * i) & 0xff);
  }
  return "\x93NUMPY" + std::string{static_cast<char>(version), '\0'} + length + dictionary + elements;
}

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace zeropoint::toolchain

#pragma once

#include <string>
#include <string_view>

namespace zeropoint::toolchain {

/// `text` from a file as a message may show it: at most 100 bytes, control characters replaced, so that a
/// hostile name neither floods nor steers a terminal.
inline std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  std::string result(text.substr(0, kLongest));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = '?';
    }
  }
  return text.size() > kLongest ? result + "..." : result;
}

}  // namespace zeropoint::toolchain

#pragma once

#include <string_view>

#include "zeropoint/toolchain/preprocess.h"

namespace zeropoint::toolchain {

// The words of preprocessing descriptions.
std::string_view word_of(Interpolation interpolation);
std::string_view word_of(ChannelOrder order);
std::string_view word_of(Layout layout);

}  // namespace zeropoint::toolchain

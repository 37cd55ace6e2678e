#pragma once

#include <cstdint>
#include <memory>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/mnist.h"

namespace zeropoint::toolchain {

/// `count` digits drawn by a simulated pen, in MNIST's form: samples [1, 28, 28], white on black, in a box of
/// about 20x20 around the centre; labels 0 to 9 at random. They need no file and no network. Each image
/// depends on `seed` and its number alone and is the same on every machine; other seeds give other images, so
/// a training and a test set differ by their seeds. kInvalidArgument when count is not positive,
/// kResourceExhausted when it does not fit in memory (784 bytes each).
Result<std::unique_ptr<Dataset>> make_synthetic_digits(std::int64_t count, std::uint64_t seed,
                                                       Transform transform = mnist_transform());

}  // namespace zeropoint::toolchain

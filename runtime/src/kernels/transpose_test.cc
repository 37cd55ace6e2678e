#include "kernels/transpose.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace zeropoint::kernels {
namespace {

TEST(Transpose, PutsEachByteInItsPlaceAndNoOther) {
  std::mt19937 random(1);
  for (std::int64_t rows : {1, 2, 15, 16, 17, 33}) {
    for (std::int64_t columns : {1, 3, 16, 31, 32, 50}) {
      for (std::uint8_t shift : std::vector<std::uint8_t>{0, 128}) {
        std::ptrdiff_t in_step = columns + 3;
        std::ptrdiff_t out_step = rows + 5;
        std::vector<std::uint8_t> in(static_cast<std::size_t>(rows * in_step));
        for (std::uint8_t& byte : in) {
          byte = static_cast<std::uint8_t>(random() & 255U);
        }
        std::vector<std::uint8_t> out(static_cast<std::size_t>(columns * out_step), 7);
        std::vector<std::uint8_t> expected = out;
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t c = 0; c < columns; ++c) {
            expected[static_cast<std::size_t>(c * out_step + r)] =
                static_cast<std::uint8_t>(in[static_cast<std::size_t>(r * in_step + c)] + shift);
          }
        }
        transpose_bytes(in.data(), in_step, out.data(), out_step, rows, columns, shift);
        ASSERT_EQ(out, expected) << rows << " x " << columns;
      }
    }
  }
}

}  // namespace
}  // namespace zeropoint::kernels

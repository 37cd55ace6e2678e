#include "operators/call_for_tests.h"

namespace zeropoint::operators {
namespace {

Tensor einsum_of(const std::string& equation, const Inputs& inputs) {
  return first(Op::kEinsum, inputs, {{"equation", equation}});
}

std::string einsum_refusal(const std::string& equation, const Inputs& inputs) {
  return refusal(Op::kEinsum, inputs, {{"equation", equation}});
}

const Tensor kA = floats({2, 3}, {1, 2, 3, 4, 5, 6});
const Tensor kB = floats({3, 2}, {1, 0, 0, 1, 1, 1});

TEST(Einsum, OneOperand) {
  EXPECT_EQ(einsum_of("ij->ji", {kA}), floats({3, 2}, {1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(einsum_of("ji", {kA}), floats({3, 2}, {1, 4, 2, 5, 3, 6}));  // alphabetic without an arrow
  EXPECT_EQ(einsum_of("ij->i", {kA}), floats({2}, {6, 15}));
  EXPECT_EQ(einsum_of("ij->", {kA}), floats({}, {21}));
  EXPECT_EQ(einsum_of("ii->i", {floats({2, 2}, {1, 2, 3, 4})}), floats({2}, {1, 4}));
  EXPECT_EQ(einsum_of("ii", {floats({2, 2}, {1, 2, 3, 4})}), floats({}, {5}));
  EXPECT_EQ(einsum_of("...j->...", {kA}), floats({2}, {6, 15}));
}

TEST(Einsum, TwoOperands) {
  EXPECT_EQ(einsum_of("ij,jk->ik", {kA, kB}), floats({2, 2}, {4, 5, 10, 11}));
  EXPECT_EQ(einsum_of("ij, jk", {kA, kB}), floats({2, 2}, {4, 5, 10, 11}));
  EXPECT_EQ(einsum_of("ij,jk->ki", {kA, kB}), floats({2, 2}, {4, 10, 5, 11}));
  EXPECT_EQ(einsum_of("i,i->", {longs({2}, {1, 2}), longs({2}, {3, 4})}), longs({}, {11}));
  EXPECT_EQ(einsum_of("i,j->ij", {longs({2}, {1, 2}), longs({2}, {3, 4})}), longs({2, 2}, {3, 4, 6, 8}));
  EXPECT_EQ(einsum_of("ij,kl->i", {kA, kB}), floats({2}, {6 * 4, 15 * 4}));
}

TEST(Einsum, EllipsesBroadcast) {
  Tensor batch = floats({2, 1, 2}, {1, 2, 3, 4});
  EXPECT_EQ(einsum_of("...ij,...jk->...ik", {batch, floats({2, 1}, {1, 1})}), floats({2, 1, 1}, {3, 7}));
  EXPECT_EQ(einsum_of("...i,i...->...", {floats({2, 2}, {1, 2, 3, 4}), floats({2, 1}, {1, 1})}),
            floats({2}, {3, 7}));
}

TEST(Einsum, ThreeOperands) {
  Tensor x = floats({2}, {1, 2});
  // x^T A y by hand: rows of A times [1, 1, 2] are 9 and 21.
  EXPECT_EQ(einsum_of("i,ij,j->", {x, kA, floats({3}, {1, 1, 2})}), floats({}, {9 + 2 * 21}));
  EXPECT_EQ(einsum_of("i,i,i->i", {x, x, x}), floats({2}, {1, 8}));
}

TEST(Einsum, RefusesWhatDoesNotFit) {
  for (const char* equation :
       {"ij,jk", "i->i", "ij->ik", "ij->ii", "i.j->i", "ij->i->j", "...i...->i", "i1->i", "...ij->i,"}) {
    EXPECT_NE(einsum_refusal(equation, {kA}), "") << equation;
  }
  EXPECT_NE(einsum_refusal("ij,ij->ij", {kA, kB}), "");
  EXPECT_NE(einsum_refusal("...->", {kA}), "");  // an ellipsis is not summed over
  EXPECT_EQ(einsum_of("ij,ij->ij", {floats({0, 2}, {}), floats({0, 2}, {})}), floats({0, 2}, {}));
}

}  // namespace
}  // namespace zeropoint::operators

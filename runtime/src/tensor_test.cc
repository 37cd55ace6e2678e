#include "zeropoint/tensor.h"

#include <gtest/gtest.h>

#include <new>

namespace zeropoint {
namespace {

TEST(Tensor, IsZeroAndAlignedWhenMade) {
  Tensor tensor(ElementType::kInt32, {3, 5});
  EXPECT_EQ(tensor.size(), 15);
  EXPECT_EQ(tensor.byte_size(), 60u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes()) % 64, 0u);
  for (std::int32_t value : tensor.data<std::int32_t>()) {
    EXPECT_EQ(value, 0);
  }
}

TEST(Tensor, CopiesAreDeep) {
  Tensor a = Tensor::of<float>({2}, {1, 2});
  Tensor b = a;
  b.data<float>()[0] = 7;
  EXPECT_EQ(a.data<float>()[0], 1);
  EXPECT_FALSE(a == b);
  a = b;
  EXPECT_TRUE(a == b);
}

TEST(Tensor, ScalarAndEmptyShapes) {
  EXPECT_EQ(Tensor(ElementType::kFloat32, {}).size(), 1);
  EXPECT_EQ(Tensor(ElementType::kFloat32, {0, 4}).size(), 0);
}

TEST(Tensor, RefusesShapesBeyondMemory) {
  EXPECT_FALSE(element_count({1, -1}).ok());
  EXPECT_FALSE(element_count({std::int64_t{1} << 40, std::int64_t{1} << 40}).ok());
  EXPECT_THROW(Tensor(ElementType::kFloat32, {std::int64_t{1} << 40, std::int64_t{1} << 40}), std::bad_alloc);
  EXPECT_THROW(Tensor(ElementType::kFloat32, {std::int64_t{1} << 62}), std::bad_alloc);
}

}  // namespace
}  // namespace zeropoint

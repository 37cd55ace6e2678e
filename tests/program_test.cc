#include <gtest/gtest.h>

#include <cstdlib>

TEST(Program, Starts) { EXPECT_EQ(std::system(ZP_PROGRAM), 0); }

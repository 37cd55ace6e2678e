#pragma once

// The real LeNet and the real MNIST, for tests that measure. They skip where there is no data.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "zeropoint/program.h"
#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/calibrate.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/mnist.h"
#include "zeropoint/toolchain/parameter.h"
#include "zeropoint/toolchain/quantize.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {

template <typename T>
T expect_ok(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.status().message();
    std::abort();  // without the value no test can go on
  }
  return *std::move(result);
}

class LeNet : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("ZEROPOINT_DATA");
    if (folder == nullptr || *folder == '\0') {
      GTEST_SKIP() << "ZEROPOINT_DATA names no folder with lenet/model.pt and mnist/";
    }
    graph_ = expect_ok(make_architecture("lenet"));
    Status loaded =
        load_parameters(graph_, expect_ok(read_state_dict(std::string(folder) + "/lenet/model.pt")));
    ASSERT_TRUE(loaded.ok()) << loaded.message();
    train_ = expect_ok(load_mnist(folder, Split::kTrain));
    test_ = expect_ok(load_mnist(folder, Split::kTest));
  }

  /// Quantized by `recipe`, with ranges from the first 256 training images.
  [[nodiscard]] Graph quantized(const Recipe& recipe) const {
    RangeTable ranges = expect_ok(calibrate(graph_, expect_ok(first_samples(train_, 256))));
    return expect_ok(apply_plan(graph_, expect_ok(make_plan(graph_, ranges, recipe))));
  }

  Graph graph_;
  std::shared_ptr<const Dataset> train_;
  std::shared_ptr<const Dataset> test_;
};

}  // namespace zeropoint::toolchain

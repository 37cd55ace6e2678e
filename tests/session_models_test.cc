// Real quantized models in sessions: the bits of the reference interpreter on every instruction set and with
// any number of threads, and no allocation while they run.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <random>

#include "lenet_for_test.h"
#include "zeropoint/reference.h"
#include "zeropoint/session.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/onnx.h"

namespace {

std::atomic<std::int64_t> allocations = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(bytes)
                     : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

}  // namespace

// All of the test program's allocations pass here.
[[gnu::noinline]] void* operator new(std::size_t bytes) { return counted(bytes, 1); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/,
                                       std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}

namespace zeropoint::toolchain {
namespace {

class SessionModels : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("ZEROPOINT_DATA");
    if (folder == nullptr || *folder == '\0') {
      GTEST_SKIP() << "ZEROPOINT_DATA names no folder with models_quantized_by_ort/";
    }
    Graph graph = expect_ok(read_onnx(std::string(folder) + "/models_quantized_by_ort/" + GetParam()));
    program_ = std::make_shared<const Program>(expect_ok(lower(graph, RequantizeMode::kFloat)).program);
  }

  [[nodiscard]] Tensor random_input(std::int64_t batch) const {
    const TensorInfo& info = program_->tensor(program_->inputs[0]);
    Shape shape = *info.shape;
    shape[0] = shape[0] == kOpenExtent ? batch : shape[0];
    Tensor input(info.type, shape);
    std::mt19937 rng(1);
    for (float& element : input.data<float>()) {
      element = std::normal_distribution<float>(0, 2)(rng);
    }
    return input;
  }

  std::shared_ptr<const Program> program_;
};

TEST_P(SessionModels, EveryPathAndTeamGivesTheBitsOfTheReference) {
  Tensor input = random_input(3);
  std::vector<Tensor> expected = expect_ok(run_reference(*program_, std::span(&input, 1)));
  for (Isa isa : all_isas()) {
    if (!is_compiled(isa) || !is_supported(isa)) {
      continue;
    }
    for (int threads : {1, 2, 5}) {
      Session session = expect_ok(Session::create(program_, {.threads = threads, .isa = isa}));
      EXPECT_EQ(expect_ok(session.run(std::span(&input, 1))), expected)
          << name_of(isa) << ", threads " << threads;
    }
  }
}

TEST_P(SessionModels, RunsWithoutAllocating) {
  Tensor input = random_input(1);
  for (int threads : {1, 2}) {
    Session session = expect_ok(Session::create(program_, {.threads = threads}));
    std::vector<Tensor> outputs = expect_ok(session.run(std::span(&input, 1)));
    std::span<const std::byte> from(input.bytes(), input.byte_size());
    std::span<std::byte> to(outputs[0].bytes(), outputs[0].byte_size());
    std::int64_t before = allocations;
    Status status = session.run(std::span(&from, 1), std::span(&to, 1));
    std::int64_t after = allocations;
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(after - before, 0) << "threads " << threads;
    for (const StepProfile& step : session.profile()) {
      EXPECT_NE(step.kernel, "reference") << step.operation;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SessionModels,
                         testing::Values("lenet_int8_pc_qop_u8.onnx", "dscnn_a.onnx", "resnet20_b.onnx",
                                         "resnet20_q.onnx"),
                         [](const testing::TestParamInfo<const char*>& model) {
                           std::string name = model.param;
                           return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace zeropoint::toolchain

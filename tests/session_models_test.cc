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
#include "zeropoint/toolchain/array_dataset.h"
#include "zeropoint/toolchain/array_source.h"
#include "zeropoint/toolchain/lower.h"
#include "zeropoint/toolchain/onnx.h"
#include "zeropoint/toolchain/quantize_network.h"
#include "zeropoint/toolchain/recipe.h"

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

/// A model of $ZEROPOINT_DATA, as it is or quantized here by a recipe.
struct Model {
  const char* name;
  const char* path;
  const char* recipe;  ///< none: as it is
};

std::ostream& operator<<(std::ostream& out, const Model& model) { return out << model.name; }

constexpr Model kModels[] = {
    {"LenetInt8", "models_quantized_by_ort/lenet_int8_pc_qop_u8.onnx", nullptr},
    {"DscnnInt8", "models_quantized_by_ort/dscnn_a.onnx", nullptr},
    {"Resnet20Int8", "models_quantized_by_ort/resnet20_b.onnx", nullptr},
    {"Resnet20QOperator", "models_quantized_by_ort/resnet20_q.onnx", nullptr},
    {"Dscnn", "models/dscnn_kws.onnx", nullptr},
    {"Resnet20", "models/resnet20_cifar10.onnx", nullptr},
    {"Mobilenet", "models/mobilenetv1_0.25.onnx", nullptr},
    {"Squeezenet", "models/squeezenet1.1.onnx", nullptr},
    {"Stories", "models/stories260k_seq128.onnx", nullptr},
    {"StoriesInt8With16BitParts", "models/stories260k_seq128.onnx", "static_w8a8"},
    {"StoriesDynamic", "models/stories260k_seq128.onnx", "dynamic_w8a8"},
    {"StoriesWeightsOf4Bits", "models/stories260k_seq128.onnx", "weight_only_w4"},
    {"StoriesWeightsOf8Bits", "models/stories260k_seq128.onnx", "weight_only_w8"},
};

class SessionModels : public testing::TestWithParam<Model> {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("ZEROPOINT_DATA");
    if (folder == nullptr || *folder == '\0') {
      GTEST_SKIP() << "ZEROPOINT_DATA names no folder with models/ and models_quantized_by_ort/";
    }
    Graph graph = expect_ok(read_onnx(std::string(folder) + "/" + GetParam().path));
    if (GetParam().recipe == nullptr) {
      program_ = std::make_shared<const Program>(expect_ok(lower(graph, RequantizeMode::kFloat)).program);
    } else {
      program_ = quantized(graph, folder);
    }
  }

  /// By two windows of tokens.
  [[nodiscard]] static std::shared_ptr<const Program> quantized(const Graph& graph,
                                                                const std::string& folder) {
    Evidence evidence;
    Graph prepared = expect_ok(prepare_network(graph)).graph;
    TokenOptions options;
    options.window = 128;
    std::shared_ptr<const ArraySource> text =
        expect_ok(open_npy(folder + "/stories260k/calibration_tokens.npy"));
    evidence.data = {expect_ok(first_samples(expect_ok(token_dataset(text, options)), 2))};
    evidence.statistics = expect_ok(gather_statistics(prepared, evidence.data));
    NetworkQuantizer quantizer(std::move(prepared), std::move(evidence));
    QuantizedNetwork network = expect_ok(quantizer.quantize(expect_ok(base_recipe(GetParam().recipe))));
    return std::make_shared<const Program>(std::move(network.lowering.program));
  }

  [[nodiscard]] Tensor random_input(std::int64_t batch) const {
    const TensorInfo& info = program_->tensor(program_->inputs[0]);
    Shape shape = *info.shape;
    shape[0] = shape[0] == kOpenExtent ? batch : shape[0];
    Tensor input(info.type, shape);
    std::mt19937 rng(1);
    if (info.type == ElementType::kInt64) {
      for (std::int64_t& token : input.data<std::int64_t>()) {
        token = std::uniform_int_distribution<std::int64_t>(0, 511)(rng);
      }
      return input;
    }
    for (float& element : input.data<float>()) {
      element = std::normal_distribution<float>(0, 2)(rng);
    }
    return input;
  }

  std::shared_ptr<const Program> program_;
};

TEST_P(SessionModels, EveryPathAndTeamGivesTheBitsOfTheReference) {
  Tensor input = random_input(GetParam().path == std::string("models/squeezenet1.1.onnx") ? 1 : 3);
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

INSTANTIATE_TEST_SUITE_P(Models, SessionModels, testing::ValuesIn(kModels),
                         [](const testing::TestParamInfo<Model>& model) {
                           return std::string(model.param.name);
                         });

}  // namespace
}  // namespace zeropoint::toolchain

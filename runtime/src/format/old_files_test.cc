// Files of every version of the format load, and compute what they did when they were written. They are never
// written again: a new version gets a folder of its own.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "format/program_of_all_kinds_for_test.h"
#include "format/same_program_for_test.h"
#include "zeropoint/program_file.h"
#include "zeropoint/session.h"

namespace zeropoint {
namespace {

/// Of what they computed then.
constexpr std::uint64_t kAllKinds = 2567387038315432450U;
constexpr std::uint64_t kLeNet = 16767989601234443827U;

std::shared_ptr<const Program> load(const std::string& file) {
  Result<std::shared_ptr<const Program>> program = load_program(ZP_SOURCE_DIR "/tests/formats/" + file);
  EXPECT_TRUE(program.ok()) << program.status().message();
  return program.ok() ? *program : nullptr;
}

/// FNV-1a, 64 bits, of types, shapes and elements.
std::uint64_t checksum(const std::vector<Tensor>& tensors) {
  std::uint64_t hash = 14695981039346656037U;
  auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 1099511628211U; };
  for (const Tensor& tensor : tensors) {
    add(static_cast<std::uint64_t>(tensor.type()));
    for (std::int64_t extent : tensor.shape()) {
      add(static_cast<std::uint64_t>(extent));
    }
    for (std::size_t i = 0; i < tensor.byte_size(); ++i) {
      add(std::to_integer<std::uint64_t>(tensor.bytes()[i]));
    }
  }
  return hash;
}

std::uint64_t checksum_of_run(const std::shared_ptr<const Program>& program, const Tensor& input) {
  Result<Session> session = Session::create(program);
  EXPECT_TRUE(session.ok()) << session.status().message();
  Result<std::vector<Tensor>> outputs = session->run(std::span(&input, 1));
  EXPECT_TRUE(outputs.ok()) << outputs.status().message();
  return outputs.ok() ? checksum(*outputs) : 0;
}

/// Digits of noise.
Tensor noise(Shape shape) {
  testing_programs::Sequence numbers;
  Tensor tensor(ElementType::kFloat32, std::move(shape));
  for (float& element : tensor.data<float>()) {
    element = static_cast<float>(numbers.next(-400, 2800)) / 1000;
  }
  return tensor;
}

TEST(OldFiles, Version1WithEveryKindOfOperation) {
  std::shared_ptr<const Program> program = load("v1/all_kinds.zpm");
  ASSERT_NE(program, nullptr);
  EXPECT_TRUE(testing_programs::same_programs(*program, testing_programs::program_of_all_kinds()));
  EXPECT_EQ(checksum_of_run(program, testing_programs::images_for_all_kinds(3)), kAllKinds);
}

TEST(OldFiles, Version1WithALeNetOf4BitWeights) {
  std::shared_ptr<const Program> program = load("v1/lenet.int4.zpm");
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(checksum_of_run(program, noise({5, 1, 28, 28})), kLeNet);
}

}  // namespace
}  // namespace zeropoint

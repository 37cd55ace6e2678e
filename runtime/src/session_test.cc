// What sessions refuse, and how they follow the shapes they are given. That they compute the reference's bits
// is tested on random graphs and real models.

#include "zeropoint/session.h"

#include <gtest/gtest.h>
#if defined(__linux__)
#include <sys/mman.h>
#include <sys/resource.h>
#endif

#include <cstdio>
#include <cstdlib>

#include "reference/programs_for_test.h"

namespace zeropoint {
namespace {

using namespace testing_programs;

/// A fully connected layer of `depth` to 3.
std::shared_ptr<const Program> layer_program(std::int64_t depth, Rng& rng) {
  RandomLayer random = random_layer(ElementType::kInt8, {3, depth}, 0, rng);
  random.layer.requantization = random_requantization(ElementType::kUint8, 3, 10000, false, rng);
  return std::make_shared<const Program>(program_of(FullyConnectedOp{0, 1, random.layer},
                                                    batched("x", ElementType::kUint8, {depth}),
                                                    batched("y", ElementType::kUint8, {3})));
}

TEST(Session, FollowsTheBatchItIsGiven) {
  Rng rng(1);
  std::shared_ptr<const Program> program = layer_program(5, rng);
  Result<Session> session = Session::create(program);
  ASSERT_TRUE(session.ok()) << session.status().message();
  EXPECT_EQ(session->output_shape(0), std::nullopt);
  for (std::int64_t batch : {1, 7, 2, 7, 0, 3}) {
    Tensor input = random_integers(ElementType::kUint8, {batch, 5}, rng);
    Result<std::vector<Tensor>> expected = run_reference(*program, std::span(&input, 1));
    Result<std::vector<Tensor>> actual = session->run(std::span(&input, 1));
    ASSERT_TRUE(actual.ok()) << actual.status().message();
    EXPECT_EQ(*actual, *expected);
    EXPECT_EQ(session->output_shape(0), (Shape{batch, 3}));
  }
}

TEST(Session, RefusesWhatDoesNotFit) {
  Rng rng(2);
  std::shared_ptr<const Program> program = layer_program(5, rng);
  Session session = *Session::create(program);
  std::vector<std::byte> in(10);
  std::vector<std::byte> out(6);
  std::span<const std::byte> from(in);
  std::span<std::byte> to(out);
  auto run = [&] { return session.run(std::span(&from, 1), std::span(&to, 1)); };
  EXPECT_EQ(run().code(), StatusCode::kInvalidArgument);  // not prepared
  Shape wrong{2, 6};
  EXPECT_EQ(session.prepare(std::span(&wrong, 1)).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(session.prepare({}).code(), StatusCode::kInvalidArgument);
  Shape right{2, 5};
  ASSERT_TRUE(session.prepare(std::span(&right, 1)).ok());
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(session.prepare(std::span(&wrong, 1)).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(run().ok());  // still prepared for the shapes before
  from = std::span<const std::byte>(in).first(9);
  EXPECT_EQ(run().message(), "'x' has 10 bytes, not 9");
  from = std::span<const std::byte>(in);
  to = std::span<std::byte>(out).first(5);
  EXPECT_EQ(run().message(), "'y' has 6 bytes, not 5");
  Session sums = *Session::create(std::make_shared<const Program>(
      program_of(DequantizeOp{0, 1, {{1.0F}, 0, 1}}, batched("x", ElementType::kInt8, {}),
                 batched("y", ElementType::kFloat32, {}))));
  Shape four{4};
  ASSERT_TRUE(sums.prepare(std::span(&four, 1)).ok());
  alignas(4) std::byte odd[17];
  from = std::span<const std::byte>(in).first(4);
  to = std::span(odd).subspan(1);
  EXPECT_EQ(sums.run(std::span(&from, 1), std::span(&to, 1)).message(),
            "the memory of 'y' must begin at a multiple of 4 bytes");
  to = std::span(odd).first(16);
  EXPECT_TRUE(sums.run(std::span(&from, 1), std::span(&to, 1)).ok());
  Tensor floats(ElementType::kFloat32, {2, 5});
  EXPECT_EQ(session.run(std::span(&floats, 1)).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Session::create(program, {.threads = -1}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Session::create(program, {.threads = 1025}).status().message(),
            "a session has 0 (one per core) to 1024 threads, not 1025");
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ZP_LIMITS_ADDRESS_SPACE 1  // sanitizers do not bear it
/// Whether a limit of the address space is kept here; emulators of other machines take it and do not.
bool address_space_is_limited() {
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  constexpr std::size_t kLimit = std::size_t{1} << 30;
  rlimit limit{kLimit, before.rlim_max};
  setrlimit(RLIMIT_AS, &limit);
  void* memory = mmap(nullptr, 2 * kLimit, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  setrlimit(RLIMIT_AS, &before);
  if (memory != MAP_FAILED) {
    munmap(memory, 2 * kLimit);
  }
  return memory == MAP_FAILED;
}
#endif

// In a process of its own, since it is left without memory for threads' stacks.
TEST(Session, SaysThatThereAreNoMoreThreads) {
#if !defined(ZP_LIMITS_ADDRESS_SPACE)
  GTEST_SKIP() << "needs a limit of the address space, which sanitizers do not bear";
#else
  if (!address_space_is_limited()) {
    GTEST_SKIP() << "the address space is not limited here";
  }
  Rng rng(4);
  std::shared_ptr<const Program> program = layer_program(5, rng);
  auto create = [&] {
    rlimit limit{std::size_t{1} << 30, std::size_t{1} << 30};
    setrlimit(RLIMIT_AS, &limit);
    Result<Session> session = Session::create(program, {.threads = 1000});
    std::fputs(session.status().message().c_str(), stderr);
    std::exit(session.status().code() == StatusCode::kResourceExhausted ? 0 : 1);
  };
  EXPECT_EXIT(create(), testing::ExitedWithCode(0),
              "program 'one' cannot have so many threads; ask for fewer");
#endif
}

TEST(Session, RefusesAProgramThatIsNone) {
  Program program;
  program.name = "wrong";
  program.outputs = {3};
  EXPECT_EQ(Session::create(std::make_shared<const Program>(program)).status().code(),
            StatusCode::kInvalidArgument);
}

/// Programs of one operator on int8 [2], with constants of int64: little in a file, and much at run time.
std::shared_ptr<const Program> one_operator(Op op, const std::vector<std::int64_t>& constant,
                                            bool reads_input) {
  Program program;
  program.name = "greedy";
  program.tensors = {
      {"x", ElementType::kInt8, Shape{2}, nullptr},
      {"k", ElementType::kInt64, Shape{std::ssize(constant)},
       std::make_shared<const Tensor>(Tensor::of<std::int64_t>({std::ssize(constant)}, constant))},
      {"y", op == Op::kConstantOfShape ? ElementType::kFloat32 : ElementType::kInt8, std::nullopt, nullptr}};
  program.operations = {
      EvaluateOp{op, {}, reads_input ? std::vector<TensorId>{0, 1} : std::vector<TensorId>{1}, {2}}};
  program.inputs = {0};
  program.outputs = {2};
  return std::make_shared<const Program>(program);
}

TEST(Session, AsksForNoMoreMemoryThanItMay) {
  constexpr std::int64_t kMuch = std::int64_t{1} << 38;
  Tensor input(ElementType::kInt8, {2});
  for (std::size_t limit : {std::size_t{0}, std::size_t{1} << 20}) {
    for (const std::shared_ptr<const Program>& program :
         {one_operator(Op::kTile, {kMuch}, true), one_operator(Op::kExpand, {kMuch, 2}, true),
          one_operator(Op::kConstantOfShape, {kMuch}, false)}) {
      Result<Session> session = Session::create(program, {.memory_limit = limit});
      ASSERT_TRUE(session.ok()) << session.status().message();
      EXPECT_EQ(session->run(std::span(&input, 1)).status().code(), StatusCode::kResourceExhausted);
    }
  }
  Result<Session> session = Session::create(one_operator(Op::kTile, {1000}, true), {.memory_limit = 1999});
  Result<std::vector<Tensor>> refused = session->run(std::span(&input, 1));
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_NE(refused.status().message().find("memory_limit"), std::string::npos) << refused.status().message();
  session = Session::create(one_operator(Op::kTile, {1000}, true), {.memory_limit = 4000});
  EXPECT_TRUE(session->run(std::span(&input, 1)).ok());
}

TEST(Session, ReportsItsStepsAndMemory) {
  Rng rng(3);
  Session session = *Session::create(layer_program(64, rng), {.profile = true});
  Tensor input = random_integers(ElementType::kUint8, {4, 64}, rng);
  ASSERT_TRUE(session.run(std::span(&input, 1)).ok());
  ASSERT_TRUE(session.run(std::span(&input, 1)).ok());
  std::int64_t multiply_adds = 0;
  for (const StepProfile& step : session.profile()) {
    EXPECT_EQ(step.runs, 2);
    EXPECT_FALSE(step.kernel.empty());
    multiply_adds += step.multiply_adds;
  }
  EXPECT_EQ(multiply_adds, 4 * 64 * 3);
  EXPECT_GE(session.memory().activations, session.memory().activations_least);
  EXPECT_GT(session.memory().weights, 3 * 64);
}

}  // namespace
}  // namespace zeropoint

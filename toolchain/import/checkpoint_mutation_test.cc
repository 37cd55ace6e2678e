#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <random>

#include "export/pickle_writer.h"
#include "import/checkpoint_for_tests.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::uint32_t kSeed = 20240501;
constexpr int kMutants = 20000;

CheckpointValue example() {
  CheckpointDict parameters;
  for (ElementType type : {ElementType::kFloat32, ElementType::kBool, ElementType::kInt64}) {
    parameters.entries.push_back({std::string(name_of(type)), {Tensor(type, {2, 3})}});
  }
  CheckpointSequence steps{{{std::int64_t{1}}, {0.5}, {std::string("x")}, {true}, {}}, true};
  return {CheckpointDict{{{"model", {parameters}}, {std::int64_t{7}, {steps}}}}};
}

/// One random change: a bit flipped, a byte replaced, a run overwritten with an extreme, a cut, a repetition.
std::string mutate(std::string file, std::mt19937& random) {
  std::size_t at = random() % file.size();
  std::size_t run = std::min<std::size_t>(file.size() - at, std::size_t{1} << random() % 4);
  switch (random() % 5) {
    case 0:
      file[at] = static_cast<char>(file[at] ^ (1 << random() % 8));
      break;
    case 1:
      file[at] = static_cast<char>(random());
      break;
    case 2:
      file.replace(at, run, run, random() % 2 == 0 ? '\xff' : '\0');
      break;
    case 3:
      file.resize(at);
      break;
    default:
      file.insert(at, file.substr(random() % file.size(), run));
      break;
  }
  return file;
}

/// Reads `kMutants` mutants that `build` makes, and prints how they ended. What counts is that each ends.
template <typename Build>
void read_mutants(const char* kind, Build&& build) {
  std::mt19937 random(kSeed);
  std::map<StatusCode, int> outcomes;
  for (int i = 0; i < kMutants; ++i) {
    std::string file = build(random);
    Result<CheckpointValue> value = read_checkpoint(testing_files::bytes_of(file), "mutant");
    Status status = value.status();
    ++outcomes[status.code()];
    if (!status.ok()) {
      ASSERT_TRUE(status.message().starts_with("mutant: ")) << status.message();
    }
    ASSERT_NE(status.code(), StatusCode::kInternal)
        << "seed " << kSeed << ", mutant " << i << ": " << status.message();
  }
  std::printf("%d mutants of %s, seed %u: %d read, %d corrupt, %d unsupported, %d over a limit\n", kMutants,
              kind, kSeed, outcomes[StatusCode::kOk], outcomes[StatusCode::kCorrupt],
              outcomes[StatusCode::kUnsupported], outcomes[StatusCode::kResourceExhausted]);
}

TEST(CheckpointMutation, OfTheFile) {
  std::string path = temporary_path_for_test("mutation.pt");
  ASSERT_TRUE(write_checkpoint(path, example()).ok());
  Result<std::vector<std::byte>> content = read_file(path);
  ASSERT_TRUE(content.ok());
  std::remove(path.c_str());
  std::string file(reinterpret_cast<const char*>(content->data()), content->size());
  read_mutants("the file", [&](std::mt19937& random) { return mutate(file, random); });
}

/// Checksums would stop nearly every mutant at the zip; here the zip is right and the pickle wrong.
TEST(CheckpointMutation, OfThePickle) {
  CheckpointValue value = example();
  PickleWriter writer;
  ASSERT_TRUE(writer.write(value).ok());
  std::string pickle = writer.finish();
  read_mutants("the pickle", [&](std::mt19937& random) {
    std::string mutant = mutate(pickle, random);
    std::vector<testing_files::ZipRecord> records = {{.name = "m/data.pkl", .content = mutant}};
    for (int i = 0; i < 3; ++i) {
      records.push_back({.name = "m/data/" + std::to_string(i), .content = std::string(48, '\0')});
    }
    return testing_files::zip_of(records);
  });
}

}  // namespace
}  // namespace zeropoint::toolchain

// The checkpoint reader as a whole, on what may or may not be a zip archive. Checksums stop most mutants at
// the records' contents, so this digs in the archive's structure; pickle_fuzz.cc digs in the contents.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "import/checkpoint_for_tests.h"
#include "zeropoint/toolchain/state_dict.h"

using namespace zeropoint::toolchain;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// Starts from a good archive: nothing else finds the first one.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int /*seed*/) {
  if (size < 22) {
    const std::string good = testing_files::checkpoint_of(testing_files::state_dict_of({}));
    size = std::min(max_size, good.size());
    std::memcpy(data, good.data(), size);
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)read_checkpoint({reinterpret_cast<const std::byte*>(data), size}, "fuzz");
  return 0;
}

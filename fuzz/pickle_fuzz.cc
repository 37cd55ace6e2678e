// The pickle machine and what is made of its objects, with storages of one fixed size under every key.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "export/pickle_writer.h"
#include "import/checkpoint_for_tests.h"
#include "import/checkpoint_values.h"
#include "import/pickle.h"

using namespace zeropoint;
using namespace zeropoint::toolchain;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// Starts from good pickles: a state dict with its memo, parameters and metadata, and nested values.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  namespace files = testing_files;
  if (size < 4) {
    std::string good = files::state_dict_of({});
    if (seed % 2 == 0) {
      good = files::protocol_2 + files::global("collections", "OrderedDict") + ")Rq\x01(" + files::text("w") +
             files::global("torch._utils", "_rebuild_parameter") + files::tensor({}) + "q\x02\x88" +
             files::global("collections", "OrderedDict") + ")R\x87R" + files::text("v") + "h\x02" +
             files::text("sizes") + files::global("torch", "Size") + files::integers({2, 3}) + "\x85R" +
             files::text("list") + "](K\x01M\x02\x03G12345678N\x89\x8c\x02hiel)\x94" + "u}" +
             files::text("_metadata") + "}sb.";
    }
    size = std::min(max_size, good.size());
    std::memcpy(data, good.data(), size);
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array<std::byte, 64> kStorage{};
  Result<Pickle> pickle = run_pickle({reinterpret_cast<const std::byte*>(data), size});
  if (!pickle.ok()) {
    return 0;
  }
  Result<CheckpointValue> value = to_checkpoint_value(
      *pickle, size, [](const std::string&) { return std::span<const std::byte>(kStorage); });
  // What was read can be written, but for strings that are not UTF-8.
  if (value.ok()) {
    PickleWriter writer;
    Status written = writer.write(*value);
    if (!written.ok() && written.message().find("UTF-8") == std::string::npos) {
      std::abort();
    }
  }
  return 0;
}

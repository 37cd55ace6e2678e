#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "network.h"
#include "zeropoint/session.h"

namespace zeropoint::cli {

enum class BenchEngine { kAuto, kRuntime, kFloat };

struct ContenderOptions {
  BenchEngine engine = BenchEngine::kAuto;
  RequantizeMode requantize = RequantizeMode::kFloat;
  int threads = 1;
  std::int64_t batch = 1;
  std::vector<std::string> shapes;  ///< "NAME=1x3x224x224"
};

/// A model made ready to be run again and again on the same inputs.
struct Contender {
  std::string path;
  std::string engine;  ///< "integers, float multiplier, avx512vnni", "float32 (oneDNN)"
  bool in_float = false;
  std::optional<Isa> isa;          ///< of the runtime
  std::int64_t samples = 1;        ///< of one run
  std::int64_t multiply_adds = 0;  ///< of one run; 0: not known
  double load_ms = 0;              ///< from the file to the first result
  SessionMemory memory;            ///< of the runtime
  std::function<Status()> run;
  /// Runs for about `seconds`, and says what each step took; nothing for models that the runtime does not
  /// run.
  std::function<Result<std::vector<StepProfile>>(double seconds)> profile;
};

/// Reads, prepares and runs a model once. Inputs are random, the same each time; integers that are no
/// quantized tensors are 0, as indices must be in range. Errors name the file, or the input whose shape is
/// not known.
Result<Contender> make_contender(const ModelOptions& model, const ContenderOptions& options);

}  // namespace zeropoint::cli

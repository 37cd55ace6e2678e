#pragma once

#include <CLI/App.hpp>
#include <functional>

#include "zeropoint/status.h"

namespace zeropoint::cli {

/// What a verb does once its options are parsed.
using Action = std::function<Status()>;

// Each adds the options of one verb to its command and returns what it does.
Action add_demo(CLI::App& command);
Action add_data(CLI::App& command);
Action add_train(CLI::App& command);
Action add_eval(CLI::App& command);
Action add_run(CLI::App& command);
Action add_profile(CLI::App& command);
Action add_convert(CLI::App& command);
Action add_calibrate(CLI::App& command);
Action add_quantize(CLI::App& command);
Action add_recipe(CLI::App& command);
Action add_compile(CLI::App& command);
Action add_cpu(CLI::App& command);
Action add_bench(CLI::App& command);
Action add_inspect(CLI::App& command);
Action add_compare(CLI::App& command);
Action add_tune(CLI::App& command);

}  // namespace zeropoint::cli

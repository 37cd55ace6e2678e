#include "verbs.h"
namespace zeropoint::cli {
Action add_demo(CLI::App&) {
  return [] { return Status(); };
}
Action add_train(CLI::App&) {
  return [] { return Status(); };
}
}  // namespace zeropoint::cli

#include "plan_metadata.h"

namespace zeropoint::cli {
namespace {

constexpr const char* kKey = "zeropoint.plan";

}  // namespace

void attach_plan(toolchain::Graph& graph, const toolchain::QuantPlan& plan) {
  graph.metadata[kKey] = toolchain::to_json(plan);
}

Result<toolchain::QuantPlan> plan_of(const toolchain::Graph& graph) {
  auto found = graph.metadata.find(kKey);
  if (found == graph.metadata.end()) {
    return Status::not_found(
        "the model carries no quantization plan; only models that zeropoint quantized do");
  }
  return toolchain::plan_from_json(found->second);
}

}  // namespace zeropoint::cli

#include "zeropoint/toolchain/improved_reference.h"

#include "quantize/improvement.h"
#include "zeropoint/toolchain/quantize_network.h"

namespace zeropoint::toolchain {

Result<Graph> improved_reference(const Graph& reference, const QuantPlan& plan,
                                 std::span<const std::shared_ptr<const Dataset>> data, int threads) {
  ZP_ASSIGN_OR_RETURN(std::vector<const Improvement*> made, improvements_of(plan.improvements));
  std::erase_if(made, [](const Improvement* improvement) { return improvement->before == nullptr; });
  if (made.empty()) {
    return reference;
  }
  ZP_ASSIGN_OR_RETURN(PreparedNetwork prepared, prepare_network(reference));
  Evidence evidence;
  evidence.data.assign(data.begin(), data.end());
  evidence.calibration.threads = threads;
  for (const Improvement* improvement : made) {
    ZP_ASSIGN_OR_RETURN(evidence.statistics,
                        gather_statistics(prepared.graph, evidence.data, evidence.calibration));
    ZP_RETURN_IF_ERROR(improvement->before(prepared.graph, evidence).status());
  }
  ZP_RETURN_IF_ERROR(infer_shapes(prepared.graph));
  return std::move(prepared.graph);
}

}  // namespace zeropoint::toolchain

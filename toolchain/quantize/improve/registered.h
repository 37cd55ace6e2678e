#pragma once

#include <string>

#include "zeropoint/toolchain/quantize_network.h"

namespace zeropoint::toolchain {

// The improvements in the form in which improvement.cc lists them; what each does is said in its own header.
Result<std::string> improve_by_equalization(Graph& graph, const Evidence& evidence);
Result<std::string> improve_by_bias_absorption(Graph& graph, const Evidence& evidence);
Result<std::string> improve_by_smoothing(Graph& graph, const Evidence& evidence);
Result<std::string> improve_by_weight_scales(Graph& graph, QuantPlan& plan, const Evidence& evidence);
Result<std::string> improve_by_gptq(Graph& graph, QuantPlan& plan, const Evidence& evidence);
Result<std::string> improve_by_adaround(Graph& graph, QuantPlan& plan, const Evidence& evidence);
Result<std::string> improve_by_bias_correction(Graph& graph, QuantPlan& plan, const Evidence& evidence);
Result<std::string> improve_by_analytic_bias_correction(Graph& graph, QuantPlan& plan,
                                                        const Evidence& evidence);

}  // namespace zeropoint::toolchain

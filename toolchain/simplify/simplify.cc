#include "zeropoint/toolchain/simplify.h"

#include "simplify/fold_constants.h"
#include "simplify/graph_view.h"
#include "simplify/passes.h"

namespace zeropoint::toolchain {
namespace {

struct Pass {
  std::string_view name;
  std::size_t (*run)(Graph&);
};

/// Nodes are removed first, so that what the fusions look for stands side by side; layers take in what
/// follows them before MatMul and Add become a Gemm that a BatchNormalization may follow.
constexpr Pass kPasses[] = {
    {"remove_identities", remove_identities},
    {"cancel_pairs", cancel_pairs},
    {"fuse_layer_norm", fuse_layer_norm},
    {"fuse_gelu", fuse_gelu},
    {"fuse_activations", fuse_activations},
    {"merge_pad", merge_pad},
    {"plain_gemm", plain_gemm},
    {"matmul_to_gemm", matmul_to_gemm},
    {"fold_batch_norm", fold_batch_norm},
    {"fold_channel_arithmetic", fold_channel_arithmetic},
};

void count(std::vector<Simplification>& done, std::string_view pass, std::size_t changes) {
  if (changes == 0) {
    return;
  }
  for (Simplification& simplification : done) {
    if (simplification.pass == pass) {
      simplification.changes += changes;
      return;
    }
  }
  done.push_back({pass, changes});
}

/// How often it changed something.
Result<std::size_t> run_pass(const Pass& pass, Graph& graph) {
  std::size_t changes = pass.run(graph);
  if (changes > 0) {
    remove_dead(graph);
    ZP_RETURN_IF_ERROR(verify(graph).at(std::string(pass.name)));
    ZP_RETURN_IF_ERROR(infer_shapes(graph).at(std::string(pass.name)));
  }
  return changes;
}

/// Once all passes; how often they changed something.
Result<std::size_t> round(Graph& graph, std::vector<Simplification>& done) {
  std::size_t nodes = graph.nodes.size();
  ZP_RETURN_IF_ERROR(fold_constants(graph));
  std::size_t sum = nodes - graph.nodes.size();
  count(done, "fold_constants", sum);
  remove_dead(graph);
  for (const Pass& pass : kPasses) {
    ZP_ASSIGN_OR_RETURN(std::size_t changes, run_pass(pass, graph));
    count(done, pass.name, changes);
    sum += changes;
  }
  return sum;
}

}  // namespace

Result<std::vector<Simplification>> simplify(Graph& graph) {
  std::vector<Simplification> done;
  // A pass may make room for another. Each round that goes on leaves fewer nodes, or larger operators.
  constexpr int kMostRounds = 20;
  for (int i = 0; i < kMostRounds; ++i) {
    ZP_ASSIGN_OR_RETURN(std::size_t changes, round(graph, done));
    if (changes == 0) {
      break;
    }
  }
  return done;
}

Status fuse_spelled_out(Graph& graph) {
  // A bias joins the normalization that an earlier round made.
  for (std::size_t changes = 1; changes > 0;) {
    changes = 0;
    for (const Pass& pass : kPasses) {
      if (pass.name.starts_with("fuse_")) {
        ZP_ASSIGN_OR_RETURN(std::size_t more, run_pass(pass, graph));
        changes += more;
      }
    }
  }
  return {};
}

}  // namespace zeropoint::toolchain

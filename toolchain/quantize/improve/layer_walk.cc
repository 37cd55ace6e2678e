#include "quantize/improve/layer_walk.h"

#include <algorithm>

namespace zeropoint::toolchain {
namespace {

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

}  // namespace

LayerWalk::LayerWalk(const Graph& graph, const SampleChunks& samples, Team& team)
    : producers_(producers(graph)), consumers_(consumers(graph)), chunks_(samples.count()), team_(team) {
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    held_[graph.inputs[i]] = &samples.inputs[i];
  }
}

ValueId LayerWalk::held_for(const Graph& graph, ValueId value) const {
  std::int32_t maker = producers_[index(value)];
  bool dequantized = maker >= 0 && graph.nodes[index(maker)].op == Op::kDequantizeLinear;
  return dequantized ? graph.nodes[index(maker)].inputs[0] : value;
}

LayerWalk::Piece LayerWalk::piece_for(const Graph& graph, ValueId value) const {
  Piece piece;
  piece.done.resize(graph.nodes.size());
  std::vector<bool> wanted(graph.values.size());
  wanted[index(value)] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    bool makes = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId output) {
      return output != kNoValue && wanted[index(output)] && held_.count(output) == 0;
    });
    if (makes) {
      piece.done[i] = true;
      for (ValueId input : node.inputs) {
        if (input != kNoValue) {
          wanted[index(input)] = true;
        }
      }
    }
  }
  piece.graph = graph;
  piece.graph.nodes.clear();
  piece.graph.inputs.clear();
  piece.graph.outputs = {value};
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (piece.done[i]) {
      piece.graph.nodes.push_back(graph.nodes[i]);
    }
  }
  for (const auto& [id, chunks] : held_) {
    if (wanted[index(id)]) {
      piece.graph.inputs.push_back(id);
      piece.inputs.push_back(chunks);
    }
  }
  return piece;
}

Status LayerWalk::observe(const Graph& graph, ValueId value, const SeeChunk& see) {
  Piece piece = piece_for(graph, value);
  return run_chunks(piece.graph, piece.inputs, {value}, team_, see);
}

Status LayerWalk::advance(const Graph& graph, ValueId value) {
  Piece piece = piece_for(graph, held_for(graph, value));
  // What the piece computes on the way, and others read, is held too, so that they need not compute it again.
  std::vector<ValueId> kept;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (ValueId output : graph.nodes[i].outputs) {
      if (!piece.done[i] || output == kNoValue) {
        continue;
      }
      const std::vector<std::int32_t>& readers = consumers_[index(output)];
      bool read_later = std::any_of(readers.begin(), readers.end(),
                                    [&](std::int32_t reader) { return !piece.done[index(reader)]; });
      ValueId held = held_for(graph, output);
      if ((read_later || output == piece.graph.outputs[0]) && held_.count(held) == 0 &&
          graph.value(held).constant == nullptr && std::count(kept.begin(), kept.end(), held) == 0) {
        kept.push_back(held);
      }
    }
  }
  if (kept.empty()) {
    return {};
  }
  piece.graph.outputs = kept;
  std::map<ValueId, std::vector<Tensor>> made;
  for (ValueId id : kept) {
    made[id].resize(chunks_);
  }
  ZP_RETURN_IF_ERROR(run_chunks(piece.graph, piece.inputs, kept, team_,
                                [&](std::size_t chunk, ValueId id, const Tensor& tensor) {
                                  made.at(id)[chunk] = tensor;
                                  return Status();
                                }));
  for (auto& [id, chunks] : made) {
    held_[id] = &(computed_[id] = std::move(chunks));
  }
  forget(graph);
  return {};
}

void LayerWalk::forget(const Graph& graph) {
  // A held value is read again where a path leads from it to an output without passing another one.
  std::vector<bool> wanted(graph.values.size());
  for (ValueId output : graph.outputs) {
    wanted[index(output)] = true;
  }
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    bool makes = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId output) {
      return output != kNoValue && wanted[index(output)] && held_.count(output) == 0;
    });
    for (ValueId input : node.inputs) {
      if (makes && input != kNoValue) {
        wanted[index(input)] = true;
      }
    }
  }
  std::erase_if(held_, [&](const auto& item) { return !wanted[index(item.first)]; });
  std::erase_if(computed_, [&](const auto& item) { return held_.count(item.first) == 0; });
}

}  // namespace zeropoint::toolchain

// The ONNX reader and what rewrites a graph, on models whose messages are changed field by field: nodes,
// attributes, shapes, types and names, which changes of bytes seldom reach.
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "compile/qdq_network_for_test.h"
#include "compile/random_networks_for_test.h"
#include "zeropoint/toolchain/onnx.h"
#include "zeropoint/toolchain/qdq.h"

using namespace zeropoint;
using namespace zeropoint::toolchain;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using Random = std::minstd_rand;

/// Models that read: the one with all layers, and small random ones in float, QDQ and QOperator form.
std::string good_model(Random& random) {
  Graph graph = qdq::network();
  unsigned form = random() % 4;
  if (form != 0) {
    Result<random_networks::Quantized> network = random_networks::random_quantized(random() % 97);
    graph = form == 1 ? network->real : network->graph;
  }
  (void)infer_shapes(graph);
  Result<Graph> integers = form == 3 ? to_qoperator(graph) : graph;
  return *to_onnx(integers.ok() ? *integers : graph);
}

std::int64_t odd_number(Random& random) {
  constexpr std::int64_t kNumbers[] = {0,       1,         -1,        2,         3,         4,
                                       7,       -2,        16,        64,        255,       1000,
                                       1 << 20, 1LL << 31, 1LL << 40, INT64_MAX, INT64_MIN, INT32_MIN};
  return kNumbers[random() % std::size(kNumbers)];
}

template <typename Field>
auto* any_of(Field* field, Random& random) {
  return field->empty() ? nullptr
                        : field->Mutable(static_cast<int>(random() % static_cast<unsigned>(field->size())));
}

void change_attribute(onnx::NodeProto& node, Random& random) {
  const OpInfo& any = all_operators()[random() % all_operators().size()];
  auto known = find_op(node.op_type(), node.domain());
  const std::vector<AttributeInfo>& names = known ? info_of(*known).attributes : any.attributes;
  onnx::AttributeProto* attribute = random() % 2 == 0 ? any_of(node.mutable_attribute(), random) : nullptr;
  if (attribute == nullptr) {
    if (names.empty()) {
      return;
    }
    const AttributeInfo& info = names[random() % names.size()];
    attribute = node.add_attribute();
    attribute->set_name(std::string(info.name));
    attribute->set_type(info.kind() == AttributeKind::kInts    ? onnx::AttributeProto::INTS
                        : info.kind() == AttributeKind::kFloat ? onnx::AttributeProto::FLOAT
                                                               : onnx::AttributeProto::INT);
  }
  switch (random() % 4) {
    case 0:
      attribute->set_i(odd_number(random));
      break;
    case 1:
      attribute->add_ints(odd_number(random));
      break;
    case 2:
      if (attribute->ints_size() > 0) {
        attribute->set_ints(static_cast<int>(random() % static_cast<unsigned>(attribute->ints_size())),
                            odd_number(random));
      }
      break;
    default:
      attribute->set_f(static_cast<float>(odd_number(random)) / 3);
  }
}

void change_node(onnx::GraphProto& graph, Random& random) {
  onnx::NodeProto* node = any_of(graph.mutable_node(), random);
  if (node == nullptr) {
    return;
  }
  switch (random() % 6) {
    case 0: {
      const OpInfo& info = all_operators()[random() % all_operators().size()];
      node->set_op_type(std::string(info.name));
      node->set_domain(std::string(info.domain));
      break;
    }
    case 1:
    case 2:
      change_attribute(*node, random);
      break;
    case 3:  // read another tensor
      if (onnx::NodeProto* other = any_of(graph.mutable_node(), random); other->output_size() > 0) {
        node->add_input(other->output(0));
      }
      break;
    case 4:
      if (std::string* input = any_of(node->mutable_input(), random)) {
        onnx::TensorProto* weight = any_of(graph.mutable_initializer(), random);
        *input = weight == nullptr || random() % 4 == 0 ? "" : weight->name();
      }
      break;
    default:
      node->add_output("more" + std::to_string(random() % 9));
  }
}

void change_weight(onnx::GraphProto& graph, Random& random) {
  onnx::TensorProto* weight = any_of(graph.mutable_initializer(), random);
  if (weight == nullptr) {
    return;
  }
  switch (random() % 4) {
    case 0:
      weight->set_data_type(static_cast<int>(random() % 25));
      break;
    case 1:
      if (weight->dims_size() > 0) {
        weight->set_dims(static_cast<int>(random() % static_cast<unsigned>(weight->dims_size())),
                         odd_number(random));
      }
      break;
    case 2:  // a small list of numbers, as shapes and axes are
      weight->Clear();
      weight->set_name(
          graph.initializer(static_cast<int>(random() % static_cast<unsigned>(graph.initializer_size())))
              .name());
      weight->set_data_type(onnx::TensorProto::INT64);
      weight->add_dims(2);
      weight->add_int64_data(odd_number(random));
      weight->add_int64_data(odd_number(random));
      break;
    default:
      if (std::string* raw = weight->mutable_raw_data(); !raw->empty()) {
        (*raw)[random() % raw->size()] = static_cast<char>(random());
      }
  }
}

void change(onnx::ModelProto& model, Random& random) {
  onnx::GraphProto& graph = *model.mutable_graph();
  switch (random() % 8) {
    case 0:
      if (onnx::ValueInfoProto* input = any_of(graph.mutable_input(), random)) {
        onnx::TypeProto::Tensor& type = *input->mutable_type()->mutable_tensor_type();
        auto* dim = any_of(type.mutable_shape()->mutable_dim(), random);
        (dim == nullptr ? type.mutable_shape()->add_dim() : dim)->set_dim_value(odd_number(random));
      }
      break;
    case 1:
      if (onnx::ValueInfoProto* input = any_of(graph.mutable_input(), random)) {
        input->mutable_type()->mutable_tensor_type()->set_elem_type(static_cast<int>(random() % 25));
      }
      break;
    case 2:
      if (onnx::OperatorSetIdProto* opset = any_of(model.mutable_opset_import(), random)) {
        opset->set_version(static_cast<std::int64_t>(random() % 28));
      }
      break;
    case 3:
      change_weight(graph, random);
      break;
    default:
      change_node(graph, random);
  }
}

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  Random random(seed);
  onnx::ModelProto model;
  if (size < 8 || !model.ParseFromArray(data, static_cast<int>(size))) {
    (void)model.ParseFromString(good_model(random));
  } else if (random() % 8 == 0) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  for (unsigned changes = random() % 3; changes > 0; --changes) {
    change(model, random);
  }
  std::string content = model.SerializePartialAsString();
  if (content.size() > max_size) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::memcpy(data, content.data(), content.size());
  return content.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::byte> content(reinterpret_cast<const std::byte*>(data), size);
  Result<Graph> graph = read_onnx(content, "fuzz");
  if (!graph.ok()) {
    require(!graph.status().message().empty());
    return 0;
  }
  Result<Graph> qdq = to_qdq(*graph);
  Result<Graph> qoperator = to_qoperator(*graph);
  for (const Result<Graph>* form : {&graph, &qdq, &qoperator}) {
    if (form->ok()) {
      for (std::int64_t opset : {7, 13, 25}) {
        (void)to_onnx(**form, opset);
      }
      require(to_onnx(**form).ok());
    }
  }
  return 0;
}

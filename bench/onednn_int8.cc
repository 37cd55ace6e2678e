#include "onednn_int8.h"

#include <omp.h>

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

namespace zeropoint::bench {
namespace {

using dnnl::memory;
using Type = memory::data_type;
using Tag = memory::format_tag;

struct Prepared {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
};

dnnl::primitive_attr per_channel_scales(std::int64_t channels, int mask) {
  dnnl::primitive_attr attributes;
  attributes.set_output_scales(mask, std::vector<float>(static_cast<std::size_t>(channels), 0.001F));
  return attributes;
}

std::function<void()> runner(const std::shared_ptr<Prepared>& prepared) {
  return [prepared] {
    prepared->primitive.execute(prepared->stream, prepared->arguments);
    prepared->stream.wait();
  };
}

}  // namespace

std::function<void()> onednn_convolution(const Layer& layer) {
  omp_set_num_threads(1);
  auto prepared = std::make_shared<Prepared>();
  memory::dims weights{layer.out_channels, layer.in_channels / layer.group, layer.kernel, layer.kernel};
  if (layer.group > 1) {
    weights = {layer.group, layer.out_channels / layer.group, layer.in_channels / layer.group, layer.kernel,
               layer.kernel};
  }
  memory::desc from({1, layer.in_channels, layer.height, layer.width}, Type::u8, Tag::nhwc);
  memory::desc with(weights, Type::s8, Tag::any);
  memory::desc bias({layer.out_channels}, Type::s32, Tag::x);
  memory::desc to({1, layer.out_channels, layer.out_height(), layer.out_width()}, Type::u8, Tag::nhwc);
  dnnl::convolution_forward::desc how(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                      from, with, bias, to, {layer.stride, layer.stride},
                                      {layer.pad(), layer.pad()}, {layer.pad(), layer.pad()});
  dnnl::convolution_forward::primitive_desc chosen(how, per_channel_scales(layer.out_channels, 1 << 1),
                                                   prepared->engine);
  prepared->primitive = dnnl::convolution_forward(chosen);
  prepared->arguments = {{DNNL_ARG_SRC, memory(chosen.src_desc(), prepared->engine)},
                         {DNNL_ARG_WEIGHTS, memory(chosen.weights_desc(), prepared->engine)},
                         {DNNL_ARG_BIAS, memory(chosen.bias_desc(), prepared->engine)},
                         {DNNL_ARG_DST, memory(chosen.dst_desc(), prepared->engine)}};
  return runner(prepared);
}

std::function<void()> onednn_product(std::int64_t rows, std::int64_t depth, std::int64_t columns) {
  omp_set_num_threads(1);
  auto prepared = std::make_shared<Prepared>();
  memory::desc from({rows, depth}, Type::u8, Tag::ab);
  memory::desc with({depth, columns}, Type::s8, Tag::any);
  memory::desc bias({1, columns}, Type::s32, Tag::ab);
  memory::desc to({rows, columns}, Type::u8, Tag::ab);
  dnnl::matmul::desc how(from, with, bias, to);
  dnnl::matmul::primitive_desc chosen(how, per_channel_scales(columns, 1 << 1), prepared->engine);
  prepared->primitive = dnnl::matmul(chosen);
  prepared->arguments = {{DNNL_ARG_SRC, memory(chosen.src_desc(), prepared->engine)},
                         {DNNL_ARG_WEIGHTS, memory(chosen.weights_desc(), prepared->engine)},
                         {DNNL_ARG_BIAS, memory(chosen.bias_desc(), prepared->engine)},
                         {DNNL_ARG_DST, memory(chosen.dst_desc(), prepared->engine)}};
  return runner(prepared);
}

}  // namespace zeropoint::bench

#include "engine/steps/wide_steps.h"

#include <algorithm>
#include <span>

#include "operators/visit_type.h"
#include "zeropoint/requantize.h"

namespace zeropoint::engine {
namespace {

template <typename T>
T* elements_at(const RunContext& context, Place place) {
  return reinterpret_cast<T*>(context.at(place));
}

/// Calls function(elements) with a typed pointer to integers.
template <typename Function>
void with_elements(const RunContext& context, const Integers& integers, Function function) {
  visit_integer(integers.type,
                [&](auto element) { function(elements_at<decltype(element)>(context, integers.place)); });
}

/// An integer of up to 16 bits.
std::int32_t element_of(const void* elements, ElementType type, std::int64_t i) {
  switch (type) {
    case ElementType::kInt16:
      return static_cast<const std::int16_t*>(elements)[i];
    case ElementType::kUint16:
      return static_cast<const std::uint16_t*>(elements)[i];
    case ElementType::kUint8:
    case ElementType::kUint4:
      return static_cast<const std::uint8_t*>(elements)[i];
    default:
      return static_cast<const std::int8_t*>(elements)[i];
  }
}

/// Calls function(elements) with a pointer to where integers go, as unsigned ones of their width: they have
/// the same bits.
template <typename Function>
void with_targets(const RunContext& context, const Integers& integers, Function function) {
  operators::visit_width(integers.type, [&](auto element) {
    function(elements_at<decltype(element)>(context, integers.place));
  });
}

/// q - zero_point of `count` elements from `first` on.
void load_steps(const RunContext& context, const Integers& from, std::int64_t first, std::int64_t count,
                std::int64_t zero_point, std::int32_t* out) {
  with_elements(context, from, [&](const auto* in) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = static_cast<std::int32_t>(in[first + i]) - static_cast<std::int32_t>(zero_point);
    }
  });
}

void dequantize_elements(const RunContext& context, const Integers& from, const Dequantization& how,
                         const operators::AlongAxis& along, float* out) {
  with_elements(context, from, [&](const auto* in) {
    for (std::int64_t outer = 0; outer < along.outer; ++outer) {
      for (std::int64_t c = 0; c < along.extent; ++c) {
        QuantParams params{how.scales[static_cast<std::size_t>(c)], how.zero_point};
        for (std::int64_t i = 0; i < along.inner; ++i) {
          *out++ = dequantize(static_cast<std::int64_t>(*in++), params);
        }
      }
    }
  });
}

void quantize_elements(const RunContext& context, const float* in, std::int64_t count,
                       const Quantization& how, const Integers& to) {
  with_targets(context, to, [&](auto* out) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = static_cast<std::decay_t<decltype(*out)>>(quantize(in[i], how.params, how.range));
    }
  });
}

/// Accumulators of channels from `channel` on to element `first` of the output and on: requantized, which
/// changes them, or as they are.
void finish_row(const RunContext& context, const Requantization* requantization, std::int64_t channel,
                std::span<std::int64_t> sums, const Integers& to, std::int64_t first) {
  if (requantization != nullptr) {
    std::visit(
        [&](const auto& multipliers) {
          for (std::size_t i = 0; i < sums.size(); ++i) {
            std::size_t own = multipliers.size() == 1 ? 0 : static_cast<std::size_t>(channel) + i;
            sums[i] =
                requantize(sums[i], multipliers[own], requantization->zero_point, requantization->clamp);
          }
        },
        requantization->multipliers);
  }
  with_targets(context, to, [&](auto* out) {
    std::transform(sums.begin(), sums.end(), out + first,
                   [](std::int64_t sum) { return static_cast<std::decay_t<decltype(*out)>>(sum); });
  });
}

}  // namespace

Status WideQuantizeStep::run(const RunContext& context) {
  quantize_elements(context, elements_at<float>(context, from), count, quantization, to);
  return {};
}

Status WideDequantizeStep::run(const RunContext& context) {
  dequantize_elements(context, from, dequantization, along, elements_at<float>(context, to));
  return {};
}

Status WideTableStep::run(const RunContext& context) {
  std::int64_t least = storage_range(from.type).q_min;
  std::int64_t entries = tables->dim(-1);
  const std::byte* in = context.at(from.place);
  with_targets(context, to, [&](auto* out) {
    const auto* table = reinterpret_cast<const std::decay_t<decltype(*out)>*>(tables->bytes()) - least;
    for (std::int64_t i = 0; i < count; i += along.inner) {
      const auto* own = table + i / along.inner % along.extent * entries;
      for (std::int64_t k = i; k < i + along.inner; ++k) {
        out[k] = own[element_of(in, from.type, k)];
      }
    }
  });
  return {};
}

Status WideLinearStep::run(const RunContext& context) {
  std::int64_t channels = layer->weights.dim(0);
  std::int64_t depth = layer->weights.dim(1);
  auto* x = elements_at<std::int32_t>(context, steps);
  bool wide = layer->accumulator == ElementType::kInt64;
  for (std::int64_t row = 0; row < rows; ++row) {
    load_steps(context, from, row * depth, depth, 0, x);
    visit_integer(layer->weights.type(), [&](auto element) {
      using Weight = decltype(element);
      const Weight* all = reinterpret_cast<const Weight*>(layer->weights.bytes());
      auto sum_of = [&](std::int64_t m) {
        const Weight* w = all + m * depth;
        std::int64_t sum = layer->folded_bias[static_cast<std::size_t>(m)];
        if (wide) {
          for (std::int64_t k = 0; k < depth; ++k) {
            sum += std::int64_t{x[k]} * static_cast<std::int64_t>(w[k]);
          }
          return sum;
        }
        // It ends within int32, whatever it passes on the way.
        std::uint32_t narrow = 0;
        for (std::int64_t k = 0; k < depth; ++k) {
          narrow += static_cast<std::uint32_t>(x[k]) * static_cast<std::uint32_t>(w[k]);
        }
        return std::int64_t{static_cast<std::int32_t>(narrow + static_cast<std::uint32_t>(sum))};
      };
      constexpr std::int64_t kChannels = 64;
      std::int64_t sums[kChannels];
      for (std::int64_t first = 0; first < channels; first += kChannels) {
        std::int64_t count = std::min(kChannels, channels - first);
        for (std::int64_t i = 0; i < count; ++i) {
          sums[i] = sum_of(first + i);
        }
        finish_row(context, layer->requantization ? &*layer->requantization : nullptr, first,
                   std::span(sums).first(static_cast<std::size_t>(count)), to, row * channels + first);
      }
    });
  }
  return {};
}

Status WideMatMulStep::run(const RunContext& context) {
  auto* left = elements_at<std::int32_t>(context, a_steps);
  auto* right = elements_at<std::int32_t>(context, b_steps);
  auto* row_sums = elements_at<std::int64_t>(context, sums);
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    if (i == 0 || matrices[i].b != matrices[i - 1].b) {
      load_steps(context, b, matrices[i].b, k * n, op->b_zero_point, right);
    }
    for (std::int64_t row = 0; row < m; ++row) {
      load_steps(context, a, matrices[i].a + row * k, k, op->a_zero_point, left);
      std::fill_n(row_sums, n, 0);
      for (std::int64_t j = 0; j < k; ++j) {
        std::int64_t factor = left[j];
        const std::int32_t* line = right + j * n;
        for (std::int64_t c = 0; c < n; ++c) {
          row_sums[c] += factor * line[c];
        }
      }
      finish_row(context, &op->requantization, 0, std::span(row_sums, static_cast<std::size_t>(n)), to,
                 (static_cast<std::int64_t>(i) * m + row) * n);
    }
  }
  return {};
}

Status WideSoftmaxStep::run(const RunContext& context) {
  const std::byte* in = context.at(from.place);
  with_targets(context, to, [&](auto* out) {
    for (std::int64_t lane = 0; lane < along.outer * along.inner; ++lane) {
      std::int64_t first = lane / along.inner * along.extent * along.inner + lane % along.inner;
      std::int64_t end = first + along.extent * along.inner;
      std::int32_t largest = element_of(in, from.type, first);
      for (std::int64_t at = first; at < end; at += along.inner) {
        largest = std::max(largest, element_of(in, from.type, at));
      }
      auto exponential = [&](std::int64_t at) {
        return op->exponentials[static_cast<std::size_t>(largest - element_of(in, from.type, at))];
      };
      std::int64_t sum = 0;
      for (std::int64_t at = first; at < end; at += along.inner) {
        sum += exponential(at);
      }
      auto total = static_cast<double>(sum);
      for (std::int64_t at = first; at < end; at += along.inner) {
        auto real = static_cast<float>(static_cast<double>(exponential(at)) / total);
        out[at] = static_cast<std::decay_t<decltype(*out)>>(quantize(real, op->to.params, op->to.range));
      }
    }
  });
  return {};
}

Status WideArithmeticStep::run(const RunContext& context) {
  for (const Input& input : inputs) {
    dequantize_elements(context, input.from, input.dequantization, input.along,
                        elements_at<float>(context, input.reals));
  }
  for (Stage& stage : stages) {
    for (std::size_t i = 0; i < stage.operands.size(); ++i) {
      memory[i] = context.at(reals[stage.operands[i]]);
    }
    stage.walk.run(std::span(memory).first(stage.operands.size()), context.at(reals[stage.result]),
                   stage.kernel);
  }
  quantize_elements(context, elements_at<float>(context, reals.back()), count, quantization, to);
  return {};
}

}  // namespace zeropoint::engine

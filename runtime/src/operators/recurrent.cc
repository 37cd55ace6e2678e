// ONNX RNN, GRU and LSTM: a state h (and c) per sample that is carried through time. The equations stand at
// the cells below; W, R, b and P are input weights, recurrent weights, biases and peepholes, f, g and h the
// activation functions, . the elementwise product.

#include <algorithm>
#include <cmath>

#include "operators/operators.h"
#include "operators/recurrent_activation.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

enum Input : std::uint8_t { kX, kW, kR, kB, kSequenceLengths, kInitialH, kInitialC, kPeepholes };

/// The extents of a call, and how it goes through time.
struct Geometry {
  std::int64_t steps, batch, inputs, hidden, gates;
  std::size_t directions;
  bool batch_first;  // layout 1
  bool only_reverse;

  static Result<Geometry> of(const OperatorCall& call);
  [[nodiscard]] Shape states() const {
    auto d = static_cast<std::int64_t>(directions);
    return batch_first ? Shape{batch, d, hidden} : Shape{d, batch, hidden};
  }
  /// Row-major positions of the vectors of one sample.
  [[nodiscard]] std::int64_t x_at(std::int64_t step, std::int64_t sample) const {
    return (batch_first ? sample * steps + step : step * batch + sample) * inputs;
  }
  [[nodiscard]] std::int64_t state_at(std::size_t direction, std::int64_t sample) const {
    auto d = static_cast<std::int64_t>(direction);
    return (batch_first ? sample * static_cast<std::int64_t>(directions) + d : d * batch + sample) * hidden;
  }
  [[nodiscard]] std::int64_t y_at(std::int64_t step, std::size_t direction, std::int64_t sample) const {
    auto d = static_cast<std::int64_t>(direction);
    auto count = static_cast<std::int64_t>(directions);
    return (batch_first ? (sample * steps + step) * count + d : (step * count + d) * batch + sample) * hidden;
  }
};

Result<Geometry> Geometry::of(const OperatorCall& call) {
  const Tensor& x = call.input(kX);
  const Tensor& r = call.input(kR);
  std::string direction = call.string_attribute("direction");
  std::int64_t layout = call.int_attribute("layout");
  if (x.rank() != 3 || r.rank() != 3 || (layout != 0 && layout != 1) ||
      (direction != "forward" && direction != "reverse" && direction != "bidirectional")) {
    return Status::invalid_argument("inputs ", x.shape(), " and ", r.shape(), ", layout ", layout,
                                    " or direction '", direction, "' are not what ONNX allows");
  }
  Geometry geometry{};
  geometry.batch_first = layout == 1;
  geometry.only_reverse = direction == "reverse";
  geometry.directions = direction == "bidirectional" ? 2 : 1;
  geometry.steps = x.dim(geometry.batch_first ? 1 : 0);
  geometry.batch = x.dim(geometry.batch_first ? 0 : 1);
  geometry.inputs = x.dim(2);
  geometry.hidden = r.dim(2);
  geometry.gates = call.op() == Op::kLSTM ? 4 : (call.op() == Op::kGRU ? 3 : 1);
  std::int64_t d = static_cast<std::int64_t>(geometry.directions);
  std::int64_t rows = r.dim(1);  // gates * hidden, once it is checked
  bool hidden_fits =
      rows % geometry.gates == 0 && rows / geometry.gates == geometry.hidden &&
      (!call.attributes().contains("hidden_size") || call.int_attribute("hidden_size") == geometry.hidden);
  const Shape needed[] = {x.shape(),         {d, rows, geometry.inputs}, {d, rows, geometry.hidden},
                          {d, 2 * rows},     {geometry.batch},           geometry.states(),
                          geometry.states(), {d, 3 * geometry.hidden}};
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    ElementType type = i == kSequenceLengths ? ElementType::kInt32 : x.type();
    if (call.has(i) && (!hidden_fits || call.input(i).shape() != needed[i] || call.input(i).type() != type)) {
      return Status::invalid_argument("input ", i, " of ", name_of(call.input(i).type()),
                                      call.input(i).shape(), " does not fit input ", x.shape(),
                                      " and hidden size ", geometry.hidden);
    }
  }
  return geometry;
}

/// In several partial sums, which a compiler can keep side by side; the order is fixed.
template <typename T>
T dot(const T* a, const T* b, std::int64_t count) {
  constexpr std::int64_t kParts = 8;
  T parts[kParts] = {};
  std::int64_t i = 0;
  for (; i + kParts <= count; i += kParts) {
    for (std::int64_t k = 0; k < kParts; ++k) {
      parts[k] += a[i + k] * b[i + k];
    }
  }
  for (; i < count; ++i) {
    parts[0] += a[i] * b[i];
  }
  return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

/// One direction of one call.
template <typename T>
class Layer {
 public:
  Layer(const OperatorCall& call, const Geometry& geometry, const RecurrentActivation* activations,
        std::size_t direction)
      : op_(call.op()), geometry_(geometry), activations_(activations), hidden_(geometry.hidden) {
    std::int64_t rows = geometry.gates * hidden_;
    auto d = static_cast<std::int64_t>(direction);
    w_ = call.input(kW).data<T>().data() + d * rows * geometry.inputs;
    r_ = call.input(kR).data<T>().data() + d * rows * hidden_;
    input_bias_.resize(static_cast<std::size_t>(rows));
    recurrent_bias_.resize(static_cast<std::size_t>(rows));
    if (call.has(kB)) {
      const T* b = call.input(kB).data<T>().data() + d * 2 * rows;
      std::copy_n(b, rows, input_bias_.begin());
      std::copy_n(b + rows, rows, recurrent_bias_.begin());
    }
    if (call.has(kPeepholes)) {
      peepholes_ = call.input(kPeepholes).data<T>().data() + d * 3 * hidden_;
    }
    clip_ = static_cast<T>(call.float_attribute("clip"));
    // An operator without the attribute has 0 for it.
    linear_before_reset_ = call.int_attribute("linear_before_reset") != 0;
    input_forget_ = call.int_attribute("input_forget") != 0;
    from_input_.resize(static_cast<std::size_t>(rows));
    from_state_.resize(static_cast<std::size_t>(rows));
    reset_.resize(static_cast<std::size_t>(hidden_));
  }

  /// One step of one sample: h and c become the new state.
  void step(const T* x, T* h, T* c) {
    std::int64_t rows = geometry_.gates * hidden_;
    for (std::int64_t i = 0; i < rows; ++i) {
      auto k = static_cast<std::size_t>(i);
      from_input_[k] = dot(w_ + i * geometry_.inputs, x, geometry_.inputs) + input_bias_[k];
    }
    if (op_ == Op::kLSTM) {
      step_lstm(h, c);
    } else if (op_ == Op::kGRU) {
      step_gru(h);
    } else {
      step_rnn(h);
    }
  }

 private:
  /// Rows [first, first + count) of R h + Rb.
  void add_state(const T* h, std::int64_t first, std::int64_t count) {
    for (std::int64_t i = first; i < first + count; ++i) {
      auto k = static_cast<std::size_t>(i);
      from_state_[k] = dot(r_ + i * hidden_, h, hidden_) + recurrent_bias_[k];
    }
  }

  void activate(std::size_t which, T* values) const {
    if (clip_ > T{}) {
      std::transform(values, values + hidden_, values, [&](T v) { return std::clamp(v, -clip_, clip_); });
    }
    activations_[which].apply(values, hidden_);
  }

  // H = f(W x + Wb + R H + Rb)
  void step_rnn(T* h) {
    add_state(h, 0, hidden_);
    for (std::int64_t i = 0; i < hidden_; ++i) {
      h[i] = from_input_[static_cast<std::size_t>(i)] + from_state_[static_cast<std::size_t>(i)];
    }
    activate(0, h);
  }

  // z = f(Wz x + Wbz + Rz H + Rbz)        r = f(Wr x + Wbr + Rr H + Rbr)
  // n = g(Wh x + Wbh + Rh (r . H) + Rbh), or with linear_before_reset g(Wh x + Wbh + r . (Rh H + Rbh))
  // H = (1 - z) . n + z . H
  void step_gru(T* h) {
    T* update = from_input_.data();
    T* reset = update + hidden_;
    T* fresh = reset + hidden_;
    add_state(h, 0, (linear_before_reset_ ? 3 : 2) * hidden_);
    for (std::int64_t i = 0; i < 2 * hidden_; ++i) {
      update[i] += from_state_[static_cast<std::size_t>(i)];
    }
    activate(0, update);
    activate(0, reset);
    if (!linear_before_reset_) {
      std::transform(reset, reset + hidden_, h, reset_.begin(), [](T r, T state) { return r * state; });
      add_state(reset_.data(), 2 * hidden_, hidden_);
    }
    const T* state = from_state_.data() + 2 * hidden_;
    for (std::int64_t i = 0; i < hidden_; ++i) {
      fresh[i] += linear_before_reset_ ? reset[i] * state[i] : state[i];
    }
    activate(1, fresh);
    for (std::int64_t i = 0; i < hidden_; ++i) {
      h[i] = (T{1} - update[i]) * fresh[i] + update[i] * h[i];
    }
  }

  // i = f(Wi x + Wbi + Ri H + Rbi + Pi . C)   k = f(Wf x + Wbf + Rf H + Rbf + Pf . C), or 1 - i
  // (input_forget) n = g(Wc x + Wbc + Rc H + Rbc)            C = k . C + i . n o = f(Wo x + Wbo + Ro H + Rbo
  // + Po . C)   H = o . h(C)
  void step_lstm(T* h, T* c) {
    add_state(h, 0, 4 * hidden_);
    std::transform(from_input_.begin(), from_input_.end(), from_state_.begin(), from_input_.begin(),
                   [](T a, T b) { return a + b; });
    T* in = from_input_.data();
    T* out = in + hidden_;
    T* forget = out + hidden_;
    T* cell = forget + hidden_;
    add_peephole(0, c, in);
    add_peephole(2, c, forget);
    activate(0, in);
    activate(0, forget);
    activate(1, cell);
    for (std::int64_t i = 0; i < hidden_; ++i) {
      c[i] = (input_forget_ ? T{1} - in[i] : forget[i]) * c[i] + in[i] * cell[i];
    }
    add_peephole(1, c, out);
    activate(0, out);
    std::copy_n(c, hidden_, h);
    activations_[2].apply(h, hidden_);
    std::transform(h, h + hidden_, out, h, [](T value, T gate) { return value * gate; });
  }

  void add_peephole(std::int64_t which, const T* c, T* gate) const {
    for (std::int64_t i = 0; peepholes_ != nullptr && i < hidden_; ++i) {
      gate[i] += peepholes_[which * hidden_ + i] * c[i];
    }
  }

  Op op_;
  const Geometry& geometry_;
  const RecurrentActivation* activations_;
  std::int64_t hidden_;
  const T* w_ = nullptr;
  const T* r_ = nullptr;
  const T* peepholes_ = nullptr;
  std::vector<T> input_bias_, recurrent_bias_;
  std::vector<T> from_input_, from_state_, reset_;
  T clip_{};
  bool linear_before_reset_ = false;
  bool input_forget_ = false;
};

/// The number of steps that a sample has.
Result<std::int64_t> length_of(const OperatorCall& call, std::int64_t sample, std::int64_t steps) {
  if (!call.has(kSequenceLengths)) {
    return steps;
  }
  std::int64_t length = call.input(kSequenceLengths).data<std::int32_t>()[static_cast<std::size_t>(sample)];
  if (length < 0 || length > steps) {
    return Status::invalid_argument("a sequence length is ", length, "; 0 to ", steps, " is possible");
  }
  return length;
}

std::vector<std::string> default_activations(Op op) {
  if (op == Op::kLSTM) {
    return {"Sigmoid", "Tanh", "Tanh"};
  }
  return op == Op::kGRU ? std::vector<std::string>{"Sigmoid", "Tanh"} : std::vector<std::string>{"Tanh"};
}

template <typename T>
Result<std::vector<Tensor>> run(const OperatorCall& call, const Geometry& geometry,
                                const std::vector<RecurrentActivation>& activations) {
  auto d = static_cast<std::int64_t>(geometry.directions);
  Shape all = geometry.batch_first ? Shape{geometry.batch, geometry.steps, d, geometry.hidden}
                                   : Shape{geometry.steps, d, geometry.batch, geometry.hidden};
  ElementType type = call.input(kX).type();
  ZP_ASSIGN_OR_RETURN(Tensor y, call.make_output(type, std::move(all)));
  ZP_ASSIGN_OR_RETURN(Tensor h, call.make_output(type, geometry.states()));
  if (call.has(kInitialH)) {
    h = call.input(kInitialH);
  }
  Tensor c = call.has(kInitialC) ? call.input(kInitialC) : Tensor(type, geometry.states());
  // Without state there is nothing to compute, however many steps there are.
  for (std::size_t direction = 0; h.size() > 0 && direction < geometry.directions; ++direction) {
    bool reverse = geometry.only_reverse || direction == 1;
    const RecurrentActivation* own =
        activations.data() + direction * activations.size() / geometry.directions;
    Layer<T> layer(call, geometry, own, direction);
    for (std::int64_t sample = 0; sample < geometry.batch; ++sample) {
      ZP_ASSIGN_OR_RETURN(std::int64_t length, length_of(call, sample, geometry.steps));
      T* state = h.data<T>().data() + geometry.state_at(direction, sample);
      T* cell = c.data<T>().data() + geometry.state_at(direction, sample);
      for (std::int64_t i = 0; i < length; ++i) {
        std::int64_t at = reverse ? length - 1 - i : i;
        layer.step(call.input(kX).data<T>().data() + geometry.x_at(at, sample), state, cell);
        std::copy_n(state, geometry.hidden, y.data<T>().data() + geometry.y_at(at, direction, sample));
      }
    }
  }
  std::vector<Tensor> outputs = one(std::move(y));
  outputs.push_back(std::move(h));
  if (call.op() == Op::kLSTM) {
    outputs.push_back(std::move(c));
  }
  return outputs;
}

}  // namespace

Result<std::vector<Tensor>> recurrent(const OperatorCall& call) {
  ZP_ASSIGN_OR_RETURN(Geometry geometry, Geometry::of(call));
  ZP_ASSIGN_OR_RETURN(std::vector<RecurrentActivation> activations,
                      RecurrentActivation::of(call, geometry.directions, default_activations(call.op())));
  return visit_float(call.input(kX).type(), [&](auto element) -> Result<std::vector<Tensor>> {
    return run<decltype(element)>(call, geometry, activations);
  });
}

}  // namespace zeropoint::operators

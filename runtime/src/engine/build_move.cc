// Operators that only move elements: an evaluation on the elements' own addresses shows where each comes
// from.

#include <algorithm>

#include "engine/builder.h"
#include "engine/describe.h"
#include "engine/steps/move_step.h"

namespace zeropoint::engine {
namespace {

/// Each takes about 40 bytes and a tenth of a microsecond while a session is prepared.
constexpr std::int64_t kMostElements = std::int64_t{1} << 21;
constexpr std::int64_t kBytesOfElement = 64;                 // that it takes to find where one comes from
constexpr std::int64_t kInputShift = std::int64_t{1} << 40;  // addresses of input i begin at i * kInputShift
constexpr std::int64_t kFilled = -1;

/// The inputs whose elements move; empty for operators that do more.
std::vector<std::size_t> moved_inputs(const EvaluateOp& op) {
  switch (op.op) {
    case Op::kSlice:
    case Op::kGather:
    case Op::kGatherElements:
    case Op::kGatherND:
    case Op::kSplit:
    case Op::kExpand:
    case Op::kTile:
    case Op::kDepthToSpace:
    case Op::kSpaceToDepth:
    case Op::kPad:
    case Op::kReverseSequence:
      return {0};
    case Op::kResize:
      return string_attribute(op.op, op.attributes, "mode") == "nearest" &&
                     string_attribute(op.op, op.attributes, "coordinate_transformation_mode") !=
                         "tf_crop_and_resize"
                 ? std::vector<std::size_t>{0}
                 : std::vector<std::size_t>{};
    case Op::kConcat: {
      std::vector<std::size_t> all;
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        all.push_back(i);
      }
      return all;
    }
    default:
      return {};
  }
}

/// The byte at which each element of a tensor lies, from its place on.
Tensor addresses_of(const Shape& shape, std::int64_t element_bytes, const Image* image) {
  Tensor tensor(ElementType::kInt64, shape);
  std::int64_t* out = tensor.data<std::int64_t>().data();
  if (image == nullptr) {
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      out[i] = i * element_bytes;
    }
    return tensor;
  }
  for (std::int64_t n = 0; n < image->batch; ++n) {
    for (std::int64_t c = 0; c < image->channels; ++c) {
      for (std::int64_t y = 0; y < image->height; ++y) {
        for (std::int64_t x = 0; x < image->width; ++x) {
          *out++ = n * image->plane + y * image->row + x * image->pixel + c;
        }
      }
    }
  }
  return tensor;
}

class MoveBuilder {
 public:
  MoveBuilder(Builder& builder, const EvaluateOp& op)
      : builder_(builder), op_(op), moved_(moved_inputs(op)) {}

  bool build() {
    if (!moves() || !evaluate_addresses()) {
      return false;
    }
    std::size_t made = 0;
    for (TensorId id : op_.outputs) {
      if (id != kNoTensor) {
        build_output(id, sources_[made]);
      }
      ++made;
    }
    return true;
  }

 private:
  [[nodiscard]] bool is_moved(std::size_t input) const {
    return std::ranges::find(moved_, input) != moved_.end();
  }

  /// Whether all that does not move is constant, and what moves has one type and is not too large.
  bool moves() {
    auto within_memory = static_cast<std::int64_t>(
        std::min<std::size_t>(builder_.memory_limit(), kMostElements * kBytesOfElement));
    std::int64_t most = within_memory / kBytesOfElement;
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      bool sound = op_.inputs[i] == kNoTensor || is_moved(i) || builder_.constant(op_.inputs[i]) != nullptr;
      if (!sound) {
        return false;
      }
    }
    for (std::size_t i : moved_) {
      bool sound = op_.inputs[i] != kNoTensor &&
                   builder_.type(op_.inputs[i]) == builder_.type(op_.inputs[moved_[0]]) &&
                   *element_count(builder_.shape(op_.inputs[i])) <= most;
      if (!sound) {
        return false;
      }
    }
    return !moved_.empty() && std::ranges::all_of(op_.outputs, [&](TensorId id) {
      return id == kNoTensor || (builder_.type(id) == builder_.type(op_.inputs[moved_[0]]) &&
                                 *element_count(builder_.shape(id)) <= most);
    });
  }

  /// Pictures stay pictures, and bytes bytes.
  bool as_images() {
    auto pictured = [&](TensorId id) { return id == kNoTensor || builder_.shape(id).size() == 4; };
    return std::ranges::any_of(moved_, [&](std::size_t i) { return builder_.has_image(op_.inputs[i]); }) &&
           std::ranges::all_of(moved_, [&](std::size_t i) { return pictured(op_.inputs[i]); }) &&
           std::ranges::all_of(op_.outputs, pictured);
  }

  bool evaluate_addresses() {
    ElementType type = builder_.type(op_.inputs[moved_[0]]);
    bytes_ = is_byte(type);
    images_ = bytes_ && as_images();
    element_ = static_cast<std::int64_t>(size_of(type));
    std::vector<Tensor> addresses;
    addresses.reserve(op_.inputs.size() + 1);
    std::vector<const Tensor*> inputs;
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      TensorId id = op_.inputs[i];
      if (id == kNoTensor || !is_moved(i)) {
        inputs.push_back(id == kNoTensor ? nullptr : builder_.constant(id));
        continue;
      }
      Image image = images_ ? builder_.image(id) : Image();
      places_.push_back(images_ ? image.place : bytes_ ? builder_.plain(id) : builder_.exact(id));
      addresses.push_back(addresses_of(builder_.shape(id), element_, images_ ? &image : nullptr));
      for (std::int64_t& address : addresses.back().data<std::int64_t>()) {
        address += static_cast<std::int64_t>(places_.size() - 1) * kInputShift;
      }
      inputs.push_back(&addresses.back());
    }
    if (op_.op == Op::kPad) {
      inputs.resize(std::max<std::size_t>(inputs.size(), 3), nullptr);
      set_fill(inputs[2], type);
      addresses.push_back(Tensor::of<std::int64_t>({}, std::vector<std::int64_t>{kFilled}));
      inputs[2] = &addresses.back();
    }
    Result<std::vector<Tensor>> made =
        evaluate(OperatorCall(op_.op, op_.attributes, inputs, op_.outputs.size()));
    if (!made.ok()) {
      return false;
    }
    sources_ = *std::move(made);
    return true;
  }

  void set_fill(const Tensor* value, ElementType type) {
    fill_.assign(static_cast<std::size_t>(element_), std::byte{0});
    if (value != nullptr) {
      std::copy_n(value->bytes(), fill_.size(), fill_.begin());
    }
    if (bytes_) {
      fill_[0] = static_cast<std::byte>(static_cast<std::uint8_t>(fill_[0]) + shift_of(type));
    }
  }

  void build_output(TensorId id, const Tensor& sources) {
    Image image = images_ ? builder_.new_image(id) : Image();
    auto step = std::make_unique<MoveStep>();
    step->output = images_ ? image.place : bytes_ ? builder_.new_plain(id) : builder_.new_exact(id);
    step->inputs = places_;
    step->fill = fill_;
    Tensor targets = addresses_of(builder_.shape(id), element_, images_ ? &image : nullptr);
    std::vector<MoveStep::Move> moves;
    for (std::int64_t i = 0; i < sources.size(); ++i) {
      std::int64_t source = sources.data<std::int64_t>()[static_cast<std::size_t>(i)];
      std::int64_t target = targets.data<std::int64_t>()[static_cast<std::size_t>(i)];
      auto input = static_cast<std::int32_t>(source < 0 ? -1 : source / kInputShift);
      moves.push_back(
          {target, source < 0 ? target : source % kInputShift, input, static_cast<std::int32_t>(element_)});
    }
    std::sort(moves.begin(), moves.end(),
              [](const MoveStep::Move& a, const MoveStep::Move& b) { return a.to < b.to; });
    for (const MoveStep::Series& series : join_moves(moves)) {
      if (series.first.input >= 0) {
        step->series.push_back(series);
        continue;
      }
      for (std::int64_t i = 0; i < series.count; ++i) {
        step->filled.push_back(series.first);
        step->filled.back().to += i * series.to_step;
      }
    }
    step->prepare();
    step->profile.name = builder_.program().tensor(id).name;
    step->profile.operation = describe(op_);
    step->profile.kernel = "move";
    std::vector<Place> touched = places_;
    touched.push_back(step->output);
    builder_.add(std::move(step), touched);
  }

  Builder& builder_;
  const EvaluateOp& op_;
  std::vector<std::size_t> moved_;
  bool bytes_ = false;
  bool images_ = false;
  std::int64_t element_ = 1;
  std::vector<Place> places_;
  std::vector<std::byte> fill_;
  std::vector<Tensor> sources_;
};

}  // namespace

bool build_move(Builder& builder, const EvaluateOp& op) { return MoveBuilder(builder, op).build(); }

}  // namespace zeropoint::engine

#include "operators/move_elements.h"

#include <cstring>

#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// Whether the offsets are first, first + step, first + 2 step, ...
bool is_even(const std::vector<std::int64_t>& offsets, std::int64_t step) {
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    if (offsets[i] == kFill || offsets[i] != offsets[0] + static_cast<std::int64_t>(i) * step) {
      return false;
    }
  }
  return true;
}

class Mover {
 public:
  Mover(const Tensor& x, const SourceOffsets& offsets, const std::byte* fill, Tensor& y)
      : offsets_(offsets),
        in_(x.bytes()),
        fill_(fill),
        out_(y.bytes()),
        width_(size_of(x.type())),
        axes_(offsets.size()) {
    while (axes_ > 0 && is_even(offsets_[axes_ - 1], run_)) {
      --axes_;
      in_ += static_cast<std::ptrdiff_t>(width_) * offsets_[axes_][0];
      run_ *= static_cast<std::int64_t>(offsets_[axes_].size());
    }
  }

  void run() { move_axis(0, 0, false); }

 private:
  void move_axis(std::size_t axis, std::int64_t base, bool filled) {
    if (axis == axes_) {
      move_run(base, filled);
    } else if (axis + 1 == axes_ && run_ == 1 && !filled) {
      switch (width_) {
        case 1:
          return move_row<std::uint8_t>(axis, base);
        case 2:
          return move_row<std::uint16_t>(axis, base);
        case 4:
          return move_row<std::uint32_t>(axis, base);
        default:
          return move_row<std::uint64_t>(axis, base);
      }
    } else {
      for (std::int64_t offset : offsets_[axis]) {
        move_axis(axis + 1, base + offset, filled || offset == kFill);
      }
    }
  }

  template <typename T>
  void move_row(std::size_t axis, std::int64_t base) {
    const T* in = reinterpret_cast<const T*>(in_) + base;
    T* out = reinterpret_cast<T*>(out_);
    for (std::int64_t offset : offsets_[axis]) {
      *out++ = offset == kFill ? *reinterpret_cast<const T*>(fill_) : in[offset];
    }
    out_ = reinterpret_cast<std::byte*>(out);
  }

  void move_run(std::int64_t base, bool filled) {
    std::size_t bytes = static_cast<std::size_t>(run_) * width_;
    if (filled) {
      for (std::size_t at = 0; at < bytes; at += width_) {
        std::memcpy(out_ + at, fill_, width_);
      }
    } else {
      std::memcpy(out_, in_ + static_cast<std::ptrdiff_t>(width_) * base, bytes);
    }
    out_ += bytes;
  }

  const SourceOffsets& offsets_;
  const std::byte* in_;
  const std::byte* fill_;
  std::byte* out_;
  std::size_t width_;
  std::size_t axes_;      // that are walked; the ones behind them are one run of neighbours
  std::int64_t run_ = 1;  // elements
};

}  // namespace

std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) {
    // Extents whose product overflows stand beside a 0: nothing is reached by their strides.
    if (__builtin_mul_overflow(strides[i], shape[i], &strides[i - 1])) {
      strides[i - 1] = 0;
    }
  }
  return strides;
}

std::vector<std::int64_t> broadcast_strides(const Shape& shape, std::size_t rank) {
  std::vector<std::int64_t> strides = strides_of(shape);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    strides[i] = shape[i] == 1 ? 0 : strides[i];
  }
  strides.insert(strides.begin(), rank - shape.size(), 0);
  return strides;
}

std::vector<std::int64_t> evenly(std::int64_t extent, std::int64_t step, std::int64_t first) {
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(extent));
  for (std::int64_t i = 0; i < extent; ++i) {
    offsets[static_cast<std::size_t>(i)] = first + i * step;
  }
  return offsets;
}

void move_elements(const Tensor& x, const SourceOffsets& offsets, const std::byte* fill, Tensor& y) {
  if (y.size() > 0) {
    Mover(x, offsets, fill, y).run();
  }
}

}  // namespace zeropoint::operators

#pragma once

// Steps that bring a tensor from one form to another.

#include "engine/image.h"
#include "engine/step.h"

namespace zeropoint::engine {

/// Bytes to as many others, `shift` added to each (modulo 256).
class ShiftStep : public Step {
 public:
  ShiftStep(Place from, Place to, std::int64_t bytes, std::uint8_t shift);
  Status run(const RunContext& context) override;

 private:
  Place from_;
  Place to_;
  std::int64_t bytes_;
  std::uint8_t shift_;
};

/// An image to [N, C, H, W] in row-major order, `shift` added to each byte.
class FromImageStep : public Step {
 public:
  FromImageStep(const Image& from, Place to, std::uint8_t shift);
  Status run(const RunContext& context) override;

 private:
  Image from_;
  Place to_;
  std::uint8_t shift_;
};

/// [N, C, H, W] in row-major order to an image.
class ToImageStep : public Step {
 public:
  ToImageStep(Place from, const Image& to);
  Status run(const RunContext& context) override;

 private:
  Place from_;
  Image to_;
};

/// An image to another place of the same extents.
class CopyImageStep : public Step {
 public:
  CopyImageStep(const Image& from, const Image& to);
  Status run(const RunContext& context) override;

 private:
  Image from_;
  Image to_;
};

}  // namespace zeropoint::engine

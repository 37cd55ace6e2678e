#pragma once

#include <memory>
#include <vector>

#include "engine/image.h"
#include "engine/layer_cache.h"
#include "engine/step.h"

namespace zeropoint::engine {

/// Fills an image's halo with its zero point.
struct HaloFill {
  Image image;
  std::uint8_t value = 0;

  void fill(const RunContext& context, std::int64_t batch) const;
};

/// A convolution or a matrix product by a kernel of the dot family.
class DotStep : public Step {
 public:
  /// Runs of positions: of each image of the batch some, each a fixed distance behind the one before.
  struct Geometry {
    std::int64_t batch = 1;
    std::int64_t runs = 1;
    std::ptrdiff_t input_image = 0, output_image = 0, other_image = 0;
    std::ptrdiff_t input_run = 0, output_run = 0, other_run = 0;
    std::ptrdiff_t input_group = 0;  ///< channels of a group
  };

  Place input, output, other;
  bool has_other = false;
  bool fills_halo = false;
  HaloFill halo;
  bool finds_maxima = false;  ///< by DotKernel::run_maxima
  std::shared_ptr<const DotLayer> layer;
  std::vector<std::ptrdiff_t> segments;
  Geometry geometry;
  kernels::DotParams params;  ///< of the first run, without pointers
  kernels::Epilogue epilogue;
  std::int64_t work = 0;                             ///< in about nanoseconds
  std::vector<std::vector<std::ptrdiff_t>> rest_at;  ///< of each group, see kernels::DotParams

  /// Works out the work and where the rest of split weights lies.
  void prepare();

  Status run(const RunContext& context) override;

 private:
  /// Runs [first, last) of group `group`, and of each the positions and channels up to an end.
  struct Part {
    std::size_t group = 0;
    std::int64_t first = 0, last = 0;
    std::int64_t first_position = 0, positions = 0;
    std::int64_t first_channel = 0, channels = 0;
  };

  void run_part(const RunContext& context, const Part& part) const;
  void run_group(const RunContext& context, std::size_t group) const;
};

/// int32 [N, H, W, M] or [positions, M] to bytes by the reference's requantization.
class RequantizeStep : public Step {
 public:
  Place from;
  Image to;  ///< rank-2 results are images of one row
  Requantization requantization;
  std::int32_t shift = 0;

  Status run(const RunContext& context) override;
};

/// int32 [N, H, W, M] to [N, M, H, W].
class AccumulatorsFromImageStep : public Step {
 public:
  Place from, to;
  std::int64_t batch = 0, plane = 0, channels = 0;

  Status run(const RunContext& context) override;
};

}  // namespace zeropoint::engine

#pragma once

#include <cstdint>
#include <memory>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/array_source.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/preprocess.h"

namespace zeropoint::toolchain {

struct ArrayDatasetOptions {
  /// What the samples are converted to: integers become floats or other integers that hold them, floats
  /// floats.
  ElementType type = ElementType::kFloat32;
  /// Done in float32 before that. Channels are a sample's first axis in kNchw, its last in kNhwc.
  Transform transform;
  Layout layout = Layout::kNchw;
  /// The shape to give each sample where it differs from its own in axes of 1 alone; empty: its own.
  Shape sample_shape;
};

/// The rows of `samples`, read when they are asked for. `labels` holds integers, [samples] or [samples,
/// labels each], and is read at once; null for samples without labels. kInvalidArgument when the counts
/// differ, labels are no integers or types do not convert; a sample with an integer that does not fit is the
/// error of reading it.
Result<std::unique_ptr<Dataset>> array_dataset(std::shared_ptr<const ArraySource> samples,
                                               const std::shared_ptr<const ArraySource>& labels,
                                               const ArrayDatasetOptions& options = {});

struct TokenOptions {
  std::int64_t window = 0;  ///< tokens that the network sees at once
  std::int64_t stride =
      0;  ///< from one window's begin to the next one's; 0: the window, so that none overlap
  ElementType type = ElementType::kInt64;
};

/// Windows over running text, for language models. `tokens` is one text, [tokens], or several of one length,
/// [texts, tokens]. Each sample is `window` tokens, its labels the token after each. Every token but each
/// text's first is counted exactly once: where windows overlap, the label that was counted before is -1, and
/// the last window of a text ends at its end. kInvalidArgument when the tokens are no integers, a text is not
/// longer than the window, or the stride is not in [1, window].
Result<std::unique_ptr<Dataset>> token_dataset(std::shared_ptr<const ArraySource> tokens,
                                               const TokenOptions& options);

}  // namespace zeropoint::toolchain

#pragma once

#include <string>
#include <string_view>

namespace zeropoint::toolchain {

/// Models of ONNX's backend tests that are not computed here, and why.
struct BackendException {
  std::string_view models;  ///< a name, or with * at its end the beginning of names
  std::string_view reason;
  bool expanded = false;  ///< also of the model that spells the operator out as a function
};

inline constexpr BackendException kBackendExceptions[] = {
    {"test_adagrad*", "trains: ai.onnx.preview.training"},
    {"test_adam*", "trains: ai.onnx.preview.training"},
    {"test_gradient_of*", "trains: ai.onnx.preview.training"},
    {"test_momentum*", "trains: ai.onnx.preview.training"},
    {"test_nesterov_momentum*", "trains: ai.onnx.preview.training"},
    {"test_batchnorm_epsilon_training_mode", "trains: statistics of the batch"},
    {"test_batchnorm_example_training_mode", "trains: statistics of the batch"},
    {"test_training_dropout", "random: its expected output is one generator's"},
    {"test_training_dropout_default*", "random: its expected output is one generator's"},
    {"test_training_dropout_mask", "random: its expected output is one generator's"},
    {"test_bernoulli*", "random: its expected output is one generator's", true},
    {"test_nllloss*", "NegativeLogLikelihoodLoss, a training loss, is no operator here"},
    {"test_sce*", "SoftmaxCrossEntropyLoss, a training loss, is no operator here", true},
    {"test_if*", "If on an input: only conditions that follow from constants are written out"},
    {"test_loop*", "Loop whose state is no tensor, or whose rounds depend on an input"},
    {"test_range_float_type_positive_delta_expanded*", "Loop whose rounds depend on an input", true},
    {"test_range_int32_type_negative_delta_expanded*", "Loop whose rounds depend on an input", true},
    {"test_scan*", "Scan is no operator here"},
    {"test_identity_opt", "optional, which is no tensor"},
    {"test_optional*", "optional, which is no tensor"},
    {"test_identity_sequence", "a sequence, which is no tensor"},
    {"test_sequence_insert*", "a sequence, which is no tensor"},
    {"test_sequence_map*", "a sequence, which is no tensor", true},
    {"test_sequence_model*", "a sequence, which is no tensor"},
    {"test_cast_FLOAT_to_STRING*", "strings"},
    {"test_cast_STRING_to_FLOAT*", "strings"},
    {"test_castlike_FLOAT_to_STRING*", "strings", true},
    {"test_castlike_STRING_to_FLOAT*", "strings", true},
    {"test_strnorm*", "strings"},
    {"test_cast_BFLOAT16_to_FLOAT*", "its data call bfloat16 uint16"},
    {"test_cast_FLOAT_to_BFLOAT16*", "its data call bfloat16 uint16"},
    {"test_castlike_BFLOAT16_to_FLOAT*", "its data call bfloat16 uint16", true},
    {"test_castlike_FLOAT_to_BFLOAT16*", "its data call bfloat16 uint16", true},
    {"test_resize_downsample_scales_cubic_align_corners",
     "extents are floored before corners are aligned, as in ONNX Runtime; its data were made without"},
    {"test_resize_downsample_scales_linear_align_corners",
     "extents are floored before corners are aligned, as in ONNX Runtime; its data were made without"},
    {"test_blackmanwindow*", "signal processing: BlackmanWindow is no operator here"},
    {"test_hammingwindow*", "signal processing: HammingWindow is no operator here"},
    {"test_hannwindow*", "signal processing: HannWindow is no operator here"},
    {"test_dft*", "signal processing: DFT is no operator here"},
    {"test_stft*", "signal processing: STFT is no operator here"},
    {"test_melweightmatrix*", "signal processing: MelWeightMatrix is no operator here"},
    {"test_det*", "Det is no operator here"},
    {"test_gridsample*", "GridSample is no operator here"},
    {"test_nonmaxsuppression*", "NonMaxSuppression is no operator here"},
    {"test_roialign*", "RoiAlign is no operator here"},
    {"test_tfidfvectorizer*", "TfIdfVectorizer is no operator here"},
    {"test_unique*", "Unique is no operator here"},
};

/// The exception that names a model; nullptr where there is none.
inline const BackendException* find_exception(const std::string& model) {
  for (const BackendException& exception : kBackendExceptions) {
    std::string_view name = exception.models;
    bool named = name.ends_with('*') ? model.starts_with(name.substr(0, name.size() - 1)) : model == name;
    if (named && (exception.expanded || !model.ends_with("_expanded"))) {
      return &exception;
    }
  }
  return nullptr;
}

}  // namespace zeropoint::toolchain

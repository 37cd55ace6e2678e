#include "zeropoint/toolchain/array_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "data/boundary.h"
#include "zeropoint/toolchain/convert_elements.h"

namespace zeropoint::toolchain {
namespace {

/// Samples whose last axis is their channels become planes of channels (or back, with the two counts
/// exchanged).
void exchange_axes(std::span<float> values, std::size_t rows, std::size_t columns) {
  std::vector<float> old(values.begin(), values.end());
  for (std::size_t i = 0; i < old.size(); ++i) {
    values[i % columns * rows + i / columns] = old[i];
  }
}

class ArrayDataset final : public Dataset {
 public:
  ArrayDataset(std::shared_ptr<const ArraySource> samples, std::vector<std::int64_t> labels,
               std::int64_t labels_per_sample, ArrayDatasetOptions options)
      : samples_(std::move(samples)),
        labels_(std::move(labels)),
        labels_per_sample_(labels_per_sample),
        options_(std::move(options)) {}

  [[nodiscard]] std::int64_t size() const override { return samples_->rows(); }
  [[nodiscard]] const Shape& sample_shape() const override { return options_.sample_shape; }
  [[nodiscard]] ElementType element_type() const override { return options_.type; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return class_names_; }
  [[nodiscard]] std::int64_t labels_per_sample() const override { return labels_per_sample_; }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override {
    return labels_.empty() || labels_per_sample_ != 1 ? -1 : labels_[static_cast<std::size_t>(index)];
  }
  Status read_labels(std::int64_t index, std::span<std::int64_t> out) const override {
    if (labels_per_sample_ == 1) {
      return Dataset::read_labels(index, out);
    }
    if (index < 0 || index >= size() || static_cast<std::int64_t>(out.size()) != labels_per_sample_) {
      return Status::invalid_argument(
          fmt::format("{}: there are no {} labels of sample {}", description(), out.size(), index));
    }
    std::copy_n(labels_.begin() + index * labels_per_sample_, labels_per_sample_, out.begin());
    return {};
  }
  Status read_bytes(std::int64_t index, std::span<std::byte> out) const override {
    return without_exceptions("array", [&]() -> Status {
      ZP_RETURN_IF_ERROR(check_read(index, out));
      if (samples_->type() == options_.type && options_.transform.steps.empty()) {
        return samples_->read(index, out);
      }
      Tensor own(samples_->type(), own_shape());
      std::span<std::byte> bytes(own.bytes(), own.byte_size());
      ZP_RETURN_IF_ERROR(samples_->read(index, bytes));
      ElementType between = options_.transform.steps.empty() ? own.type() : ElementType::kFloat32;
      ZP_ASSIGN_OR_RETURN(Tensor floats, converted(own, between));
      if (!options_.transform.steps.empty()) {
        transform(floats.data<float>());
      }
      return convert_elements(between, {floats.bytes(), floats.byte_size()}, options_.type, out)
          .at(samples_->name());
    });
  }
  [[nodiscard]] std::string description() const override {
    return fmt::format("{} samples, {}", size(), samples_->name());
  }

 private:
  [[nodiscard]] Shape own_shape() const { return {samples_->shape().begin() + 1, samples_->shape().end()}; }

  void transform(std::span<float> values) const {
    Shape shape = own_shape();
    bool last = options_.layout == Layout::kNhwc;
    std::int64_t channels = shape.empty() ? 1 : (last ? shape.back() : shape.front());
    if (values.empty()) {
      return;
    }
    auto planes = static_cast<std::size_t>(channels);
    if (last) {
      exchange_axes(values, values.size() / planes, planes);
    }
    options_.transform.apply(values, channels);
    if (last) {
      exchange_axes(values, planes, values.size() / planes);
    }
  }

  std::shared_ptr<const ArraySource> samples_;
  std::vector<std::int64_t> labels_;
  std::int64_t labels_per_sample_;
  ArrayDatasetOptions options_;
  std::vector<std::string> class_names_;
};

Shape without_ones(Shape shape) {
  shape.erase(std::remove(shape.begin(), shape.end(), 1), shape.end());
  return shape;
}

Result<std::vector<std::int64_t>> read_all(const ArraySource& labels) {
  if (!is_integer(labels.type()) || labels.shape().size() > 2) {
    return Status::invalid_argument(
        fmt::format("{}: labels are integers [samples] or [samples, labels], not {} {}", labels.name(),
                    name_of(labels.type()), to_string(labels.shape())));
  }
  Tensor own(labels.type(), labels.shape());
  ZP_RETURN_IF_ERROR(labels.read(0, {own.bytes(), own.byte_size()}));
  Result<Tensor> numbers = converted(own, ElementType::kInt64);
  ZP_RETURN_IF_ERROR(numbers.status().at(labels.name()));
  std::span<const std::int64_t> values = std::as_const(*numbers).data<std::int64_t>();
  return std::vector<std::int64_t>(values.begin(), values.end());
}

Result<std::unique_ptr<Dataset>> make(std::shared_ptr<const ArraySource> samples,
                                      const std::shared_ptr<const ArraySource>& labels,
                                      ArrayDatasetOptions options) {
  Shape own(samples->shape().begin() + 1, samples->shape().end());
  if (options.sample_shape.empty() || without_ones(own) != without_ones(options.sample_shape)) {
    options.sample_shape = own;
  }
  bool transforms = !options.transform.steps.empty();
  Status fits = check_convertible(samples->type(), transforms ? ElementType::kFloat32 : options.type);
  if (fits.ok() && transforms) {
    std::int64_t channels = own.empty() ? 1 : (options.layout == Layout::kNhwc ? own.back() : own.front());
    ZP_RETURN_IF_ERROR(check_convertible(ElementType::kFloat32, options.type).at(samples->name()));
    fits = options.transform.validate(channels);
  }
  ZP_RETURN_IF_ERROR(fits.at(samples->name()));
  std::vector<std::int64_t> numbers;
  std::int64_t each = 1;
  if (labels != nullptr) {
    if (labels->rows() != samples->rows()) {
      return Status::invalid_argument(fmt::format("{}: {} labels for the {} samples of {}", labels->name(),
                                                  labels->rows(), samples->rows(), samples->name()));
    }
    ZP_ASSIGN_OR_RETURN(numbers, read_all(*labels));
    each = labels->shape().size() == 2 ? labels->shape()[1] : 1;
    if (each < 1) {
      return Status::invalid_argument(
          fmt::format("{}: there are no labels in {}", labels->name(), to_string(labels->shape())));
    }
  }
  return std::unique_ptr<Dataset>(
      new ArrayDataset(std::move(samples), std::move(numbers), each, std::move(options)));
}

}  // namespace

Result<std::unique_ptr<Dataset>> array_dataset(std::shared_ptr<const ArraySource> samples,
                                               const std::shared_ptr<const ArraySource>& labels,
                                               const ArrayDatasetOptions& options) {
  return without_exceptions("array", [&] { return make(std::move(samples), labels, options); });
}

}  // namespace zeropoint::toolchain

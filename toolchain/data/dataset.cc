#include "zeropoint/toolchain/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "data/boundary.h"
#include "zeropoint/toolchain/random.h"

namespace zeropoint::toolchain {
namespace {

class Subset final : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> data, std::vector<std::int64_t> indices)
      : data_(std::move(data)), indices_(std::move(indices)) {}

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  [[nodiscard]] const Shape& sample_shape() const override { return data_->sample_shape(); }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return data_->class_names(); }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override {
    return data_->label(original(index));
  }
  [[nodiscard]] ElementType element_type() const override { return data_->element_type(); }
  [[nodiscard]] std::int64_t labels_per_sample() const override { return data_->labels_per_sample(); }
  Status read_labels(std::int64_t index, std::span<std::int64_t> out) const override {
    if (index < 0 || index >= size()) {
      return Status::invalid_argument(fmt::format("{}: there is no sample {}", description(), index));
    }
    return data_->read_labels(original(index), out);
  }
  Status read_bytes(std::int64_t index, std::span<std::byte> out) const override {
    ZP_RETURN_IF_ERROR(check_read(index, out));
    return data_->read_bytes(original(index), out);
  }
  [[nodiscard]] std::string description() const override {
    return fmt::format("{} of {}", size(), data_->description());
  }

 private:
  [[nodiscard]] std::int64_t original(std::int64_t index) const {
    return indices_[static_cast<std::size_t>(index)];
  }

  std::shared_ptr<const Dataset> data_;
  std::vector<std::int64_t> indices_;
};

Status check_count(std::int64_t count) {
  return count < 0 ? Status::invalid_argument(fmt::format("cannot take {} samples", count)) : Status();
}

std::vector<std::int64_t> first_indices(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

}  // namespace

Status check(const ByteImages& images) {
  Result<std::int64_t> count = element_count(images.shape);
  if (images.shape.size() != 3 || !count.ok() || *count == 0) {
    return Status::invalid_argument(fmt::format("{}: image shape {} is not [channels, height, width]",
                                                images.description, to_string(images.shape)));
  }
  std::size_t image = static_cast<std::size_t>(*count);
  if (images.pixels.size() / image != images.labels.size() || images.pixels.size() % image != 0) {
    return Status::invalid_argument(fmt::format("{}: {} bytes of pixels are not {} images {}",
                                                images.description, images.pixels.size(),
                                                images.labels.size(), to_string(images.shape)));
  }
  auto classes = static_cast<std::int64_t>(images.class_names.size());
  for (std::size_t i = 0; i < images.labels.size(); ++i) {
    if (images.labels[i] < 0 || images.labels[i] >= classes) {
      return Status::invalid_argument(fmt::format("{}: image {} has label {}; there are {} classes",
                                                  images.description, i, images.labels[i], classes));
    }
  }
  return {};
}

Status Dataset::check_read(std::int64_t index, std::span<const std::byte> out) const {
  if (index < 0 || index >= size()) {
    return Status::invalid_argument(fmt::format("{}: there is no sample {}", description(), index));
  }
  Result<std::int64_t> count = element_count(sample_shape());
  std::size_t width = size_of(element_type());
  if (!count.ok() || static_cast<std::size_t>(*count) * width != out.size()) {
    return Status::invalid_argument(fmt::format("{}: a sample is {} {}, not {} elements", description(),
                                                name_of(element_type()), to_string(sample_shape()),
                                                out.size() / width));
  }
  return {};
}

Status Dataset::read(std::int64_t index, std::span<float> out) const {
  if (element_type() != ElementType::kFloat32) {
    return Status::invalid_argument(
        fmt::format("{}: the samples are {}, not float32", description(), name_of(element_type())));
  }
  return read_bytes(index, std::as_writable_bytes(out));
}

Status Dataset::read_labels(std::int64_t index, std::span<std::int64_t> out) const {
  if (index < 0 || index >= size() || out.size() != 1) {
    return Status::invalid_argument(
        fmt::format("{}: there are no {} labels of sample {}", description(), out.size(), index));
  }
  out[0] = label(index);
  return {};
}

ImageDataset::ImageDataset(ByteImages images, const Transform& transform) : images_(std::move(images)) {
  // A transform works on each value alone, so what it does to all 256 bytes is all it can do.
  std::int64_t channels = images_.shape[0];
  table_.resize(static_cast<std::size_t>(channels) * 256);
  for (std::size_t i = 0; i < table_.size(); ++i) {
    table_[i] = static_cast<float>(i % 256);
  }
  transform.apply(table_, channels);
}

Result<std::unique_ptr<Dataset>> ImageDataset::make(ByteImages images, Transform transform) {
  return without_exceptions("image data set", [&]() -> Result<std::unique_ptr<Dataset>> {
    ZP_RETURN_IF_ERROR(check(images));
    ZP_RETURN_IF_ERROR(transform.validate(images.shape[0]).at(images.description));
    return std::unique_ptr<Dataset>(new ImageDataset(std::move(images), transform));
  });
}

Status ImageDataset::read_bytes(std::int64_t index, std::span<std::byte> bytes) const {
  ZP_RETURN_IF_ERROR(check_read(index, bytes));
  std::span<float> out(reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float));
  const std::uint8_t* pixel = images_.pixels.data() + static_cast<std::size_t>(index) * out.size();
  std::size_t plane = static_cast<std::size_t>(images_.shape[1] * images_.shape[2]);
  const float* table = table_.data();
  for (std::size_t start = 0; start < out.size(); start += plane, table += 256) {
    for (float& value : out.subspan(start, plane)) {
      value = table[*pixel++];
    }
  }
  return {};
}

Result<std::unique_ptr<Dataset>> subset(std::shared_ptr<const Dataset> data,
                                        std::vector<std::int64_t> indices) {
  return without_exceptions("subset", [&]() -> Result<std::unique_ptr<Dataset>> {
    for (std::int64_t index : indices) {
      if (index < 0 || index >= data->size()) {
        return Status::invalid_argument(fmt::format("{}: there is no sample {}", data->description(), index));
      }
    }
    return std::unique_ptr<Dataset>(new Subset(std::move(data), std::move(indices)));
  });
}

Result<std::unique_ptr<Dataset>> first_samples(std::shared_ptr<const Dataset> data, std::int64_t count) {
  return without_exceptions("subset", [&]() -> Result<std::unique_ptr<Dataset>> {
    ZP_RETURN_IF_ERROR(check_count(count));
    std::int64_t size = data->size();
    return subset(std::move(data), first_indices(std::min(count, size)));
  });
}

Result<std::unique_ptr<Dataset>> random_samples(std::shared_ptr<const Dataset> data, std::int64_t count,
                                                std::uint64_t seed) {
  return without_exceptions("subset", [&]() -> Result<std::unique_ptr<Dataset>> {
    ZP_RETURN_IF_ERROR(check_count(count));
    std::vector<std::int64_t> indices = first_indices(data->size());
    Random(seed).shuffle(indices);
    indices.resize(static_cast<std::size_t>(std::min(count, data->size())));
    std::sort(indices.begin(), indices.end());
    return subset(std::move(data), std::move(indices));
  });
}

}  // namespace zeropoint::toolchain

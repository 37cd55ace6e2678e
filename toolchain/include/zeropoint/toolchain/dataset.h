#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/tensor.h"
#include "zeropoint/toolchain/transform.h"

namespace zeropoint::toolchain {

/// Numbered samples of one shape and element type, as the network wants them, preprocessing done. An
/// implementation may hold them in memory or decode them when they are asked for. All members may be called
/// from many threads.
class Dataset {
 public:
  virtual ~Dataset() = default;

  /// The number of samples.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// The shape of one sample without a batch axis: [1, 28, 28], or [49, 10] for what is not an image.
  [[nodiscard]] virtual const Shape& sample_shape() const = 0;
  /// What read_bytes() writes: float32 for most networks, int64 for numbers of words.
  [[nodiscard]] virtual ElementType element_type() const { return ElementType::kFloat32; }
  /// The names of the classes, in the order of the labels; empty when samples have no label or
  /// their classes no names.
  [[nodiscard]] virtual const std::vector<std::string>& class_names() const = 0;
  /// The label of sample `index` in [0, size()): a class number, or -1 when there is none or more than one.
  [[nodiscard]] virtual std::int64_t label(std::int64_t index) const = 0;
  /// How many labels a sample has: 1 for classification, one per position for language models.
  [[nodiscard]] virtual std::int64_t labels_per_sample() const { return 1; }
  /// Writes the labels of sample `index`, labels_per_sample() of them; -1 stands for one that does not count.
  /// Errors as read_bytes().
  virtual Status read_labels(std::int64_t index, std::span<std::int64_t> out) const;
  /// Writes sample `index` to `out`, which must have the bytes of one sample and be aligned for its elements.
  /// kInvalidArgument for another size or an index outside [0, size()); otherwise what reading or decoding
  /// ran into.
  virtual Status read_bytes(std::int64_t index, std::span<std::byte> out) const = 0;
  /// The same for float32 samples; kInvalidArgument when they are of another type.
  Status read(std::int64_t index, std::span<float> out) const;
  /// One line that says which data it is and where it is from: "MNIST test, 10000 images, /data/mnist".
  [[nodiscard]] virtual std::string description() const = 0;

  [[nodiscard]] std::int64_t classes() const { return static_cast<std::int64_t>(class_names().size()); }

 protected:
  Dataset() = default;
  Dataset(const Dataset&) = default;
  Dataset& operator=(const Dataset&) = default;

  /// The two checks that every read_bytes() starts with.
  [[nodiscard]] Status check_read(std::int64_t index, std::span<const std::byte> out) const;
};

/// Images in bytes, as a data set stores them.
struct ByteImages {
  Shape shape;                       ///< of one image: [channels, height, width]
  std::vector<std::uint8_t> pixels;  ///< all images one after another, each in the order of `shape`
  std::vector<std::int64_t> labels;  ///< one per image, in [0, class_names.size())
  std::vector<std::string> class_names;
  std::string description;
};

/// kInvalidArgument when the parts contradict each other: shape, pixel count, label count, a label that is no
/// class.
Status check(const ByteImages& images);

/// Byte images held in memory; each read is one table look-up per pixel.
class ImageDataset final : public Dataset {
 public:
  /// Errors of check(), and kInvalidArgument when `transform` is not valid for the channels.
  static Result<std::unique_ptr<Dataset>> make(ByteImages images, Transform transform);

  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(images_.labels.size());
  }
  [[nodiscard]] const Shape& sample_shape() const override { return images_.shape; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return images_.class_names; }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override {
    return images_.labels[static_cast<std::size_t>(index)];
  }
  Status read_bytes(std::int64_t index, std::span<std::byte> out) const override;
  [[nodiscard]] std::string description() const override { return images_.description; }

 private:
  ImageDataset(ByteImages images, const Transform& transform);

  ByteImages images_;
  std::vector<float> table_;  ///< [channels, 256]: the transformed value of each byte
};

/// The samples of `data` that `indices` names, in that order, as a data set of their own; nothing is copied.
/// kInvalidArgument for an index outside [0, data->size()).
Result<std::unique_ptr<Dataset>> subset(std::shared_ptr<const Dataset> data,
                                        std::vector<std::int64_t> indices);

/// The first `count` samples, or all where there are fewer. kInvalidArgument when count is negative.
Result<std::unique_ptr<Dataset>> first_samples(std::shared_ptr<const Dataset> data, std::int64_t count);

/// `count` different samples drawn by `seed`, or all where there are fewer, in ascending order.
/// kInvalidArgument when count is negative.
Result<std::unique_ptr<Dataset>> random_samples(std::shared_ptr<const Dataset> data, std::int64_t count,
                                                std::uint64_t seed);

}  // namespace zeropoint::toolchain

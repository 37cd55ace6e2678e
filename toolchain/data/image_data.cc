#include "zeropoint/toolchain/image_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "data/boundary.h"

namespace zeropoint::toolchain {
namespace {

class MemoryImages final : public ImageSource {
 public:
  explicit MemoryImages(ByteImages images) : images_(std::move(images)) {}

  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(images_.labels.size());
  }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return images_.class_names; }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override {
    return images_.labels[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] Result<Image> image(std::int64_t index) const override {
    auto channels = static_cast<std::size_t>(images_.shape[0]);
    Image image{images_.shape[1], images_.shape[2], images_.shape[0], {}};
    std::size_t plane = static_cast<std::size_t>(image.height * image.width);
    image.pixels.resize(plane * channels);
    const std::uint8_t* planes =
        images_.pixels.data() + static_cast<std::size_t>(index) * image.pixels.size();
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      image.pixels[i % plane * channels + i / plane] = planes[i];
    }
    return image;
  }
  [[nodiscard]] std::string name(std::int64_t index) const override { return fmt::format("image {}", index); }
  [[nodiscard]] std::string description() const override { return images_.description; }

 private:
  ByteImages images_;
};

class PreprocessedImages final : public Dataset {
 public:
  PreprocessedImages(std::shared_ptr<const ImageSource> images, const Preprocess& how, Shape shape)
      : images_(std::move(images)), how_(how), shape_(std::move(shape)) {}

  [[nodiscard]] std::int64_t size() const override { return images_->size(); }
  [[nodiscard]] const Shape& sample_shape() const override { return shape_; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override {
    return images_->class_names();
  }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override { return images_->label(index); }
  Status read_bytes(std::int64_t index, std::span<std::byte> out) const override {
    return without_exceptions("image", [&]() -> Status {
      ZP_RETURN_IF_ERROR(check_read(index, out));
      ZP_ASSIGN_OR_RETURN(Image image, images_->image(index));
      Result<std::vector<float>> values = preprocess(how_, image);
      ZP_RETURN_IF_ERROR(values.status().at(images_->name(index)));
      // Sizes that follow the image may have the right number of pixels and the wrong sides.
      std::int64_t channels = channels_after(how_, image.channels);
      ZP_ASSIGN_OR_RETURN(PixelSize size, size_after(how_, {image.height, image.width}));
      if (shape_after(how_, channels, size) != shape_) {
        return Status::invalid_argument(fmt::format(
            "{}: the image gives {} and the first one {}; say a size to resize or crop to, and channels",
            images_->name(index), to_string(shape_after(how_, channels, size)), to_string(shape_)));
      }
      std::memcpy(out.data(), values->data(), out.size());
      return {};
    });
  }
  [[nodiscard]] std::string description() const override { return images_->description(); }

 private:
  std::shared_ptr<const ImageSource> images_;
  Preprocess how_;
  Shape shape_;
};

/// The shape of all samples: from the description alone where that says it, else from the first image.
Result<Shape> sample_shape(const ImageSource& images, const Preprocess& how) {
  std::optional<PixelSize> size = how.crop ? how.crop : how.resize;
  if (how.channels && size && !(how.crop && how.resize)) {
    return shape_after(how, channels_after(how, 3), *size);
  }
  ZP_ASSIGN_OR_RETURN(Image first, images.image(0));
  Result<PixelSize> after = size_after(how, {first.height, first.width});
  ZP_RETURN_IF_ERROR(after.status().at(images.name(0)));
  return shape_after(how, channels_after(how, first.channels), *after);
}

}  // namespace

Result<std::shared_ptr<const ImageSource>> images_in_memory(ByteImages images) {
  return without_exceptions("images", [&]() -> Result<std::shared_ptr<const ImageSource>> {
    ZP_RETURN_IF_ERROR(check(images));
    if (images.shape[0] != 1 && images.shape[0] != 3) {
      return Status::invalid_argument(
          fmt::format("{}: {} channels; 1 and 3 are read", images.description, images.shape[0]));
    }
    return std::shared_ptr<const ImageSource>(std::make_shared<MemoryImages>(std::move(images)));
  });
}

Result<std::unique_ptr<Dataset>> preprocessed_images(std::shared_ptr<const ImageSource> images,
                                                     const Preprocess& how) {
  return without_exceptions("images", [&]() -> Result<std::unique_ptr<Dataset>> {
    ZP_RETURN_IF_ERROR(how.validate());
    if (images->size() == 0) {
      return Status::not_found(images->description() + ": there are no images");
    }
    ZP_ASSIGN_OR_RETURN(Shape shape, sample_shape(*images, how));
    ZP_RETURN_IF_ERROR(how.transform.validate(how.layout == Layout::kNchw ? shape[0] : shape[2]));
    return std::unique_ptr<Dataset>(new PreprocessedImages(std::move(images), how, std::move(shape)));
  });
}

}  // namespace zeropoint::toolchain

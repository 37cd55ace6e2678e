#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "zeropoint/status.h"
#include "zeropoint/toolchain/dataset.h"
#include "zeropoint/toolchain/image.h"
#include "zeropoint/toolchain/preprocess.h"

namespace zeropoint::toolchain {

/// Numbered images as they are stored, decoded when they are asked for. All members may be called from many
/// threads.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  ImageSource() = default;
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;

  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// The names of the classes in the order of the labels; empty where they have none.
  [[nodiscard]] virtual const std::vector<std::string>& class_names() const = 0;
  /// The label of image `index` in [0, size()); -1 when there is none.
  [[nodiscard]] virtual std::int64_t label(std::int64_t index) const = 0;
  /// Image `index` in [0, size()). Errors name the file.
  [[nodiscard]] virtual Result<Image> image(std::int64_t index) const = 0;
  /// What messages call image `index`.
  [[nodiscard]] virtual std::string name(std::int64_t index) const = 0;
  /// One line that says which images these are.
  [[nodiscard]] virtual std::string description() const = 0;
};

/// Images held in memory. kInvalidArgument when the parts contradict each other, or channels are not 1 or 3.
Result<std::shared_ptr<const ImageSource>> images_in_memory(ByteImages images);

/// The JPEG and PNG files of a folder, with their labels. In this order of preference: `labels_file`, if it
/// is not empty, or labels.csv in the folder, lists files and labels (two columns, "file" and "label" or
/// "class", or more columns with these among them); or each class has a folder of its own, whose sorted names
/// are the class numbers; or the images have no labels, in the order of their names. Errors name the file or
/// the line: kNotFound when there are no images or a listed one is not there; kCorrupt for a list that cannot
/// be read.
Result<std::shared_ptr<const ImageSource>> open_image_folder(const std::string& folder,
                                                             const std::string& labels_file = "");

/// The images with `how` done to each. Without a size to resize or crop to, all must have the size of the
/// first. kInvalidArgument when `how` does not fit the images.
Result<std::unique_ptr<Dataset>> preprocessed_images(std::shared_ptr<const ImageSource> images,
                                                     const Preprocess& how);

}  // namespace zeropoint::toolchain

#include "zeropoint/toolchain/mnist.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "data/boundary.h"
#include "zeropoint/toolchain/idx.h"

namespace zeropoint::toolchain {
namespace {

/// The file `stem` + "-idx3-ubyte" of `folder` in whichever spelling is there, or "".
std::string find_file(const std::string& folder, const std::string& stem, int rank) {
  for (const char* separator : {"-", "."}) {
    for (const char* ending : {"", ".gz"}) {
      std::string path = fmt::format("{}/{}{}idx{}-ubyte{}", folder, stem, separator, rank, ending);
      std::error_code ignored;
      if (std::filesystem::is_regular_file(path, ignored)) {
        return path;
      }
    }
  }
  return "";
}

/// Where below a folder the files may be.
constexpr const char* kPlaces[] = {"", "/mnist", "/MNIST/raw"};

std::string prefix_of(Split split) { return split == Split::kTrain ? "train" : "t10k"; }

struct Paths {
  std::string images;
  std::string labels;
};

Result<Paths> find_files(const std::string& folder, const std::string& prefix) {
  for (const char* place : kPlaces) {
    std::string here = folder + place;
    Paths paths{find_file(here, prefix + "-images", 3), find_file(here, prefix + "-labels", 1)};
    if (paths.images.empty() && paths.labels.empty()) {
      continue;
    }
    if (paths.images.empty() || paths.labels.empty()) {
      return Status::not_found(fmt::format("{}/{}-{}-ubyte[.gz] is missing beside {}", here, prefix,
                                           paths.images.empty() ? "images-idx3" : "labels-idx1",
                                           paths.images.empty() ? paths.labels : paths.images));
    }
    return paths;
  }
  return Status::not_found(fmt::format(
      "{}: no {}-images-idx3-ubyte[.gz] here or in mnist/ or MNIST/raw/ below it; name the folder that "
      "holds the MNIST files or download them",
      folder, prefix));
}

Result<ByteImages> read(const std::string& folder, Split split) {
  ZP_ASSIGN_OR_RETURN(Paths paths, find_files(folder, prefix_of(split)));
  ZP_ASSIGN_OR_RETURN(IdxArray images, read_idx(paths.images));
  ZP_ASSIGN_OR_RETURN(IdxArray labels, read_idx(paths.labels));
  if (images.shape.size() != 3) {
    return Status::corrupt(fmt::format("{}: the header says {}; images are [count, height, width]",
                                       paths.images, to_string(images.shape)));
  }
  if (labels.shape.size() != 1) {
    return Status::corrupt(
        fmt::format("{}: the header says {}; labels are [count]", paths.labels, to_string(labels.shape)));
  }
  if (images.data.empty()) {
    return Status::corrupt(fmt::format("{}: holds no images ({})", paths.images, to_string(images.shape)));
  }
  if (images.shape[0] != labels.shape[0]) {
    return Status::corrupt(fmt::format("{}: holds {} labels for the {} images of {}", paths.labels,
                                       labels.shape[0], images.shape[0], paths.images));
  }
  for (std::size_t i = 0; i < labels.data.size(); ++i) {
    if (labels.data[i] > 9) {
      return Status::corrupt(
          fmt::format("{}: label {} is {}; digits are 0 to 9", paths.labels, i, labels.data[i]));
    }
  }
  ByteImages content;
  content.shape = {1, images.shape[1], images.shape[2]};
  content.pixels = std::move(images.data);
  content.labels.assign(labels.data.begin(), labels.data.end());
  content.class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  content.description =
      fmt::format("MNIST {}, {} images, {}", split == Split::kTrain ? "train" : "test", images.shape[0],
                  std::filesystem::path(paths.images).parent_path().string());
  return content;
}

}  // namespace

bool has_mnist(const std::string& folder, Split split) {
  std::string prefix = prefix_of(split);
  return std::any_of(std::begin(kPlaces), std::end(kPlaces), [&](const char* place) {
    return !find_file(folder + place, prefix + "-images", 3).empty();
  });
}

Result<ByteImages> read_mnist(const std::string& folder, Split split) {
  return without_exceptions("MNIST", [&] { return read(folder, split); });
}

Result<std::unique_ptr<Dataset>> load_mnist(const std::string& folder, Split split, Transform transform) {
  ZP_ASSIGN_OR_RETURN(ByteImages images, read_mnist(folder, split));
  return ImageDataset::make(std::move(images), std::move(transform));
}

}  // namespace zeropoint::toolchain

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "data/boundary.h"
#include "data/labels_csv.h"
#include "import/printable.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/image_data.h"

namespace zeropoint::toolchain {
namespace {

namespace fs = std::filesystem;

class FolderImages final : public ImageSource {
 public:
  FolderImages(std::string folder, std::vector<LabelledFile> files, std::vector<std::string> class_names)
      : folder_(std::move(folder)), files_(std::move(files)), class_names_(std::move(class_names)) {}

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return class_names_; }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override { return at(index).label; }
  [[nodiscard]] Result<Image> image(std::int64_t index) const override { return read_image(name(index)); }
  [[nodiscard]] std::string name(std::int64_t index) const override { return folder_ + "/" + at(index).file; }
  [[nodiscard]] std::string description() const override {
    return fmt::format("{} images, {}", files_.size(), folder_);
  }

 private:
  [[nodiscard]] const LabelledFile& at(std::int64_t index) const {
    return files_[static_cast<std::size_t>(index)];
  }

  std::string folder_;
  std::vector<LabelledFile> files_;
  std::vector<std::string> class_names_;
};

bool is_image_name(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

/// The names in a folder, sorted; hidden ones left out.
std::vector<std::string> sorted_names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with('.')) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<LabelledFile>> listed_files(const fs::path& folder, const std::string& list) {
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, read_file(list));
  Result<std::vector<LabelledFile>> files =
      parse_labels_csv({reinterpret_cast<const char*>(content.data()), content.size()});
  ZP_RETURN_IF_ERROR(files.status().at(list));
  for (const LabelledFile& file : *files) {
    // A list that came with the images names images beside it, nothing else of this machine.
    fs::path path(file.file);
    if (path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end()) {
      return Status::corrupt(fmt::format("{}: '{}' is not in the folder", list, printable(file.file)));
    }
    if (!fs::is_regular_file(folder / path)) {
      return Status::not_found(fmt::format("{}: '{}' is listed and not there", list, printable(file.file)));
    }
  }
  return files;
}

Result<std::shared_ptr<const ImageSource>> open_folder(const std::string& folder,
                                                       const std::string& labels_file) {
  if (!fs::is_directory(folder)) {
    return Status::not_found(folder + ": there is no such folder");
  }
  std::string list = labels_file.empty() ? folder + "/labels.csv" : labels_file;
  std::vector<LabelledFile> files;
  std::vector<std::string> classes;
  if (!labels_file.empty() || fs::exists(list)) {
    ZP_ASSIGN_OR_RETURN(files, listed_files(folder, list));
  } else {
    std::vector<LabelledFile> unlabelled;
    for (const std::string& name : sorted_names(folder)) {
      fs::path path = fs::path(folder) / name;
      if (fs::is_directory(path)) {
        auto label = static_cast<std::int64_t>(classes.size());
        classes.push_back(name);
        for (const std::string& file : sorted_names(path)) {
          if (is_image_name(file)) {
            files.push_back({name + "/" + file, label});
          }
        }
      } else if (is_image_name(name)) {
        unlabelled.push_back({name, -1});
      }
    }
    if (!files.empty() && !unlabelled.empty()) {
      return Status::invalid_argument(fmt::format(
          "{}: images both in folders of classes and outside of them ({})", folder, unlabelled[0].file));
    }
    if (files.empty()) {
      files = std::move(unlabelled);
      classes.clear();
    }
  }
  if (files.empty()) {
    return Status::not_found(folder +
                             ": no images (.jpg, .jpeg, .png), no labels.csv and no folders of classes");
  }
  return std::shared_ptr<const ImageSource>(
      std::make_shared<FolderImages>(folder, std::move(files), std::move(classes)));
}

}  // namespace

Result<std::shared_ptr<const ImageSource>> open_image_folder(const std::string& folder,
                                                             const std::string& labels_file) {
  return without_exceptions(folder.c_str(), [&] { return open_folder(folder, labels_file); });
}

}  // namespace zeropoint::toolchain

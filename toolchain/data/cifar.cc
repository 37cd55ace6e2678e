#include "zeropoint/toolchain/cifar.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "data/boundary.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::size_t kPixels = 3072;

std::vector<std::string> class_names(CifarKind kind) {
  if (kind == CifarKind::kCifar10) {
    return {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  }
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) {
    names.push_back(std::to_string(i));
  }
  return names;
}

Result<CifarKind> kind_of(std::size_t size, CifarKind kind) {
  bool fits10 = size % (kPixels + 1) == 0;
  bool fits100 = size % (kPixels + 2) == 0;
  if (size == 0) {
    return Status::corrupt("the file is empty");
  }
  if (kind == CifarKind::kAuto) {
    kind = fits10 ? CifarKind::kCifar10 : CifarKind::kCifar100;
  }
  if (kind == CifarKind::kCifar10 ? !fits10 : !fits100) {
    return Status::corrupt(
        fmt::format("{} bytes are no whole number of CIFAR records, which are {} bytes in CIFAR-10 "
                    "and {} in CIFAR-100",
                    size, kPixels + 1, kPixels + 2));
  }
  return kind;
}

Result<ByteImages> parse(const std::vector<std::byte>& content, CifarKind wanted) {
  ZP_ASSIGN_OR_RETURN(CifarKind kind, kind_of(content.size(), wanted));
  std::size_t labels = kind == CifarKind::kCifar10 ? 1 : 2;
  std::size_t record = labels + kPixels;
  ByteImages images;
  images.shape = {3, 32, 32};
  images.class_names = class_names(kind);
  images.pixels.reserve(content.size() / record * kPixels);
  for (std::size_t at = 0; at < content.size(); at += record) {
    auto label = std::to_integer<std::int64_t>(content[at + labels - 1]);
    if (label >= static_cast<std::int64_t>(images.class_names.size())) {
      return Status::corrupt(fmt::format("record {} has label {}; there are {} classes", at / record, label,
                                         images.class_names.size()));
    }
    images.labels.push_back(label);
    for (std::size_t i = at + labels; i < at + record; ++i) {
      images.pixels.push_back(std::to_integer<std::uint8_t>(content[i]));
    }
  }
  return images;
}

std::string name_of(const ByteImages& images, const std::string& place) {
  return fmt::format("CIFAR-{}, {} images, {}", images.class_names.size(), images.labels.size(), place);
}

std::vector<std::string> files_in(const std::string& folder, Split split) {
  std::vector<std::string> candidates =
      split == Split::kTest
          ? std::vector<std::string>{"test_batch.bin", "test.bin"}
          : std::vector<std::string>{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                     "data_batch_4.bin", "data_batch_5.bin", "train.bin"};
  for (const char* place : {"", "/cifar-10-batches-bin", "/cifar-100-binary"}) {
    std::vector<std::string> files;
    for (const std::string& name : candidates) {
      std::error_code ignored;
      std::string path = fmt::format("{}{}/{}", folder, place, name);
      if (std::filesystem::is_regular_file(path, ignored)) {
        files.push_back(std::move(path));
      }
    }
    if (!files.empty()) {
      return files;
    }
  }
  return {};
}

Result<ByteImages> read_folder(const std::string& folder, Split split, CifarKind kind) {
  ByteImages all;
  for (const std::string& file : files_in(folder, split)) {
    ZP_ASSIGN_OR_RETURN(ByteImages some, read_cifar(file, kind));
    if (!all.labels.empty() && some.class_names != all.class_names) {
      return Status::corrupt(fmt::format("{}: CIFAR-{} among files of CIFAR-{}", file,
                                         some.class_names.size(), all.class_names.size()));
    }
    all.shape = some.shape;
    all.class_names = some.class_names;
    all.pixels.insert(all.pixels.end(), some.pixels.begin(), some.pixels.end());
    all.labels.insert(all.labels.end(), some.labels.begin(), some.labels.end());
  }
  if (all.labels.empty()) {
    return Status::not_found(
        fmt::format("{}: no {} here or in cifar-10-batches-bin/ or cifar-100-binary/ below it", folder,
                    split == Split::kTest ? "test_batch.bin or test.bin" : "data_batch_1.bin or train.bin"));
  }
  all.description = name_of(all, folder);
  return all;
}

}  // namespace

Result<ByteImages> read_cifar(const std::string& path, CifarKind kind) {
  return without_exceptions(path.c_str(), [&]() -> Result<ByteImages> {
    ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, read_file(path));
    Result<ByteImages> images = parse(content, kind);
    ZP_RETURN_IF_ERROR(images.status().at(path));
    images->description = name_of(*images, path);
    return images;
  });
}

Result<ByteImages> read_cifar_folder(const std::string& folder, Split split, CifarKind kind) {
  return without_exceptions(folder.c_str(), [&] { return read_folder(folder, split, kind); });
}

bool has_cifar(const std::string& folder, Split split) { return !files_in(folder, split).empty(); }

}  // namespace zeropoint::toolchain

#include "samples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "arrays.h"
#include "assignment.h"
#include "choice.h"
#include "zeropoint/toolchain/array_dataset.h"
#include "zeropoint/toolchain/cifar.h"
#include "zeropoint/toolchain/file.h"
#include "zeropoint/toolchain/image_data.h"
#include "zeropoint/toolchain/npy.h"

namespace zeropoint::cli {
namespace {

using toolchain::ArraySource;
using toolchain::CifarKind;
using toolchain::Dataset;
using toolchain::Graph;
using toolchain::Preprocess;
using toolchain::Split;

using Images = std::shared_ptr<const toolchain::ImageSource>;
using Array = std::shared_ptr<const ArraySource>;

const toolchain::Value& input_of(const Graph& graph) { return graph.value(graph.inputs.front()); }

/// The shape of one sample of the graph's input, where all of it is known; else empty.
Shape sample_shape_of(const Graph& graph) {
  const std::optional<toolchain::Dims>& dims = input_of(graph).dims;
  Shape shape;
  for (std::size_t i = 1; dims && i < dims->size(); ++i) {
    if (!(*dims)[i].known()) {
      return {};
    }
    shape.push_back((*dims)[i].extent);
  }
  return shape;
}

Result<DataFormat> format_of_path(const std::string& path, Split split) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    if (toolchain::has_mnist(path, split)) {
      return DataFormat::kMnist;
    }
    return toolchain::has_cifar(path, split) ? DataFormat::kCifar10 : DataFormat::kImages;
  }
  ZP_ASSIGN_OR_RETURN(FileKind kind, kind_of(parse_array_path(path).file));
  switch (kind) {
    case FileKind::kNpy:
    case FileKind::kZip:
      return DataFormat::kArrays;
    case FileKind::kImage:
      return Status::invalid_argument(path + ": one image is no data set; name the folder that it is in");
    case FileKind::kOther:
      break;
  }
  return DataFormat::kCifar10;
}

Result<Images> open_images(const SampleOptions& options, const std::string& path, DataFormat format,
                           Split split) {
  std::error_code ignored;
  bool is_folder = std::filesystem::is_directory(path, ignored);
  if (format == DataFormat::kImages) {
    return toolchain::open_image_folder(path, options.labels);
  }
  if (format == DataFormat::kMnist) {
    ZP_ASSIGN_OR_RETURN(toolchain::ByteImages images, toolchain::read_mnist(path, split));
    return toolchain::images_in_memory(std::move(images));
  }
  CifarKind kind = options.format == DataFormat::kAuto
                       ? CifarKind::kAuto
                       : (format == DataFormat::kCifar10 ? CifarKind::kCifar10 : CifarKind::kCifar100);
  Result<toolchain::ByteImages> images =
      is_folder ? toolchain::read_cifar_folder(path, split, kind) : toolchain::read_cifar(path, kind);
  if (!images.ok() && kind == CifarKind::kAuto && !is_folder) {
    return Status(images.status().code(),
                  images.status().message() + "; it is no .npy, .npz or folder of images either");
  }
  ZP_RETURN_IF_ERROR(images.status());
  return toolchain::images_in_memory(*std::move(images));
}

/// The array that `wanted` names, if the archive has one of them.
std::string first_of(const std::vector<std::string>& names, const std::vector<std::string>& wanted) {
  for (const std::string& name : wanted) {
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return name;
    }
  }
  return "";
}

struct Arrays {
  Array samples;
  Array labels;  ///< null: none
};

/// Samples and labels out of an archive, by the names that they usually have.
Result<Arrays> open_archive(const SampleOptions& options, const std::string& file, const Graph& graph) {
  ZP_ASSIGN_OR_RETURN(std::vector<std::byte> content, toolchain::read_file(file));
  Result<std::vector<std::string>> names = toolchain::npz_names(content);
  ZP_RETURN_IF_ERROR(names.status().at(file));
  std::string labels = first_of(*names, {"labels", "label", "y", "y_test", "targets"});
  std::string samples =
      first_of(*names, {input_of(graph).name, "inputs", "x", "x_test", "images", "data", "features"});
  if (samples.empty() && names->size() == (labels.empty() ? 1U : 2U)) {
    samples = (*names)[names->front() == labels ? 1 : 0];
  }
  if (samples.empty()) {
    return Status::invalid_argument(fmt::format(
        "{0}: which of the arrays {1} holds the samples? write {0}:NAME", file, fmt::join(*names, ", ")));
  }
  Arrays arrays;
  ZP_ASSIGN_OR_RETURN(arrays.samples, open_array(file + ":" + samples));
  if (options.labels.empty() && !labels.empty()) {
    ZP_ASSIGN_OR_RETURN(arrays.labels, open_array(file + ":" + labels));
  }
  return arrays;
}

Result<Arrays> open_arrays(const SampleOptions& options, const std::string& path, const Graph& graph) {
  ArrayPath place = parse_array_path(path);
  ZP_ASSIGN_OR_RETURN(FileKind kind, kind_of(place.file));
  Arrays arrays;
  if (kind == FileKind::kZip && place.name.empty()) {
    ZP_ASSIGN_OR_RETURN(arrays, open_archive(options, path, graph));
  } else {
    ZP_ASSIGN_OR_RETURN(arrays.samples, open_array(path));
  }
  if (!options.labels.empty()) {
    ZP_ASSIGN_OR_RETURN(arrays.labels, open_array(options.labels));
  }
  return arrays;
}

Result<std::unique_ptr<Dataset>> load_arrays(const SampleOptions& options, const std::string& path,
                                             const Preprocess& how, const Graph& graph) {
  if (how.shorter_side || how.resize || how.crop || how.channels) {
    return Status::invalid_argument(
        path +
        ": arrays are not resized, cropped or reordered; only scale, mean, std and "
        "layout apply to them");
  }
  ZP_ASSIGN_OR_RETURN(Arrays arrays, open_arrays(options, path, graph));
  toolchain::ArrayDatasetOptions conversion;
  conversion.type = input_of(graph).type;
  conversion.transform = how.transform;
  conversion.layout = how.layout;
  conversion.sample_shape = sample_shape_of(graph);
  return toolchain::array_dataset(arrays.samples, arrays.labels, conversion);
}

Result<Array> open_tokens(const SampleOptions& options) {
  ArrayPath path = parse_array_path(options.tokens);
  ZP_ASSIGN_OR_RETURN(FileKind kind, kind_of(path.file));
  return kind == FileKind::kNpy || kind == FileKind::kZip
             ? open_array(options.tokens)
             : toolchain::open_raw(path.file, options.token_type);
}

Result<Samples> load_tokens(const SampleOptions& options, const Graph& graph) {
  ZP_ASSIGN_OR_RETURN(Array tokens, open_tokens(options));
  Shape sample = sample_shape_of(graph);
  toolchain::TokenOptions windows;
  windows.type = input_of(graph).type;
  windows.stride = options.stride;
  windows.window = options.window;
  if (windows.window == 0) {
    if (sample.size() != 1) {
      return Status::invalid_argument(
          fmt::format("the model's input '{}' does not say how many tokens it takes; use --window",
                      input_of(graph).name));
    }
    windows.window = sample[0];
  }
  ZP_ASSIGN_OR_RETURN(std::unique_ptr<Dataset> data, toolchain::token_dataset(std::move(tokens), windows));
  return Samples{std::move(data), "", true};
}

/// The graph's input must be able to take the samples; where the graph leaves an extent open, the run says.
Status check_fits(const Dataset& data, const Graph& graph) {
  const toolchain::Value& input = input_of(graph);
  const Shape& sample = data.sample_shape();
  bool fits = !input.dims || input.dims->size() == sample.size() + 1;
  for (std::size_t i = 0; fits && input.dims && i < sample.size(); ++i) {
    const toolchain::Dim& dim = (*input.dims)[i + 1];
    fits = !dim.known() || dim.extent == sample[i];
  }
  if (!fits || data.element_type() != input.type) {
    return Status::invalid_argument(
        fmt::format("{}: samples are {} {}, and the model's input '{}' takes {} {}; {}", data.description(),
                    name_of(data.element_type()), to_string(sample), input.name, name_of(input.type),
                    input.dims ? toolchain::to_string(*input.dims) : "of any shape",
                    is_integer(input.type) ? "--tokens reads windows of a text"
                                           : "--resize, --crop, --channels and --layout change images"));
  }
  return {};
}

Result<Samples> load(const SampleOptions& options, Split split, const Graph& graph) {
  if (!options.tokens.empty()) {
    return load_tokens(options, graph);
  }
  ZP_ASSIGN_OR_RETURN(std::optional<Preprocess> given, options.preprocess.preprocess());
  std::string path = options.data.folder.empty() ? data_folder_from_environment() : options.data.folder;
  bool digits = options.data.synthetic || path.empty();
  DataFormat format = digits ? DataFormat::kMnist : options.format;
  if (format == DataFormat::kAuto) {
    ZP_ASSIGN_OR_RETURN(format, format_of_path(path, split));
  }
  if (format == DataFormat::kMnist && !given) {
    ZP_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> data, load_data(options.data, split));
    return Samples{std::move(data), toolchain::mnist_transform().to_string(), false};
  }
  if (digits) {
    return Status::invalid_argument("the embedded digits have a preprocessing of their own: " +
                                    toolchain::mnist_transform().to_string());
  }
  Preprocess how = given.value_or(Preprocess());
  std::unique_ptr<Dataset> data;
  if (format == DataFormat::kArrays) {
    ZP_ASSIGN_OR_RETURN(data, load_arrays(options, path, how, graph));
    return Samples{std::move(data), how.transform.steps.empty() ? "" : how.transform.to_string(), false};
  }
  if (!options.labels.empty() && format != DataFormat::kImages) {
    return Status::invalid_argument(
        "--labels is for arrays and folders of images; these data have labels of their own");
  }
  // Folders mix grey and coloured files; networks for images take colour unless it is said otherwise.
  if (format == DataFormat::kImages && !how.channels) {
    how.channels = toolchain::ChannelOrder::kRgb;
  }
  ZP_ASSIGN_OR_RETURN(Images images, open_images(options, path, format, split));
  ZP_ASSIGN_OR_RETURN(data, toolchain::preprocessed_images(std::move(images), how));
  return Samples{std::move(data), how.to_string(), false};
}

}  // namespace

void SampleOptions::add(CLI::App& command) {
  add_data_options(command, data);
  command.get_option("--data")->description(
      "Samples: a folder of images, of MNIST's or CIFAR's files, a CIFAR .bin, .npy, .npz or .npz:NAME "
      "(default: MNIST "
      "in $ZEROPOINT_DATA; without either, embedded digits)");
  add_choice<DataFormat>(command, "--data-format", format,
                         {{"auto", DataFormat::kAuto},
                          {"mnist", DataFormat::kMnist},
                          {"cifar10", DataFormat::kCifar10},
                          {"cifar100", DataFormat::kCifar100},
                          {"images", DataFormat::kImages},
                          {"arrays", DataFormat::kArrays}},
                         "What --data is, where that is not to be told from its content");
  command.add_option("--labels", labels,
                     "Labels: .npy or .npz:NAME for arrays, a .csv for folders of images");
  constexpr const char* kText = "Text";
  command.add_option("--tokens", tokens, "Numbers of tokens: .npy, .npz:NAME or raw little-endian integers")
      ->group(kText);
  add_choice<ElementType>(command, "--token-type", token_type,
                          {{"uint16", ElementType::kUint16},
                           {"int32", ElementType::kInt32},
                           {"uint32", ElementType::kUint32},
                           {"int64", ElementType::kInt64}},
                          "The integers of a raw file")
      ->group(kText);
  command.add_option("--window", window, "Tokens that the model sees at once (default: what its input says)")
      ->check(CLI::PositiveNumber)
      ->group(kText);
  command.add_option("--stride", stride, "From one window to the next (default: the window)")
      ->check(CLI::PositiveNumber)
      ->group(kText);
  command.add_option("--input", inputs,
                     "NAME=FILE.npy or NAME=FILE.npz:ARRAY: samples of a further input, where the model has "
                     "several");
  preprocess.add(command);
}

bool SampleOptions::given() const {
  return !data.folder.empty() || data.synthetic || !tokens.empty() || !inputs.empty();
}

Result<std::vector<Samples>> load_inputs(const SampleOptions& options, Split split, const Graph& graph) {
  std::vector<std::string> names;
  for (toolchain::ValueId id : graph.inputs) {
    names.push_back(graph.value(id).name);
  }
  std::vector<std::string> files(names.size());  // of the inputs that are named
  for (const std::string& text : options.inputs) {
    ZP_ASSIGN_OR_RETURN(Assignment input, parse_assignment(text, names, "input"));
    if (!files[input.index].empty()) {
      return Status::invalid_argument(fmt::format("input '{}' is given twice", names[input.index]));
    }
    files[input.index] = input.file;
  }
  std::ptrdiff_t unnamed = std::count(files.begin(), files.end(), "");
  if (unnamed > 1) {
    return Status::invalid_argument(
        fmt::format("the model has inputs {}; --data feeds one, --input NAME=FILE.npy "
                    "each of the others",
                    fmt::join(names, ", ")));
  }
  if (unnamed == 0 && (!options.data.folder.empty() || !options.tokens.empty() || options.data.synthetic)) {
    return Status::invalid_argument(fmt::format("--input names samples for every input ({}); {} feeds none",
                                                fmt::join(names, ", "),
                                                options.data.folder.empty() ? "the other option" : "--data"));
  }
  std::vector<Samples> all;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Graph alone = graph;
    alone.inputs = {graph.inputs[i]};
    SampleOptions own;
    own.data.folder = files[i];
    own.format = DataFormat::kArrays;
    own.labels = unnamed == 0 && i == 0 ? options.labels : "";
    ZP_ASSIGN_OR_RETURN(Samples samples, load(files[i].empty() ? options : own, split, alone));
    Status fits = check_fits(*samples.data, alone);
    bool by_default = files[i].empty() && !options.given();
    if (!fits.ok()) {
      return by_default ? Status(fits.code(),
                                 fmt::format("no samples were named (--data, --tokens, --input), and what is "
                                             "taken then does not fit: {}",
                                             fits.message()))
                        : fits;
    }
    all.push_back(std::move(samples));
  }
  return all;
}

}  // namespace zeropoint::cli

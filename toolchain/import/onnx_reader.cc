#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/stubs/common.h>
#include <onnx/onnx_pb.h>
#include <sys/stat.h>
#include <unistd.h>
#if GOOGLE_PROTOBUF_VERSION < 4022000
#include <google/protobuf/stubs/logging.h>
#endif

#include <cstring>
#include <filesystem>
#include <limits>
#include <new>

#include "import/model_reader.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

// What is wrong with a model is for the caller to show, not for protobuf's log. Protobuf 22 took the class
// away.
#if GOOGLE_PROTOBUF_VERSION < 4022000
using Silence = google::protobuf::LogSilencer;
#else
struct Silence {
  ~Silence() {}
};
#endif

/// `parse` fills the model.
template <typename Parse>
Result<Graph> read_model(const std::string& name, const std::string& folder, Parse parse) {
  try {
    Silence silence;
    onnx::ModelProto model;
    if (!parse(model) || !model.has_graph()) {
      // A version before the break is all that tells a damaged model from a file of another kind.
      return Status::corrupt(name + (model.ir_version() > 0
                                         ? ": begins as an ONNX model, but is damaged or cut short"
                                         : ": not an ONNX model"));
    }
    Result<Graph> graph = ModelReader(model, folder).run();
    return graph.ok() ? std::move(graph) : Result<Graph>(graph.status().at(name));
  } catch (const std::bad_alloc&) {
    return Status::resource_exhausted(name + ": not enough memory to read the model");
  }
}

/// Closes the file when it goes.
struct OpenFile {
  int descriptor;
  ~OpenFile() {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
  }
};

}  // namespace

Result<Graph> read_onnx(std::span<const std::byte> content, const std::string& name) {
  return read_model(name, "", [&](onnx::ModelProto& model) {
    return content.size() <= std::numeric_limits<int>::max() &&
           model.ParseFromArray(content.data(), static_cast<int>(content.size()));
  });
}

Result<Graph> read_onnx(const std::string& path) {
  OpenFile file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat info {};
  if (file.descriptor < 0 || ::fstat(file.descriptor, &info) != 0) {
    std::string why = path + ": cannot open: " + std::strerror(errno);
    return errno == ENOENT ? Status::not_found(std::move(why)) : Status::io(std::move(why));
  }
  if (!S_ISREG(info.st_mode)) {
    return Status::io(path + ": not a regular file");
  }
  if (info.st_size > std::numeric_limits<int>::max()) {
    return Status::corrupt(path +
                           ": no ONNX file is larger than 2 GiB; larger models keep weights in other files");
  }
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  return read_model(path, folder.empty() ? "." : folder.string(), [&](onnx::ModelProto& model) {
    // In pieces, so that the file is not in memory beside the model.
    google::protobuf::io::FileInputStream stream(file.descriptor);
    return model.ParseFromZeroCopyStream(&stream);
  });
}

}  // namespace zeropoint::toolchain

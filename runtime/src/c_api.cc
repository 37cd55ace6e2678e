#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/program_file.h"
#include "zeropoint/session.h"
#include "zeropoint/zeropoint.h"

struct zp_program {
  std::shared_ptr<const zeropoint::Program> program;
};

struct zp_session {
  zeropoint::Session session;
  std::vector<zeropoint::Shape> output_shapes;  // of what is prepared; empty where only a run can tell
  std::vector<bool> output_known;
  bool prepared = false;
  // Reused by each run, which so asks for no memory.
  std::vector<std::span<const std::byte>> inputs;
  std::vector<std::span<std::byte>> outputs;
};

namespace {

using zeropoint::Program;
using zeropoint::Shape;
using zeropoint::Status;
using zeropoint::StatusCode;
using zeropoint::TensorInfo;

std::string& last_error() {
  thread_local std::string message;
  return message;
}

/// The numbers of the ABI, whatever the enumeration becomes.
zp_code code_of(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return ZP_OK;
    case StatusCode::kInvalidArgument:
      return ZP_INVALID_ARGUMENT;
    case StatusCode::kNotFound:
      return ZP_NOT_FOUND;
    case StatusCode::kUnsupported:
      return ZP_UNSUPPORTED;
    case StatusCode::kCorrupt:
      return ZP_CORRUPT;
    case StatusCode::kIo:
      return ZP_IO;
    case StatusCode::kResourceExhausted:
      return ZP_RESOURCE_EXHAUSTED;
    case StatusCode::kInternal:
      break;
  }
  return ZP_INTERNAL;
}

/// Runs what gives a Status; no exception leaves.
template <typename Function>
zp_code guarded(Function&& function) {
  try {
    Status status = function();
    if (!status.ok()) {
      last_error() = status.message();
    }
    return code_of(status.code());
  } catch (const std::bad_alloc&) {
    // An empty message still tells something by the code.
    last_error().clear();
    return ZP_RESOURCE_EXHAUSTED;
  } catch (...) {
    last_error() = "internal error";  // short enough to need no memory
    return ZP_INTERNAL;
  }
}

Status null_pointer(const char* what) { return Status::invalid_argument(what, " must not be NULL"); }

Status describe(const Program& program, const std::vector<zeropoint::TensorId>& ids, std::size_t index,
                zp_tensor_info* info) {
  if (info == nullptr) {
    return null_pointer("info");
  }
  if (index >= ids.size()) {
    return Status::invalid_argument("there is no tensor ", index, " among ", ids.size());
  }
  const TensorInfo& tensor = program.tensor(ids[index]);
  info->name = tensor.name.c_str();
  info->type = static_cast<zp_type>(tensor.type);
  info->rank = tensor.shape ? static_cast<std::int32_t>(tensor.shape->size()) : -1;
  info->shape = tensor.shape ? tensor.shape->data() : nullptr;
  return {};
}

Status keep(zeropoint::Result<std::shared_ptr<const Program>> program, zp_program** out) {
  ZP_RETURN_IF_ERROR(program.status());
  *out = new zp_program{*std::move(program)};
  return {};
}

Status prepare(zp_session& session, const std::vector<Shape>& shapes) {
  ZP_RETURN_IF_ERROR(session.session.prepare(shapes));
  std::size_t count = session.session.program().outputs.size();
  std::vector<Shape> output_shapes(count);
  std::vector<bool> known(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::optional<Shape> shape = session.session.output_shape(i);
    known[i] = shape.has_value();
    output_shapes[i] = std::move(shape).value_or(Shape());
  }
  session.output_shapes = std::move(output_shapes);
  session.output_known = std::move(known);
  session.prepared = true;
  return {};
}

Status options_of(const zp_session_options* given, zeropoint::SessionOptions& options) {
  if (given == nullptr) {
    return {};
  }
  if (given->size < offsetof(zp_session_options, memory_limit)) {
    return Status::invalid_argument("zp_session_options.size must be sizeof(zp_session_options)");
  }
  options.threads = given->threads;
  if (given->size >= sizeof(zp_session_options)) {  // else the caller knows version 1
    options.memory_limit = given->memory_limit;
  }
  if (given->isa != nullptr) {
    options.isa = zeropoint::find_isa(given->isa);
    if (!options.isa) {
      return Status::invalid_argument("there is no instruction set '", given->isa, "'");
    }
  }
  return {};
}

}  // namespace

extern "C" {

int32_t zp_api_version(void) { return ZP_API_VERSION; }

const char* zp_version(void) { return ZP_VERSION; }

const char* zp_last_error(void) { return last_error().c_str(); }

zp_code zp_program_load(const char* path, zp_program** program) {
  return guarded([&] {
    return path == nullptr || program == nullptr ? null_pointer("path and program")
                                                 : keep(zeropoint::load_program(path), program);
  });
}

zp_code zp_program_parse(const void* bytes, size_t size, zp_program** program) {
  return guarded([&] {
    return bytes == nullptr || program == nullptr
               ? null_pointer("bytes and program")
               : keep(zeropoint::parse_program({static_cast<const std::byte*>(bytes), size}), program);
  });
}

void zp_program_free(zp_program* program) { delete program; }

size_t zp_program_input_count(const zp_program* program) {
  return program == nullptr ? 0 : program->program->inputs.size();
}

size_t zp_program_output_count(const zp_program* program) {
  return program == nullptr ? 0 : program->program->outputs.size();
}

zp_code zp_program_input(const zp_program* program, size_t index, zp_tensor_info* info) {
  return guarded([&] {
    return program == nullptr ? null_pointer("program")
                              : describe(*program->program, program->program->inputs, index, info);
  });
}

zp_code zp_program_output(const zp_program* program, size_t index, zp_tensor_info* info) {
  return guarded([&] {
    return program == nullptr ? null_pointer("program")
                              : describe(*program->program, program->program->outputs, index, info);
  });
}

zp_code zp_session_create(const zp_program* program, const zp_session_options* options,
                          zp_session** session) {
  return guarded([&]() -> Status {
    if (program == nullptr || session == nullptr) {
      return null_pointer("program and session");
    }
    zeropoint::SessionOptions wanted;
    ZP_RETURN_IF_ERROR(options_of(options, wanted));
    ZP_ASSIGN_OR_RETURN(zeropoint::Session made, zeropoint::Session::create(program->program, wanted));
    auto owned = std::make_unique<zp_session>(zp_session{std::move(made), {}, {}, false, {}, {}});
    owned->inputs.resize(program->program->inputs.size());
    owned->outputs.resize(program->program->outputs.size());
    *session = owned.release();
    return {};
  });
}

void zp_session_free(zp_session* session) { delete session; }

const char* zp_session_isa(const zp_session* session) {
  return session == nullptr ? "" : zeropoint::name_of(session->session.isa()).data();
}

zp_code zp_session_prepare(zp_session* session, const int64_t* const* shapes, const size_t* ranks,
                           size_t count) {
  return guarded([&]() -> Status {
    if (session == nullptr || (count > 0 && (shapes == nullptr || ranks == nullptr))) {
      return null_pointer("session, shapes and ranks");
    }
    constexpr std::size_t kMostAxes = 1024;  // far more than an operator takes
    std::vector<Shape> list;
    for (std::size_t i = 0; i < count; ++i) {
      if (shapes[i] == nullptr && ranks[i] > 0) {
        return null_pointer("a shape");
      }
      if (ranks[i] > kMostAxes) {
        return Status::invalid_argument("shape ", i, " has ", ranks[i], " axes, more than ", kMostAxes);
      }
      list.emplace_back(shapes[i], shapes[i] + ranks[i]);
    }
    return prepare(*session, list);
  });
}

zp_code zp_session_prepare_batch(zp_session* session, int64_t batch) {
  return guarded([&]() -> Status {
    if (session == nullptr) {
      return null_pointer("session");
    }
    if (batch < 0) {
      return Status::invalid_argument("a batch cannot have ", batch, " samples");
    }
    const Program& program = session->session.program();
    std::vector<Shape> shapes;
    for (zeropoint::TensorId id : program.inputs) {
      const TensorInfo& info = program.tensor(id);
      if (!info.shape) {
        return Status::invalid_argument("input '", info.name,
                                        "' may have any shape; use zp_session_prepare()");
      }
      shapes.push_back(*info.shape);
      for (std::int64_t& extent : shapes.back()) {
        extent = extent == zeropoint::kOpenExtent ? batch : extent;
      }
    }
    return prepare(*session, shapes);
  });
}

zp_code zp_session_output(const zp_session* session, size_t index, zp_tensor_info* info, size_t* bytes) {
  return guarded([&]() -> Status {
    if (session == nullptr) {
      return null_pointer("session");
    }
    if (!session->prepared) {
      return Status::invalid_argument("the session is not prepared for any shapes");
    }
    const Program& program = session->session.program();
    zp_tensor_info described{};
    ZP_RETURN_IF_ERROR(describe(program, program.outputs, index, &described));
    if (!session->output_known[index]) {
      return Status::unsupported("the values of the inputs decide the shape of output '", described.name,
                                 "'");
    }
    const Shape& shape = session->output_shapes[index];
    described.rank = static_cast<std::int32_t>(shape.size());
    described.shape = shape.data();
    if (info != nullptr) {
      *info = described;
    }
    if (bytes != nullptr) {
      std::size_t element = zeropoint::size_of(program.tensor(program.outputs[index]).type);
      *bytes = static_cast<std::size_t>(*zeropoint::element_count(shape)) * element;
    }
    return {};
  });
}

zp_code zp_session_run(zp_session* session, const void* const* inputs, const size_t* input_bytes,
                       size_t input_count, void* const* outputs, const size_t* output_bytes,
                       size_t output_count) {
  return guarded([&]() -> Status {
    bool absent = (input_count > 0 && (inputs == nullptr || input_bytes == nullptr)) ||
                  (output_count > 0 && (outputs == nullptr || output_bytes == nullptr));
    if (session == nullptr || absent) {
      return null_pointer("session, inputs and outputs");
    }
    if (input_count != session->inputs.size() || output_count != session->outputs.size()) {
      return Status::invalid_argument("the program has ", session->inputs.size(), " inputs and ",
                                      session->outputs.size(), " outputs");
    }
    for (std::size_t i = 0; i < input_count; ++i) {
      if (inputs[i] == nullptr && input_bytes[i] > 0) {
        return null_pointer("an input");
      }
      session->inputs[i] = {static_cast<const std::byte*>(inputs[i]), input_bytes[i]};
    }
    for (std::size_t i = 0; i < output_count; ++i) {
      if (outputs[i] == nullptr && output_bytes[i] > 0) {
        return null_pointer("an output");
      }
      session->outputs[i] = {static_cast<std::byte*>(outputs[i]), output_bytes[i]};
    }
    return session->session.run(session->inputs, session->outputs);
  });
}

}  // extern "C"

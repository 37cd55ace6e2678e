#include <cstring>
#include <new>
#include <stdexcept>

#include "format/layout.h"
#include "format/mapped_file.h"
#include "format/read_operations.h"
#include "zeropoint/program_file.h"

namespace zeropoint {
namespace {

using format::Storage;
using format::ValueReader;

/// The size of the metadata with the four bytes that say it, if the file has so many.
Result<std::size_t> metadata_size(std::span<const std::byte> file) {
  if (!is_program_file(file)) {
    return Status::corrupt("not a program file");
  }
  std::uint32_t size = 0;
  std::memcpy(&size, file.data(), sizeof size);
  std::size_t whole = std::size_t{size} + sizeof size;
  if (whole > file.size()) {
    return Status::corrupt("the file is cut off: it has ", file.size(), " bytes of at least ", whole);
  }
  return whole;
}

Result<const zpm::Program*> verified_metadata(std::span<const std::byte> metadata) {
  flatbuffers::Verifier::Options options;
  // A table takes 4 bytes, and 4 more refer to it: more of them than this are one table read many times.
  options.max_tables = static_cast<flatbuffers::uoffset_t>(metadata.size() / 8 + 1);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(metadata.data());
  flatbuffers::Verifier verifier(bytes, metadata.size(), options);
  if (metadata.size() >= FLATBUFFERS_MAX_BUFFER_SIZE || !zpm::VerifySizePrefixedProgramBuffer(verifier)) {
    return Status::corrupt("the metadata is damaged");
  }
  return zpm::GetSizePrefixedProgram(bytes);
}

Status check_version(const zpm::Program& program) {
  if (program.version() > kProgramFileVersion) {
    return Status::unsupported("the file has version ", program.version(),
                               " of the format, and this library reads versions up to ", kProgramFileVersion,
                               "; use a later zeropoint");
  }
  return program.version() == 0 ? Status::corrupt("the file has no version") : Status();
}

/// The data section ends with the file.
Status check_size(const zpm::Program& program, std::size_t data_begin, std::size_t file_size) {
  if (file_size >= data_begin && file_size - data_begin == program.data_size()) {
    return {};
  }
  return Status::corrupt("the file is cut off or too long: it has ", file_size, " bytes, ", data_begin,
                         " and ", program.data_size(), " of tensors were written");
}

TensorInfo read_info(ValueReader& reader, const zpm::TensorInfo* info) {
  TensorInfo read{reader.text(info->name()), reader.element_type(info->type()), std::nullopt, nullptr};
  if (info->shape() != nullptr) {
    read.shape = reader.list(info->shape());
  }
  if (info->constant() != nullptr) {
    read.constant = reader.constant(info->constant());
  }
  return read;
}

Status read_into(Program& program, const zpm::Program& from, ValueReader reader) {
  program.name = reader.text(from.name());
  if (from.tensors() != nullptr) {
    for (const zpm::TensorInfo* info : *from.tensors()) {
      program.tensors.push_back(read_info(reader, info));
      ZP_RETURN_IF_ERROR(reader.status().at("tensor '", program.tensors.back().name, "'"));
    }
  }
  if (from.operations() != nullptr) {
    for (const zpm::Operation* operation : *from.operations()) {
      program.operations.push_back(read_operation(reader, operation));
      ZP_RETURN_IF_ERROR(reader.status().at("operation ", program.operations.size() - 1));
    }
  }
  program.inputs = reader.list(from.inputs());
  program.outputs = reader.list(from.outputs());
  ZP_RETURN_IF_ERROR(reader.status());
  Status verified = verify(program);
  return verified.ok() ? verified : Status::corrupt(verified.message());
}

/// A program, and the memory that its tensors lie in.
struct Loaded {
  std::shared_ptr<Storage> storage;
  Program program;
};

Result<std::shared_ptr<const Program>> read_program(std::span<const std::byte> file,
                                                    std::shared_ptr<const void> owner) {
  ZP_ASSIGN_OR_RETURN(std::size_t metadata, metadata_size(file));
  ZP_ASSIGN_OR_RETURN(const zpm::Program* from, verified_metadata(file.first(metadata)));
  ZP_RETURN_IF_ERROR(check_version(*from));
  std::size_t data_begin = format::aligned(metadata);
  ZP_RETURN_IF_ERROR(check_size(*from, data_begin, file.size()));
  auto loaded = std::make_shared<Loaded>();
  loaded->storage = std::make_shared<Storage>(file, std::move(owner));
  ZP_RETURN_IF_ERROR(read_into(loaded->program, *from, ValueReader(loaded->storage, data_begin)));
  loaded->program.verified.set();
  return std::shared_ptr<const Program>(loaded, &loaded->program);
}

template <typename Function>
Result<std::shared_ptr<const Program>> within_memory(Function&& function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Status::resource_exhausted("the program needs more memory than there is");
  } catch (const std::length_error&) {
    return Status::resource_exhausted("the program needs more memory than there is");
  }
}

}  // namespace

bool is_program_file(std::span<const std::byte> start) {
  return start.size() >= kProgramFileStart && std::memcmp(start.data() + 8, zpm::ProgramIdentifier(), 4) == 0;
}

Result<std::shared_ptr<const Program>> load_program(const std::string& path) {
  return within_memory([&]() -> Result<std::shared_ptr<const Program>> {
    ZP_ASSIGN_OR_RETURN(std::shared_ptr<const format::MappedFile> file, format::MappedFile::open(path));
    std::span<const std::byte> bytes = file->bytes();
    Result<std::shared_ptr<const Program>> program = read_program(bytes, std::move(file));
    return program.ok() ? std::move(program) : program.status().at(path);
  });
}

Result<std::shared_ptr<const Program>> parse_program(std::span<const std::byte> file) {
  return within_memory([&] {
    auto copy = std::make_shared<Tensor>(ElementType::kUint8, Shape{static_cast<std::int64_t>(file.size())});
    std::copy(file.begin(), file.end(), copy->bytes());
    std::span<const std::byte> bytes(copy->bytes(), file.size());
    return read_program(bytes, std::move(copy));
  });
}

}  // namespace zeropoint

#include <algorithm>
#include <new>

#include "format/layout.h"
#include "format/packed_integers.h"
#include "format/write_operations.h"
#include "zeropoint/program_file.h"

namespace zeropoint {
namespace {

flatbuffers::Offset<zpm::TensorInfo> write_info(flatbuffers::FlatBufferBuilder& builder,
                                                format::OperationWriter& writer, const TensorInfo& info) {
  auto name = builder.CreateString(info.name);
  flatbuffers::Offset<flatbuffers::Vector<std::int64_t>> shape;
  if (info.shape) {
    shape = builder.CreateVector(*info.shape);
  }
  flatbuffers::Offset<zpm::Tensor> constant;
  if (info.constant != nullptr) {
    constant = writer.tensor(*info.constant);
  }
  return zpm::CreateTensorInfo(builder, name, static_cast<std::uint8_t>(info.type), shape, constant);
}

void write_metadata(flatbuffers::FlatBufferBuilder& builder, format::DataSection& data,
                    const Program& program) {
  format::OperationWriter writer(builder, data);
  std::vector<flatbuffers::Offset<zpm::TensorInfo>> infos;
  for (const TensorInfo& info : program.tensors) {
    infos.push_back(write_info(builder, writer, info));
  }
  std::vector<flatbuffers::Offset<zpm::Operation>> operations;
  for (const Operation& operation : program.operations) {
    operations.push_back(writer.write(operation));
  }
  auto name = builder.CreateString(program.name);
  auto tensors = builder.CreateVector(infos);
  auto steps = builder.CreateVector(operations);
  auto inputs = builder.CreateVector(program.inputs);
  auto outputs = builder.CreateVector(program.outputs);
  auto root =
      zpm::CreateProgram(builder, kProgramFileVersion, name, tensors, steps, inputs, outputs, data.size());
  zpm::FinishSizePrefixedProgramBuffer(builder, root);
}

std::vector<std::byte> whole_file(const flatbuffers::FlatBufferBuilder& builder,
                                  const format::DataSection& data) {
  std::size_t begin = format::aligned(builder.GetSize());
  std::vector<std::byte> file(begin + data.size());
  auto put = [&](std::size_t at, const void* bytes, std::size_t size) {
    std::copy_n(static_cast<const std::byte*>(bytes), size, file.data() + at);
  };
  put(0, builder.GetBufferPointer(), builder.GetSize());
  for (const std::string* piece : data.pieces()) {
    put(begin, piece->data(), piece->size());
    begin += format::aligned(piece->size());
  }
  return file;
}

}  // namespace

int stored_bits(const Tensor& constant) {
  int bits = format::packed_bits(constant);
  return bits != 0 ? bits : 8 * static_cast<int>(size_of(constant.type()));
}

Result<std::vector<std::byte>> serialize(const Program& program) {
  ZP_RETURN_IF_ERROR(verify(program));
  try {
    flatbuffers::FlatBufferBuilder builder;
    // What is written does not hang on what the schema's defaults are; -0 is not taken for the default 0.
    builder.ForceDefaults(true);
    format::DataSection data;
    write_metadata(builder, data, program);
    return whole_file(builder, data);
  } catch (const std::bad_alloc&) {
    return Status::resource_exhausted("not enough memory for the file of program '", program.name, "'");
  }
}

}  // namespace zeropoint

// consumer MODEL.zpm: the same as consumer.c, with the C++ headers.
#include <cstdio>
#include <vector>

#include "zeropoint/cpu.h"
#include "zeropoint/program_file.h"
#include "zeropoint/session.h"
#include "zeropoint/zeropoint.h"

namespace {

zeropoint::Result<std::vector<zeropoint::Tensor>> run_on_zeros(const char* path) {
  ZP_ASSIGN_OR_RETURN(std::shared_ptr<const zeropoint::Program> program, zeropoint::load_program(path));
  ZP_ASSIGN_OR_RETURN(zeropoint::Session session, zeropoint::Session::create(program));
  std::vector<zeropoint::Tensor> inputs;
  for (zeropoint::TensorId id : program->inputs) {
    zeropoint::Shape shape = program->tensor(id).shape.value();
    for (std::int64_t& extent : shape) {
      extent = extent == zeropoint::kOpenExtent ? 2 : extent;
    }
    inputs.emplace_back(program->tensor(id).type, shape);
  }
  return session.run(inputs);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    return 2;
  }
  zeropoint::Result<std::vector<zeropoint::Tensor>> outputs = run_on_zeros(argv[1]);
  if (!outputs.ok()) {
    std::fprintf(stderr, "%s\n", outputs.status().message().c_str());
    return 1;
  }
  unsigned long checksum = 5381;
  for (std::size_t i = outputs->size(); i-- > 0;) {
    for (std::size_t j = 0; j < (*outputs)[i].byte_size(); ++j) {
      checksum = checksum * 33 + std::to_integer<unsigned char>((*outputs)[i].bytes()[j]);
    }
  }
  std::printf("zeropoint %s: %lu\n", zp_version(), checksum & 0xffffffffUL);
  return 0;
}

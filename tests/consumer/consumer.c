/* consumer MODEL.zpm: runs a program on zeros with the C API, and prints a checksum of its outputs. */
#include <stdio.h>
#include <stdlib.h>

#include "zeropoint/zeropoint.h"

static size_t size_of(zp_type type) {
  switch (type) {
    case ZP_FLOAT32:
    case ZP_INT32:
      return 4;
    case ZP_INT8:
    case ZP_UINT8:
      return 1;
    default:
      fprintf(stderr, "unexpected type %d\n", (int)type);
      exit(1);
  }
}

static void check(zp_code status) {
  if (status != ZP_OK) {
    fprintf(stderr, "%d: %s\n", (int)status, zp_last_error());
    exit(1);
  }
}

int main(int argc, char** argv) {
  zp_program* program = NULL;
  zp_session* session = NULL;
  zp_tensor_info info;
  void* inputs[8];
  size_t input_bytes[8];
  void* outputs[8];
  size_t output_bytes[8];
  size_t input_count = 0;
  size_t output_count = 0;
  size_t i = 0;
  size_t j = 0;
  unsigned long checksum = 5381;

  if (argc != 2 || zp_api_version() < ZP_API_VERSION) {
    return 2;
  }
  if (zp_program_load("no such file", &program) != ZP_NOT_FOUND || zp_last_error()[0] == '\0') {
    return 3;
  }
  check(zp_program_load(argv[1], &program));
  check(zp_session_create(program, NULL, &session));
  check(zp_session_prepare_batch(session, 2));
  input_count = zp_program_input_count(program);
  output_count = zp_program_output_count(program);
  if (input_count > 8 || output_count > 8) {
    return 4;
  }
  for (i = 0; i < input_count; ++i) {
    check(zp_program_input(program, i, &info));
    input_bytes[i] = size_of(info.type);
    for (j = 0; j < (size_t)info.rank; ++j) {
      input_bytes[i] *= info.shape[j] < 0 ? 2 : (size_t)info.shape[j];
    }
    inputs[i] = calloc(1, input_bytes[i]);
  }
  for (i = 0; i < output_count; ++i) {
    check(zp_session_output(session, i, &info, &output_bytes[i]));
    outputs[i] = malloc(output_bytes[i]);
  }
  zp_program_free(program); /* the session keeps what it needs */
  check(zp_session_run(session, (const void* const*)inputs, input_bytes, input_count, outputs, output_bytes,
                       output_count));
  for (i = output_count; i-- > 0;) {
    for (j = 0; j < output_bytes[i]; ++j) {
      checksum = checksum * 33 + ((unsigned char*)outputs[i])[j];
    }
    free(outputs[i]);
  }
  for (i = 0; i < input_count; ++i) {
    free(inputs[i]);
  }
  zp_session_free(session);
  printf("zeropoint %s: %lu\n", zp_version(), checksum & 0xffffffffUL);
  return 0;
}

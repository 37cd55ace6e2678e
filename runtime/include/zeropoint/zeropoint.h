/* The runtime for C, and for every language that calls C: programs (.zpm) loaded and run.
 *
 *   zp_program* program = NULL;
 *   zp_session* session = NULL;
 *   if (zp_program_load("model.zpm", &program) != ZP_OK || zp_session_create(program, NULL, &session) !=
 * ZP_OK || zp_session_prepare_batch(session, 1) != ZP_OK) { fprintf(stderr, "%s\n", zp_last_error());
 *   }
 *   const void* inputs[] = {image};
 *   size_t input_bytes[] = {sizeof image};
 *   void* outputs[] = {scores};
 *   size_t output_bytes[] = {sizeof scores};
 *   zp_session_run(session, inputs, input_bytes, 1, outputs, output_bytes, 1);
 *
 * The ABI is stable: what is here keeps its meaning, and later versions add functions. A program may be
 * shared by any number of threads, a session is used by one at a time. No function throws, aborts or prints.
 */
/* NOLINTBEGIN(readability-identifier-naming): names are as C has them */
#ifndef ZEROPOINT_ZEROPOINT_H
#define ZEROPOINT_ZEROPOINT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header; counts up with everything that is added. */
#define ZP_API_VERSION 2

/* Of the library: what ZP_API_VERSION was when it was built. */
int32_t zp_api_version(void);
/* "0.1.0" */
const char* zp_version(void);

typedef int32_t zp_code;
enum {
  ZP_OK = 0,
  ZP_INVALID_ARGUMENT = 1, /* a wrong shape or size, a null pointer, an unknown name */
  ZP_NOT_FOUND = 2,        /* no such file */
  ZP_UNSUPPORTED = 3,      /* a file of a later version; an instruction set that this machine does not have */
  ZP_CORRUPT = 4,          /* a file that contradicts itself or the format */
  ZP_IO = 5,               /* the operating system refused to read */
  ZP_RESOURCE_EXHAUSTED = 6, /* not enough memory */
  ZP_INTERNAL = 7
};

/* What went wrong in the last call of this thread that did not return ZP_OK: one line. Valid until the next
 * failure. */
const char* zp_last_error(void);

/* Element types, numbered as ONNX's TensorProto.DataType. int4 and uint4 take a byte per element. */
typedef int32_t zp_type;
enum {
  ZP_FLOAT32 = 1,
  ZP_UINT8 = 2,
  ZP_INT8 = 3,
  ZP_UINT16 = 4,
  ZP_INT16 = 5,
  ZP_INT32 = 6,
  ZP_INT64 = 7,
  ZP_BOOL = 9,
  ZP_FLOAT16 = 10,
  ZP_FLOAT64 = 11,
  ZP_UINT32 = 12,
  ZP_UINT64 = 13,
  ZP_BFLOAT16 = 16,
  ZP_UINT4 = 21,
  ZP_INT4 = 22
};

typedef struct zp_program zp_program;

/* Maps the file, which must not change before the program is freed. */
zp_code zp_program_load(const char* path, zp_program** program);
/* From the bytes of such a file, which are copied. */
zp_code zp_program_parse(const void* bytes, size_t size, zp_program** program);
/* Sessions of the program stay as they are. NULL is ignored, by every function of this name. */
void zp_program_free(zp_program* program);

/* An input or output of a program. What it points to lives as long as the program. */
typedef struct zp_tensor_info {
  const char* name;
  zp_type type;
  int32_t rank;         /* -1 where only a run can tell */
  const int64_t* shape; /* rank extents; -1: given at run time, as the batch is */
} zp_tensor_info;

size_t zp_program_input_count(const zp_program* program);
size_t zp_program_output_count(const zp_program* program);
zp_code zp_program_input(const zp_program* program, size_t index, zp_tensor_info* info);
zp_code zp_program_output(const zp_program* program, size_t index, zp_tensor_info* info);

typedef struct zp_session zp_session;

typedef struct zp_session_options {
  size_t size;         /* sizeof(zp_session_options), so that later versions can add fields */
  int32_t threads;     /* that compute one run together; 0: one per core */
  const char* isa;     /* "avx2", ...; NULL: $ZEROPOINT_ISA or the quickest at hand */
  size_t memory_limit; /* since 2: bytes that it may take at most; 0: three quarters of the machine's */
} zp_session_options;

/* Prepares the program for this machine; NULL options: 1 thread, the quickest instruction set. */
zp_code zp_session_create(const zp_program* program, const zp_session_options* options, zp_session** session);
void zp_session_free(zp_session* session);
/* The name of the instruction set that runs: "avx512vnni". */
const char* zp_session_isa(const zp_session* session);

/* Decides the shapes of the next runs: shapes[i] has ranks[i] extents. Memory is reserved here:
 * zp_session_run() asks for more only where an operation has no kernel of its own, as `zeropoint bench` shows
 * ("reference"). */
zp_code zp_session_prepare(zp_session* session, const int64_t* const* shapes, const size_t* ranks,
                           size_t count);
/* The same with `batch` for every extent that the program leaves open. */
zp_code zp_session_prepare_batch(zp_session* session, int64_t batch);

/* An output as it is in the next runs: its shape, and its size in bytes. Either pointer may be NULL. The
 * shape is valid until the session is prepared again or freed. ZP_INVALID_ARGUMENT when nothing was prepared;
 * ZP_UNSUPPORTED when the values of the inputs decide the shape. */
zp_code zp_session_output(const zp_session* session, size_t index, zp_tensor_info* info, size_t* bytes);

/* Runs on the caller's memory, whose sizes must be those of the prepared shapes. Each address is a multiple
 * of the element's size, and outputs overlap neither inputs nor each other. ZP_INVALID_ARGUMENT for another
 * size or alignment, and for bytes of a bool, int4 or uint4 input that its type does not have. */
zp_code zp_session_run(zp_session* session, const void* const* inputs, const size_t* input_bytes,
                       size_t input_count, void* const* outputs, const size_t* output_bytes,
                       size_t output_count);

#ifdef __cplusplus
}
#endif

#endif
/* NOLINTEND(readability-identifier-naming) */

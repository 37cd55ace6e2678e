# cmake -DFILE=... -DLIMIT=... -P print_size.cmake: prints the size of a file; fails where it is beyond the limit, in bytes.
file(SIZE ${FILE} bytes)
math(EXPR kilobytes "(${bytes} + 500) / 1000")
message("stripped runtime: ${kilobytes} kB (${bytes} bytes)")
if(bytes GREATER LIMIT)
  message(FATAL_ERROR "the runtime may have ${LIMIT} bytes")
endif()

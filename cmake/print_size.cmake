# cmake -DFILE=... -P print_size.cmake: prints the size of a file, and fails from 1 MB on.
file(SIZE ${FILE} bytes)
math(EXPR kilobytes "(${bytes} + 500) / 1000")
message("stripped runtime: ${kilobytes} kB (${bytes} bytes)")
if(bytes GREATER_EQUAL 1000000)
  message(FATAL_ERROR "the runtime must stay below 1 MB")
endif()

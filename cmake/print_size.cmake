# cmake -DFILE=... -P print_size.cmake: prints the size of a file.
file(SIZE ${FILE} bytes)
math(EXPR kilobytes "(${bytes} + 500) / 1000")
message("stripped runtime: ${kilobytes} kB (${bytes} bytes)")

# What every target of the project shares: warnings, sanitizers, and floating point that is the same on each machine.

add_library(zp_options INTERFACE)
# Contraction would turn a * b + c into one fused operation on some machines and not on others, and with it the bits.
target_compile_options(zp_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                       -Wnon-virtual-dtor -Woverloaded-virtual -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlapping copies in "literal" + std::string (GCC bug 105651).
  target_compile_options(zp_options INTERFACE -Wno-restrict)
endif()
if(ZP_WARNINGS_AS_ERRORS)
  target_compile_options(zp_options INTERFACE -Werror)
endif()
if(ZP_OPTIMISED_DEBUG)
  target_compile_options(zp_options INTERFACE -O1)
endif()
if(ZP_SANITIZE)
  target_compile_options(zp_options INTERFACE -fsanitize=${ZP_SANITIZE} -fno-sanitize-recover=all
                         -fno-omit-frame-pointer)
  target_link_options(zp_options INTERFACE -fsanitize=${ZP_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # GCC's manual: the sanitizers bring false positives of this one. The other presets keep it.
    target_compile_options(zp_options INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
if(ZP_FUZZ)
  target_compile_options(zp_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(BUILD_TESTING)
  if(CMAKE_CROSSCOMPILING)
    # There is no package of GoogleTest for the other processor: Debian's sources of it are compiled.
    set(BUILD_GMOCK OFF)
    set(INSTALL_GTEST OFF)
    add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
  else()
    find_package(GTest REQUIRED)
  endif()
  include(GoogleTest)
endif()

# zp_tests(NAME LIBRARY [LIBRARY...]): every *_test.cc beside the code of this folder becomes one test program.
function(zp_tests name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARGN} zp_options GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 1800)
endfunction()

# zp_sources(VARIABLE): the sources below this folder that are not tests.
function(zp_sources variable)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()

# The only place with instruction-set flags. A source named x_<set>.cc is compiled for that set; it holds intrinsics
# and code of internal linkage alone, since what the linker could share with other files must run on every machine.
# ZP_WITH_<SET>, 0 or 1, tells the rest of the library whether the set is compiled in.
include(CheckCXXCompilerFlag)

set(ZP_ISA_SETS)
set(ZP_ISA_DEFINITIONS)

# zp_isa(NAME PROCESSORS FLAGS): a set that processors matching a regular expression may have.
function(zp_isa name processors flags)
  string(TOUPPER ${name} upper)
  set(compiles 0)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES ${processors})
    check_cxx_compiler_flag("${flags}" ZP_COMPILES_${upper})
    if(ZP_COMPILES_${upper})
      separate_arguments(flags)
      set(compiles 1)
      set(ZP_FLAGS_${name} ${flags} PARENT_SCOPE)
      set(ZP_ISA_SETS ${ZP_ISA_SETS} ${name} PARENT_SCOPE)
    endif()
  endif()
  set(ZP_ISA_DEFINITIONS ${ZP_ISA_DEFINITIONS} ZP_WITH_${upper}=${compiles} PARENT_SCOPE)
endfunction()

zp_isa(avx2 "x86_64|AMD64" "-mavx2 -mfma -mf16c")
zp_isa(avxvnni "x86_64|AMD64" "-mavx2 -mfma -mf16c -mavxvnni")
zp_isa(avx512vnni "x86_64|AMD64" "-mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni")
zp_isa(amx "x86_64|AMD64" "-mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mamx-tile -mamx-int8")
zp_isa(neon "aarch64|arm64|ARM64" "-march=armv8-a")
zp_isa(neondot "aarch64|arm64|ARM64" "-march=armv8.2-a+dotprod")

# zp_isa_sources(TARGET SOURCES...): gives each source that is named after a set its flags, leaves those out whose
# set the compiler does not have, and adds the rest.
function(zp_isa_sources target)
  foreach(source ${ARGN})
    set(flags)
    if(source MATCHES "/kernels/")
      # Nobody reads floating-point exceptions or errno of kernels; without them loops over floats become vectors. No
      # result changes.
      list(APPEND flags -fno-trapping-math -fno-math-errno)
      if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
        list(APPEND flags -fno-tree-loop-distribute-patterns)  # else what is copied out of registers by a loop is never in them
      endif()
    endif()
    if(source MATCHES "_(avx2|avxvnni|avx512vnni|amx|neon|neondot)\\.cc$")
      set(name ${CMAKE_MATCH_1})
      if(NOT name IN_LIST ZP_ISA_SETS)
        continue()
      endif()
      list(APPEND flags ${ZP_FLAGS_${name}})
      if(name MATCHES "avx512vnni|amx" AND CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        list(APPEND flags -Wno-uninitialized -Wno-maybe-uninitialized)  # of its own header's undefined registers: GCC bug 105593
      endif()
    endif()
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${flags}")
    target_sources(${target} PRIVATE ${source})
  endforeach()
  target_compile_definitions(${target} PRIVATE ${ZP_ISA_DEFINITIONS})
endfunction()

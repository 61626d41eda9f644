# Instruction sets: one line each. The files in src/kernels/isa/ and src/vision/isa/ are compiled once per line, each time into the namespace
# hone::<name>, so that one binary carries all of them and picks at run time (HONE_ISA forces one).
# This is the only place with -m flags. The list in src/base/isa.def must name the same sets, weakest first.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(HONE_ISAS sse42 avx2 avx512)
  set(HONE_ISA_FLAGS_sse42 -march=x86-64-v2)
  set(HONE_ISA_FLAGS_avx2 -march=x86-64-v3)
  set(HONE_ISA_FLAGS_avx512 -march=x86-64-v4 -mprefer-vector-width=512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(HONE_ISAS neon)
  set(HONE_ISA_FLAGS_neon -march=armv8-a)
else()
  message(FATAL_ERROR "Hone has no kernels for ${CMAKE_SYSTEM_PROCESSOR}: x86_64 and aarch64 are supported")
endif()

# hone_isa_objects(NAME SOURCES...): one object library NAME_<set> per instruction set; NAME_objects are the objects of all.
function(hone_isa_objects name)
  set(objects)
  foreach(isa IN LISTS HONE_ISAS)
    set(target ${name}_${isa})
    add_library(${target} OBJECT ${ARGN})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_compile_definitions(${target} PRIVATE HONE_ISA=${isa})
    # Kernels are always optimised: a debug build that takes minutes a frame helps nobody.
    target_compile_options(${target} PRIVATE -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math
                           -fno-exceptions -fno-rtti -fno-stack-protector ${HONE_ISA_FLAGS_${isa}}
                           # g++ 12 otherwise moves the loads of a register tile together and spills (SSE: 25 % slower).
                           # Nor may it schedule before registers are given out, as it does for Arm, not for x86.
                           $<$<CXX_COMPILER_ID:GNU>:-fno-tree-ter;-fno-schedule-insns>)
    target_link_libraries(${target} PRIVATE hone_flags)
    list(APPEND objects $<TARGET_OBJECTS:${target}>)
  endforeach()
  set(${name}_objects ${objects} PARENT_SCOPE)
endfunction()

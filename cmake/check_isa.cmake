# cmake -DNM=nm -DISA=avx2 -DOBJECTS="a.o;b.o" -P check_isa.cmake: fails unless the objects compiled for one instruction set
# keep to themselves. A weak symbol (an inline function or template instance that was not inlined) could be linked in place of
# the same function compiled for the baseline, and then run on a machine without these instructions.
#   defined global symbols   only in namespace hone::<isa>, none weak
#   undefined symbols        only there, or of C libraries (memory and mathematical functions, sanitizers): no C++ of ours
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND ${NM} -P ${object} OUTPUT_VARIABLE table RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${NM} cannot read ${object}")
  endif()
  string(REPLACE "\n" ";" lines "${table}")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "^([^ ]+) ([A-Za-z])")
      continue()
    endif()
    set(symbol ${CMAKE_MATCH_1})
    set(type ${CMAKE_MATCH_2})
    string(LENGTH ${ISA} length)
    if(symbol MATCHES "^_ZN[K]?4hone${length}${ISA}" AND type MATCHES "^[TDRBUtdrb]$")
      continue()
    elseif(type MATCHES "^[tdrbn]$")  # local
      continue()
    elseif(type STREQUAL U AND NOT symbol MATCHES "^_Z")
      continue()
    elseif(symbol MATCHES "^(__odr_asan|__asan_|__start_asan|__stop_asan|DW.ref)")
      continue()
    endif()
    message("${object}: symbol ${symbol} of type ${type}")
    set(bad TRUE)
  endforeach()
endforeach()
if(bad)
  message(FATAL_ERROR "objects of instruction set ${ISA} hold symbols that may clash with those of another: put the code "
                      "into an unnamed namespace (see src/kernels/simd/vec.h)")
endif()

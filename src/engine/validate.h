// The laws of format.h that concern meaning rather than bytes: indices in range, every value defined once and
// before its use, captures that reach a defined value, nesting depth, symbols and tests that match. The
// reader checks what it read and the writer what it is about to write, so a file that was written can be
// read.
#pragma once
#include "engine/program.h"

namespace hone {

// Errors (corrupt) name the program, the step and the index.
Status validate(const EngineData&);

}  // namespace hone

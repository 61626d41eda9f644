// An engine as JSON: what hone_engine_describe returns. The keys are a promise (docs/cli.md).
#pragma once
#include "base/json.h"
#include "runtime/engine.h"

namespace hone::capi {

Json describe(const Engine&);

}  // namespace hone::capi

// An engine as JSON: what hone_engine_describe returns. The keys are a promise (docs/cli.md).
#pragma once
#include <map>

#include "base/json.h"
#include "runtime/engine.h"

namespace hone::capi {

// `meta`: in place of the engine's. Pictures among it are told by their size.
Json describe(const Engine&, const std::map<std::string, std::string>& meta);

}  // namespace hone::capi

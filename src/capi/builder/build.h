// What the functions of hone.h that build have in common.
#pragma once
#include "build/build.h"
#include "hone/hone.h"

namespace hone::capi {

inline constexpr double share_of_building = 0.1;  // where kernels are timed too

// `stop` becomes true when the caller's callback says so; both must outlive the options.
Result<BuildOptions> build_options(const hone_build_options&, bool& stop);
Status check(const hone_model&);
// How the engine was made, for `hone inspect`.
void add_provenance(EngineData&, const BuildOptions&);

}  // namespace hone::capi

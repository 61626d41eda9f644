// libhone_runtime in place of the builder.
#include "capi/runtime/handles.h"

namespace {
hone_status* refuse() {
  return hone::capi::guarded([]() -> hone::Status {
    return hone::error(
        hone::Code::unsupported,
        "this library (libhone_runtime) only runs engine files; build one with `hone build` or with libhone");
  });
}
}  // namespace

namespace hone::capi {
Result<std::shared_ptr<const Engine>> engine_of_model(const char* path) {
  return error(Code::unsupported,
               "%s: not a Hone engine file, and this library (libhone_runtime) only runs those; make one of "
               "a model with "
               "`hone build MODEL -o FILE.hone`",
               path);
}
}  // namespace hone::capi

hone_status* hone_build(const hone_model*, const hone_build_options*, hone_engine**) { return refuse(); }
hone_status* hone_explain(const hone_model*, const hone_build_options*, int*, char**) { return refuse(); }
hone_status* hone_model_describe(const hone_model*, const hone_build_options*, char**) { return refuse(); }
hone_status* hone_conform_case(const char*, const hone_conform_options*, hone_outcome*, char**) {
  return refuse();
}

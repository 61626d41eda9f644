#include <cstring>

#include "capi/border.h"
#include "conform/case.h"
#include "plugin/plugin.h"

hone_status* hone_conform_case(const char* folder, const hone_conform_options* given, hone_outcome* outcome,
                               char** reason) {
  using namespace hone;
  return capi::guarded([&]() -> Status {
    if (!folder || !outcome || !reason)
      return error(Code::invalid_argument, "the folder or a place for the result is NULL");
    HONE_CHECK(load_environment_plugins());
    const hone_conform_options o = capi::take(given);
    const conform::CaseResult result = conform::run_case(
        folder, {.optimise = !o.no_optimise, .reference = o.reference != 0, .threads = o.threads});
    char* text = nullptr;
    if (result.outcome != conform::Outcome::passed) {
      text = strdup(result.reason.c_str());
      if (!text) return error(Code::limit, "out of memory");
    }
    *outcome = static_cast<hone_outcome>(result.outcome);
    *reason = text;
    return {};
  });
}

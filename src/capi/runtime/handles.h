// What stands behind the opaque handles of hone.h.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/tensor.h"
#include "capi/border.h"
#include "hone/hone.h"
#include "runtime/engine.h"

struct hone_status {
  hone::Error error;
};
struct hone_engine {
  explicit hone_engine(std::shared_ptr<const hone::Engine> e)
      : engine(std::move(e)), meta(engine->data().meta) {}
  std::shared_ptr<const hone::Engine> engine;
  std::map<std::string, std::string> meta;  // in place of the engine's own, which sessions share
};

namespace hone::capi {

// Defined by the builder, and for libhone_runtime by runtime_only/.
Result<std::shared_ptr<const Engine>> engine_of_model(const char* path);

}  // namespace hone::capi

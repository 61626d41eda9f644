// What stands behind the opaque handles of hone.h, and the border between C and C++: nothing thrown passes
// it.
#pragma once
#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <new>

#include "base/result.h"
#include "base/tensor.h"
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

hone_status* to_status(Error) noexcept;
hone_status* out_of_memory() noexcept;  // needs none

// Runs f, a function without arguments that returns Status.
template <class F>
hone_status* guarded(F&& f) noexcept {
  try {
    Status s = f();
    return s ? nullptr : to_status(s.take_error());
  } catch (const std::bad_alloc&) { return out_of_memory(); } catch (const std::exception& e) {
    return to_status(Error{Code::internal, std::string("a bug in Hone: ") + e.what()});
  } catch (...) { return to_status(Error{Code::internal, "a bug in Hone: something unknown was thrown"}); }
}

// A struct of the caller, whatever its age: fields it does not have are zero. Null: all zero.
template <class T>
T take(const T* from) {
  T t{};
  if (from) std::memcpy(&t, from, std::min(from->size, sizeof t));
  return t;
}
// The reverse: fields that the caller's struct does not have are left out.
template <class T>
Status give(T value, T* to) {
  if (!to || to->size < sizeof(size_t))
    return error(Code::invalid_argument, "a struct's field `size` must be set to its sizeof");
  value.size = to->size;
  std::memcpy(to, &value, std::min(to->size, sizeof value));
  return {};
}

// Defined by the builder, and for libhone_runtime by runtime_only/.
Result<EngineData> engine_of_model(const char* path);

}  // namespace hone::capi

// The public interface's errors as ours, for what stands on top of it. Found by argument, so that callers need not
// say where it lives.
#pragma once
#include "base/result.h"
#include "hone/hone.hpp"

namespace hone::api {

inline hone::Error lift(const Error& e) { return {static_cast<Code>(e.code()), e.message()}; }
template <class T>
hone::Result<T> lift(Result<T> r) {
  if (!r) return lift(r.error());
  return *std::move(r);
}
inline hone::Status lift(const Result<void>& r) {
  if (!r) return lift(r.error());
  return {};
}

}  // namespace hone::api

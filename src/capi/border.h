// The border between C and C++: nothing thrown passes it, and structs are as long as the caller says.
#pragma once
#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "base/result.h"
#include "hone/hone.h"

namespace hone::capi {

// Each library has its own.
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

}  // namespace hone::capi

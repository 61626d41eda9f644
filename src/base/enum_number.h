// Enumerations of C that somebody else has filled in.
#pragma once
#include <cstring>

namespace hone {

// The number there, which may be none of the enumerators: no value of its type then, and not to be read as one.
template <class E>
int enum_number(const E& from) {
  int n;
  static_assert(sizeof n == sizeof from);
  std::memcpy(&n, &from, sizeof n);
  return n;
}

}  // namespace hone

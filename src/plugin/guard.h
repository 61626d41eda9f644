// Calls into a plugin: what is thrown there ends here.
#pragma once
#include <exception>
#include <new>

#include "base/result.h"

namespace hone {

// Runs f; `what` names the plugin's function in the error.
template <class F>
Status guard(const char* what, F&& f) {
  try {
    f();
    return {};
  } catch (const std::bad_alloc&) {
    return error(Code::limit, "%s ran out of memory", what);
  } catch (const std::exception& e) {
    return error(Code::unsupported, "%s threw an exception: %s", what, e.what());
  } catch (...) { return error(Code::unsupported, "%s threw an exception that is no std::exception", what); }
}

}  // namespace hone

// libjpeg reports errors by a function that must not return; ours jumps out of the library. What lives
// between a try_jpeg and the end of its body must therefore be trivially destructible.
#pragma once
#include <csetjmp>
#include <cstddef>
#include <cstdio>
// libjpeg's header needs size_t and FILE.
#include <jpeglib.h>

namespace hone::imageio {

struct JpegErrors {
  jpeg_error_mgr manager;  // first: libjpeg's pointer to it is a pointer to this
  std::jmp_buf exit;
  int code = 0;  // of jerror.h
  char message[JMSG_LENGTH_MAX] = {};
};

// Ready for use as cinfo.err.
jpeg_error_mgr* prepare(JpegErrors&);

// Whether body() came to its end; otherwise the errors' code and message are set.
template <class F>
bool try_jpeg(JpegErrors& errors, F&& body) {
  if (setjmp(errors.exit)) return false;
  body();
  return true;
}

}  // namespace hone::imageio

#include <mutex>

#include "base/dtype.h"
#include "base/log.h"
#include "capi/runtime/handles.h"

#ifndef HONE_VERSION
#error "the build system defines HONE_VERSION"
#endif

namespace hone::capi {
namespace {
// Handed out when there is no memory for another; never freed.
hone_status* const no_memory = new (std::nothrow) hone_status{{Code::limit, "out of memory"}};

#define SAME(c_name, code) static_assert(static_cast<int>(c_name) == static_cast<int>(Code::code))
SAME(HONE_OK, ok);
SAME(HONE_INVALID_ARGUMENT, invalid_argument);
SAME(HONE_NOT_FOUND, not_found);
SAME(HONE_IO, io);
SAME(HONE_CORRUPT, corrupt);
SAME(HONE_UNSUPPORTED, unsupported);
SAME(HONE_LIMIT, limit);
SAME(HONE_CANCELLED, cancelled);
SAME(HONE_INTERNAL, internal);
#undef SAME
static_assert(HONE_I2 == static_cast<int>(DType::i2) && HONE_BF16 == static_cast<int>(DType::bf16) &&
              HONE_STRING == static_cast<int>(DType::string) &&
              HONE_F8E8M0 == static_cast<int>(DType::f8e8m0));
static_assert(HONE_MAX_RANK == max_rank);
}  // namespace

hone_status* to_status(Error e) noexcept {
  try {
    return new hone_status{std::move(e)};
  } catch (...) { return out_of_memory(); }
}
hone_status* out_of_memory() noexcept { return no_memory; }

}  // namespace hone::capi

hone_code hone_status_code(const hone_status* s) {
  return s ? static_cast<hone_code>(s->error.code) : HONE_OK;
}
const char* hone_status_message(const hone_status* s) { return s ? s->error.message.c_str() : "ok"; }
void hone_status_free(hone_status* s) {
  if (s != hone::capi::out_of_memory()) delete s;
}
hone_status* hone_status_new(int code, const char* message) {
  if (code == HONE_OK) return nullptr;
  return hone::capi::guarded([&]() -> hone::Status {
    const bool known = code > HONE_OK && code <= HONE_INTERNAL;
    return hone::Error{known ? static_cast<hone::Code>(code) : hone::Code::internal, message ? message : ""};
  });
}
const char* hone_version(void) { return HONE_VERSION; }

void hone_set_log(hone_log_fn log, void* user) {
  static std::mutex mutex;
  static struct {
    hone_log_fn log;
    void* user;
  } sink;
  hone::set_log_sink(nullptr, nullptr);
  std::lock_guard lock(mutex);
  sink = {log, user};
  if (!log) return;
  hone::set_log_sink(
      [](hone::LogLevel level, const char* line, void*) {
        std::lock_guard lock(mutex);
        if (sink.log) sink.log(static_cast<hone_log_level>(level), line, sink.user);
      },
      nullptr);
}

const char* hone_dtype_name(hone_dtype d) { return hone::dtype_name(static_cast<hone::DType>(d)); }
int hone_dtype_bits(hone_dtype d) {
  return d == HONE_STRING ? 0 : hone::dtype_bits(hone::dtype_from_number(static_cast<int64_t>(d)));
}

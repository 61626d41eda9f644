#include "base/dtype.h"

#include <string>

namespace hone {
namespace {
struct Entry {
  const char* name;
  int bits;
  DKind kind;
};
constexpr Entry entries[] = {
    {"?", 0, DKind::none},
#define DTYPE(name, number, bits, kind) {#name, bits, DKind::kind},
#include "base/dtype.def"
#undef DTYPE
};
constexpr size_t count = sizeof(entries) / sizeof(entries[0]);
static_assert(sizeof(std::string) == 32, "dtype.def states the size of a string element");

// entries[] is indexed by the ONNX number: the list must be dense and in order.
constexpr int numbers[] = {
    0,
#define DTYPE(name, number, bits, kind) number,
#include "base/dtype.def"
#undef DTYPE
};
constexpr bool dense() {
  for (size_t i = 0; i < count; i++)
    if (numbers[i] != static_cast<int>(i)) return false;
  return true;
}
static_assert(dense());
const Entry& entry(DType d) { return entries[static_cast<size_t>(d) < count ? static_cast<size_t>(d) : 0]; }
}  // namespace

const char* dtype_name(DType d) { return entry(d).name; }
int dtype_bits(DType d) { return entry(d).bits; }
DKind dtype_kind(DType d) { return entry(d).kind; }
DType dtype_from_name(std::string_view name) {
  for (size_t i = 1; i < count; i++)
    if (name == entries[i].name) return static_cast<DType>(i);
  return DType::none;
}
DType dtype_from_number(int64_t n) {
  return n > 0 && n < static_cast<int64_t>(count) ? static_cast<DType>(n) : DType::none;
}

}  // namespace hone

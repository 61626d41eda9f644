// The engine reader: whatever the bytes, an engine or an error. What is accepted must be writable, and read
// back the same.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/hash.h"
#include "engine/format.h"
#include "engine/read.h"
#include "engine/write.h"

namespace {
using namespace hone;

// Puts the magic and every checksum right: the fuzzer would otherwise never get behind them.
void mend(std::byte* b, size_t size) {
  format::FileHeader h;
  if (size < sizeof h) return;
  std::memcpy(&h, b, sizeof h);
  std::memcpy(h.magic, format::magic, sizeof h.magic);
  h.major = format::version_major;
  h.file_size = size;
  const uint64_t table = uint64_t{h.section_count} * sizeof(format::SectionEntry);
  if (table <= size - sizeof h)
    for (uint32_t i = 0; i < h.section_count; i++) {
      format::SectionEntry e;
      std::byte* at = b + sizeof h + i * sizeof e;
      std::memcpy(&e, at, sizeof e);
      if (e.offset > size || e.size > size - e.offset) continue;
      e.checksum = hash64(b + e.offset, e.size);
      std::memcpy(at, &e, sizeof e);
    }
  h.checksum = 0;
  std::memcpy(b, &h, sizeof h);
  if (table <= size - sizeof h) h.checksum = hash64(b, sizeof h + table);
  std::memcpy(b, &h, sizeof h);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto copy = Tensor::allocate(DType::u8, Shape{static_cast<Dim>(size)});
  if (!copy) return 0;
  if (size) std::memcpy(copy->bytes(), data, size);
  auto* bytes = static_cast<std::byte*>(copy->bytes());
  if (size && data[size - 1] != 0xff) mend(bytes, size);  // a last byte of 0xff: as they are
  auto e = read_engine_bytes(copy->owner(), {bytes, size}, {.verify_constants = size % 2 == 0});
  if (!e) return 0;
  const auto once = engine_bytes(*e);
  if (!once) std::abort();
  const auto back =
      read_engine_bytes(std::make_shared<std::vector<std::byte>>(*once), *once, {.verify_constants = true});
  if (!back) std::abort();
  const auto twice = engine_bytes(*back);
  if (!twice || *twice != *once) std::abort();
  return 0;
}

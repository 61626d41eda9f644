// Timing records from nobody knows where: refused or read, and what is read is written and read as the same.
#include <cstdint>
#include <cstdlib>

#include "tune/record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto record = hone::TimingRecord::parse({reinterpret_cast<const char*>(bytes), size}, "fuzz");
  if (!record) return 0;
  const std::string text = record->text();
  const auto again = hone::TimingRecord::parse(text, "written");
  if (!again || again->text() != text) std::abort();
  hone::TimingRecord both = *record;
  both.merge(*again);
  if (both.text() != text) std::abort();
  return 0;
}

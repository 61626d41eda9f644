// Any bytes are imported or refused; what is imported obeys the laws of the IR.
#include <cstdint>
#include <cstdlib>

#include "import/import.h"
#include "ir/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Small limits: the fuzzer's time is for finding paths, not for filling memory.
  const hone::ImportOptions options{.limits = {.nodes = 5000, .dense_bytes = 1 << 24}};
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  (void)hone::looks_like_onnx(bytes);
  // The graph dies before the bytes do.
  const std::shared_ptr<const void> owner(std::shared_ptr<void>(), data);
  auto g = hone::import_onnx({bytes, owner}, "", options);
  if (g && !hone::ir::verify(**g)) std::abort();
  for (const auto kind :
       {hone::Value::Kind::tensor, hone::Value::Kind::sequence, hone::Value::Kind::optional})
    (void)hone::read_onnx_value({bytes, owner}, kind);
  return 0;
}

// Any text is parsed or refused; what is parsed prints, parses again and prints the same; inference and the
// verifier say yes or no of it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ir/text.h"
#include "ir/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hone::ir;
  auto g = parse_graph({reinterpret_cast<const char*>(data), size});
  if (!g) return 0;
  std::vector<hone::Tensor> table;
  const std::string text = print(**g, {.table = &table});
  auto again = parse_graph(text, {.table = table});
  if (!again || print(**again) != text) std::abort();
  if (infer(**g)) (void)verify(**g);
  return 0;
}

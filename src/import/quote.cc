#include "import/quote.h"

#include "base/result.h"

namespace hone {

std::string quote(std::string_view text, size_t longest) {
  std::string out = "'";
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) out += strf("\\x%02x", byte);
    else if (c == '\'' || c == '\\') (out += '\\') += c;
    else out += c;
  }
  out += '\'';
  if (text.size() > longest) out += strf("... (%zu bytes)", text.size());
  return out;
}

}  // namespace hone

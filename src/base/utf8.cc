#include "base/utf8.h"

namespace hone {

int32_t next_utf8(std::string_view s, size_t& at) {
  const auto lead = static_cast<unsigned char>(s[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf8 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  if (!more || s.size() - at < static_cast<size_t>(more)) return -1;
  int32_t c = lead & (0x3f >> more);
  for (int i = 0; i < more; i++) {
    const auto b = static_cast<unsigned char>(s[at + static_cast<size_t>(i)]);
    if ((b & 0xc0) != 0x80) return -1;
    c = c << 6 | (b & 0x3f);
  }
  constexpr int32_t least[] = {0, 0x80, 0x800, 0x10000};
  if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return -1;
  at += static_cast<size_t>(more);
  return c;
}

bool is_utf8(std::string_view s) {
  for (size_t at = 0; at < s.size();)
    if (next_utf8(s, at) < 0) return false;
  return true;
}

std::u32string decode_utf8(std::string_view s) {
  std::u32string out;
  for (size_t at = 0; at < s.size();) {
    const int32_t c = next_utf8(s, at);
    out += static_cast<char32_t>(c < 0 ? 0xfffd : c);
  }
  return out;
}

void append_utf8(std::string& to, uint32_t c) {
  if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) c = 0xfffd;
  auto put = [&](uint32_t b) { to += static_cast<char>(b); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

}  // namespace hone

// UTF-8: validity and conversion. Overlong forms, surrogates and what lies above U+10FFFF are invalid.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace hone {

// Reads the character at `at` and moves past it; -1 and one byte further where there is none.
int32_t next_utf8(std::string_view, size_t& at);
bool is_utf8(std::string_view);
std::u32string decode_utf8(std::string_view);           // invalid bytes become U+FFFD
void append_utf8(std::string& to, uint32_t character);  // an invalid one as U+FFFD

}  // namespace hone

// Names from a file as messages show them: 'text', control bytes and quotes escaped, long ones cut.
#pragma once
#include <string>
#include <string_view>

namespace hone {

std::string quote(std::string_view text, size_t longest = 80);

}  // namespace hone

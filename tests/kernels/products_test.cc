// Every problem of cases/*.txt: each accepting tactic on each instruction set agrees with the reference.
#include "problem.h"

namespace hone::test {
namespace {

struct Line {
  std::string text;
  int number = 0;
};
void PrintTo(const Line& line, std::ostream* out) { *out << line.text; }

class Problems : public testing::TestWithParam<Line> {};

TEST_P(Problems, AgreeWithTheReference) {
  const auto c = parse_problem(GetParam().text);
  ASSERT_TRUE(c) << c.error().message;
  EXPECT_GE(check(*c), 1) << "no tactic accepts " << GetParam().text;
}

std::vector<Line> lines_of(const char* file) {
  std::vector<Line> lines;
  for (const std::string& text : read_lines(std::string(HONE_SOURCE_DIR "/tests/kernels/cases/") + file))
    lines.push_back({text, static_cast<int>(lines.size()) + 1});
  return lines;
}
std::string name_of(const testing::TestParamInfo<Line>& info) {
  std::string name;
  for (char ch : info.param.text) name += isalnum(static_cast<unsigned char>(ch)) ? ch : '_';
  return std::to_string(info.param.number) + "_" + name;
}

INSTANTIATE_TEST_SUITE_P(Conv, Problems, testing::ValuesIn(lines_of("conv.txt")), name_of);
INSTANTIATE_TEST_SUITE_P(Winograd, Problems, testing::ValuesIn(lines_of("conv_winograd.txt")), name_of);
INSTANTIATE_TEST_SUITE_P(Product, Problems, testing::ValuesIn(lines_of("product.txt")), name_of);
INSTANTIATE_TEST_SUITE_P(Transposed, Problems, testing::ValuesIn(lines_of("conv_transpose.txt")), name_of);
INSTANTIATE_TEST_SUITE_P(Depthwise, Problems, testing::ValuesIn(lines_of("conv_depthwise.txt")), name_of);

}  // namespace
}  // namespace hone::test

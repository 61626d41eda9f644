// Every problem of cases/*.txt, which bench_kernels times: each accepting tactic on each instruction set agrees with the reference.
#include "problem.h"

namespace hone::test {
namespace {

struct Line {
  std::string text;
  int number = 0;
};
void PrintTo(const Line& line, std::ostream* out) { *out << line.text; }

class Problems : public testing::TestWithParam<Line> {};

// Sanitizers and emulators would take minutes over a layer of a real network; the small problems have all its
// cases.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__x86_64__)
constexpr double most_flops = 2e7;
#else
constexpr double most_flops = 1e12;
#endif

TEST_P(Problems, AgreeWithTheReference) {
  const auto size = parse_problem(GetParam().text, false);
  ASSERT_TRUE(size) << size.error().message;
  if (flops(*size) > most_flops) GTEST_SKIP() << "too large for an emulator or a sanitizer";
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
INSTANTIATE_TEST_SUITE_P(MobilenetV2, Problems, testing::ValuesIn(lines_of("layers_mobilenet_v2.txt")),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Resnet50, Problems, testing::ValuesIn(lines_of("layers_resnet50.txt")), name_of);
INSTANTIATE_TEST_SUITE_P(Vit, Problems, testing::ValuesIn(lines_of("layers_vit.txt")), name_of);
INSTANTIATE_TEST_SUITE_P(Depthwise, Problems, testing::ValuesIn(lines_of("conv_depthwise.txt")), name_of);
INSTANTIATE_TEST_SUITE_P(Grouped, Problems, testing::ValuesIn(lines_of("conv_grouped.txt")), name_of);

}  // namespace
}  // namespace hone::test

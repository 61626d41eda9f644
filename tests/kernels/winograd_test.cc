// What Winograd's tactics take and refuse, and how large their errors are. That they agree with the reference on
// cases/conv_winograd.txt is checked with the other products.
#include <cmath>

#include "problem.h"

namespace hone::test {
namespace {

constexpr const char* winograd4 = "conv_winograd4_f32";
constexpr const char* winograd2 = "conv_winograd2_f32";

Case problem(const std::string& line) {
  auto c = parse_problem(line);
  EXPECT_TRUE(c) << line << ": " << c.error().message;
  return c ? *std::move(c) : Case{};
}

TEST(Winograd, TakesEveryProblemOfItsList) {
  for (const std::string& line : read_lines(HONE_SOURCE_DIR "/tests/kernels/cases/conv_winograd.txt"))
    for (const char* tactic : {winograd4, winograd2}) EXPECT_EQ(refusal(problem(line), tactic), "") << line;
}

TEST(Winograd, SaysWhyItRefuses) {
  const auto why = [](const std::string& line) { return refusal(problem(line), winograd4); };
  EXPECT_EQ(why("Conv x=1x24x24x64 k=3x1 p=1,0,1,0 oc=64"), "the kernel is not 3x3");
  EXPECT_EQ(why("Conv x=1x24x24x64 k=5x5 p=2 oc=64"), "the kernel is not 3x3");
  EXPECT_EQ(why("Conv x=1x24x24x64 k=3x3 s=1x2 p=1 oc=64"), "the stride is not 1");
  EXPECT_EQ(why("Conv x=1x24x24x64 k=3x3 d=2 p=1 oc=64"), "the kernel is dilated");
  EXPECT_EQ(why("Conv x=1x24x24x64 k=3x3 g=2 p=1 oc=64"), "there are groups");
  EXPECT_EQ(why("Conv x=1x24x64 k=3 p=1 oc=64"), "it is not a map of two dimensions");
  EXPECT_EQ(why("Conv x=0x24x24x64 k=3x3 p=1 oc=64"), "there is nothing to do");
  EXPECT_EQ(why("Conv x=1x24x24x64 k=3x3 p=1 oc=0"), "there is nothing to do");
}

// isa/winograd.h has the measured errors, of which these are about one and a half times.
TEST(Winograd, ErrsLittleMoreThanPlainSummation) {
  const struct {
    const char *tactic, *line;
    float bound;  // as a share of the largest output
  } problems[] = {{winograd4, "Conv x=1x24x24x64 k=3x3 p=1 oc=64 bias=0", 8e-6f},
                  {winograd4, "Conv x=1x21x22x256 k=3x3 p=1 oc=32 bias=0", 8e-6f},
                  {winograd4, "Conv x=1x20x20x512 k=3x3 p=1 oc=64 bias=0", 8e-6f},
                  {winograd2, "Conv x=1x14x14x64 k=3x3 p=1 oc=64 bias=0", 2e-6f},
                  {winograd2, "Conv x=1x14x14x512 k=3x3 p=1 oc=128 bias=0", 2e-6f}};
  for (const auto& [tactic, line, bound] : problems) {
    Case c = problem(line);
    c.only = tactic;
    const auto want = reference(c);
    ASSERT_TRUE(want);
    float largest = 0;
    for (int64_t i = 0; i < want->front().elements(); i++)
      largest = std::max(largest, std::abs(want->front().data<float>()[i]));
    const float scale = largest * bound / find_tactic("Conv", tactic)->error_bound;
    for (int64_t i = 0; i < c.scale.elements(); i++) c.scale.data<float>()[i] = scale;
    c.absolute = 0;
    EXPECT_EQ(check(c), 1) << line;
  }
}

TEST(Winograd, AgreesWithTheReferenceOnRandomMaps) {
  const auto pick = [](int64_t from, int64_t to) {
    return std::to_string(std::uniform_int_distribution<int64_t>(from, to)(rng()));
  };
  int taken = 0;
  for (int i = 0; i < 40 && !testing::Test::HasFailure(); i++) {
    const std::string line = "Conv x=" + pick(1, 2) + "x" + pick(6, 34) + "x" + pick(6, 34) + "x" +
                             pick(16, 90) + " k=3x3 p=" + pick(0, 3) + "," + pick(0, 3) + "," + pick(0, 3) +
                             "," + pick(0, 3) + " oc=" + pick(16, 90) + " res=" + pick(0, 1) +
                             (i % 2 ? " act=Relu" : "");
    Case c = problem(line);
    c.only = i % 4 < 2 ? winograd4 : winograd2;
    taken += check(c);
    if (testing::Test::HasFailure()) FAIL() << line;
  }
  EXPECT_EQ(taken, 40);
}

}  // namespace
}  // namespace hone::test

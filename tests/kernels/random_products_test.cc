// Problems drawn at random: what no list of cases foresees (HONE_SEED replays them).
#include "problem.h"

namespace hone::test {
namespace {

int64_t pick(int64_t from, int64_t to) { return std::uniform_int_distribution<int64_t>(from, to)(rng()); }
template <class T>
const T& one_of(const std::vector<T>& values) {
  return values[static_cast<size_t>(pick(0, static_cast<int64_t>(values.size()) - 1))];
}
// Small numbers mostly, with the sizes of tiles and vectors and their neighbours in between.
int64_t channels() {
  return one_of<int64_t>({1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 33, 48, 63, 65, 100});
}
std::string number(int64_t n) { return std::to_string(n); }
std::string activation() {
  return one_of<std::string>({"", "", "", " act=Relu", " act=Clip", " act=HardSwish", " act=Sigmoid"});
}

// Spatial dimensions, kernel, stride, dilation and padding; the dilated kernel fits the padded input.
std::string window(int64_t& rank) {
  rank = pick(1, 2);
  std::string x, k, s, d, begin, end;
  for (int64_t i = 0; i < rank; i++) {
    const int64_t kernel = one_of<int64_t>({1, 1, 2, 3, 3, 3, 4, 5, 7}),
                  dilation = one_of<int64_t>({1, 1, 1, 2, 3, 9});
    const int64_t before = one_of<int64_t>({0, 1, 1, 2, 3, 8}), after = one_of<int64_t>({0, 1, 1, 2, 3, 8});
    const int64_t least = std::max<int64_t>(1, (kernel - 1) * dilation + 1 - before - after);
    const std::string join = i ? "x" : "", comma = i ? "," : "";
    x += "x" + number(least + pick(0, 12));
    k += join + number(kernel);
    s += join + number(one_of<int64_t>({1, 1, 1, 2, 2, 3, 5}));
    d += join + number(dilation);
    begin += comma + number(before);
    end += comma + number(after);
  }
  return "x=" + number(pick(1, 2)) + x + "xCHANNELS k=" + k + " s=" + s + " d=" + d + " p=" + begin + "," +
         end;
}

std::string with_channels(std::string line, int64_t c) {
  return line.replace(line.find("CHANNELS"), 8, number(c));
}

void expect_agreement(const std::string& line) {
  const auto c = parse_problem(line);
  ASSERT_TRUE(c) << line << ": " << c.error().message;
  EXPECT_GE(check(*c), 1) << line;
  if (testing::Test::HasFailure()) FAIL() << line;
}

constexpr int rounds = 60;

TEST(RandomProblems, ConvAgreesWithTheReference) {
  for (int i = 0; i < rounds && !testing::Test::HasFailure(); i++) {
    int64_t rank = 0;
    const int64_t groups = one_of<int64_t>({1, 1, 1, 2, 3}), in = channels(), out = channels();
    expect_agreement("Conv " + with_channels(window(rank), in * groups) + " g=" + number(groups) +
                     " oc=" + number(out * groups) + " res=" + number(pick(0, 1)) + activation());
  }
}

TEST(RandomProblems, DepthwiseConvAgreesWithTheReference) {
  for (int i = 0; i < rounds && !testing::Test::HasFailure(); i++) {
    int64_t rank = 0;
    const std::string c = number(channels());
    expect_agreement("Conv " + with_channels(window(rank), std::stoll(c)) + " g=" + c + " oc=" + c +
                     " res=" + number(pick(0, 1)) + activation());
  }
}

TEST(RandomProblems, ConvTransposeAgreesWithTheReference) {
  for (int i = 0; i < rounds && !testing::Test::HasFailure(); i++) {
    int64_t rank = 0;
    std::string line = window(rank);
    // Padding that would eat the whole output is an error; none is always valid.
    if (pick(0, 1)) line = line.substr(0, line.find(" p="));
    else
      line = line.substr(0, line.find(" p=")) + " p=" + (rank == 1 ? "1,0" : "1,0,0,1") +
             " op=" + (rank == 1 ? "0" : "0,0");
    const int64_t groups = one_of<int64_t>({1, 1, 2, 5});
    line = with_channels(line, channels() * groups) + " g=" + number(groups) +
           " oc=" + number(channels() * groups) + activation();
    if (!parse_problem("ConvTranspose " + line)) continue;
    expect_agreement("ConvTranspose " + line);
  }
}

TEST(RandomProblems, MatMulAgreesWithTheReference) {
  for (int i = 0; i < rounds && !testing::Test::HasFailure(); i++) {
    std::string a, b;
    for (int64_t d = pick(0, 2); d > 0; d--) {
      const int64_t size = pick(1, 4);
      a = number(pick(0, 2) ? size : 1) + "x" + a;
      b = number(pick(0, 2) ? size : 1) + "x" + b;
    }
    if (pick(0, 2) == 0) (pick(0, 1) ? a : b).clear();
    const std::string k = number(channels());
    const std::string n = number(channels());
    expect_agreement("MatMul a=" + a + number(channels()) + "x" + k + " b=" + b + k + "x" + n +
                     (pick(0, 1) ? " c=" + n : "") + " res=" + number(pick(0, 1)) +
                     " const=" + number(pick(0, 1)) + activation());
  }
}

TEST(RandomProblems, GemmAgreesWithTheReference) {
  for (int i = 0; i < rounds && !testing::Test::HasFailure(); i++) {
    const std::string m = number(channels()), k = number(channels()), n = number(channels());
    const bool ta = pick(0, 1), tb = pick(0, 1);
    const std::string c = one_of<std::string>(
        {"", " c=-", " c=1", " c=" + n, " c=1x" + n, " c=" + m + "x1", " c=" + m + "x" + n});
    expect_agreement("Gemm a=" + (ta ? k + "x" + m : m + "x" + k) + " b=" + (tb ? n + "x" + k : k + "x" + n) +
                     c + " transA=" + number(ta) + " transB=" + number(tb) +
                     one_of<std::string>({"", " alpha=0.5", " alpha=-2"}) +
                     one_of<std::string>({"", " beta=0.25"}) + " const=" + number(pick(0, 1)) + activation());
  }
}

}  // namespace
}  // namespace hone::test

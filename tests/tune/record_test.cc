// The timing record as a text: what it says comes back, and what it must not say is told with its line.
#include "tune/record.h"

#include <gtest/gtest.h>

namespace hone {
namespace {

const std::string head = "hone timing record 1\n";
const std::string sample = head +
                           "machine x86-64 avx2, 2 threads, Some CPU\n"
                           "problem Conv group=1 | f32[1,5,5,3]\n"
                           "time conv_gemm_f32 12.50\n"
                           "time conv_winograd4_f32 10.00\n";

std::string fault(const std::string& text) {
  const auto r = TimingRecord::parse(text, "board.times");
  return r ? "" : r.error().message;
}

TEST(TimingRecord, ComesBackAsItWas) {
  const auto r = TimingRecord::parse(sample, "board.times");
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->text(), sample);
  const auto* times = r->find("x86-64 avx2, 2 threads, Some CPU", "Conv group=1 | f32[1,5,5,3]");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->at("conv_gemm_f32"), 12.5);
  EXPECT_FALSE(r->find("x86-64 avx2, 1 thread, Some CPU", "Conv group=1 | f32[1,5,5,3]"));
  EXPECT_FALSE(r->find("x86-64 avx2, 2 threads, Some CPU", "Conv"));
}

TEST(TimingRecord, TakesCommentsBlankLinesAndOtherLineEnds) {
  std::string text = "# mine\n\n";
  for (char c : sample) text += c == '\n' ? "\r\n" : std::string(1, c);
  const auto r = TimingRecord::parse(text + "\n# end", "board.times");
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->text(), sample);
}

TEST(TimingRecord, MergesToTheShorterTimesInAnyOrder) {
  const std::string start = head + "machine m\nproblem p\n";
  TimingRecord a = *TimingRecord::parse(start + "time x 5\ntime y 7\n", "a");
  TimingRecord b = *TimingRecord::parse(start + "time x 6\ntime y 3\ntime z 1\nproblem q\ntime x 1\n", "b");
  TimingRecord ab = a, ba = b;
  ab.merge(b);
  ba.merge(a);
  EXPECT_EQ(ab.text(), start + "time x 5.00\ntime y 3.00\ntime z 1.00\nproblem q\ntime x 1.00\n");
  EXPECT_EQ(ab.text(), ba.text());
}

TEST(TimingRecord, KeepsWhatItsTextCanHold) {
  TimingRecord r;
  TimingRecord::add(r.times("m", "p"), "x", 1.23456);
  TimingRecord::add(r.times("m", "p"), "y", 1e-9);
  const auto again = TimingRecord::parse(r.text(), "r");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again->find("m", "p"), *r.find("m", "p"));
}

TEST(TimingRecord, TellsLineValueAndRemedyOfWhatItRefuses) {
  const std::string begin =
      " is not how a timing record begins (\"hone timing record 1\"); give a file that "
      "--time-record made";
  EXPECT_EQ(fault(""), "board.times:0: ''" + begin);
  EXPECT_EQ(fault("\x7f"
                  "ELF"),
            "board.times:1: '?ELF'" + begin);
  EXPECT_EQ(fault("hone timing record 123456789012\n"),
            "board.times:1: 'hone timing record 123456789012'" + begin);
  EXPECT_EQ(fault("hone timing record 2\n"),
            "board.times:1: 'hone timing record 2' is of another version than 1; use "
            "the Hone that made it, or measure anew");
  EXPECT_EQ(fault(head + "speed 5\n"),
            "board.times:2: 'speed 5' is no line of a timing record (machine, problem, time); "
            "remove it");
  EXPECT_EQ(fault(head + "time x 5\n"),
            "board.times:2: 'x 5' is a time before any problem; put its `problem` line before it");
  EXPECT_EQ(fault(head + "problem x\n"),
            "board.times:2: 'x' is a problem before any machine; put its `machine` line before it");
  EXPECT_EQ(fault(head + "machine a\tb\n"),
            "board.times:2: 'machine a?b' holds control characters; remove the line");
  const std::string start = head + "machine m\nproblem p\n";
  for (const char* bad : {"x", "x ", "x 0", "x -1", "x nan", "x inf", "x 1e3", "x 5 6", "x 99999999999",
                          "x 0x10", " 5", "x 1.2.3"})
    EXPECT_EQ(fault(start + "time " + bad + "\n"), std::string("board.times:4: '") + bad +
                                                       "' is not a tactic and its microseconds, above 0 and "
                                                       "up to 1e10; remove the line or measure anew");
  EXPECT_EQ(fault(start + "time x 5\nmachine other\ntime x 5\n"),
            "board.times:6: 'x 5' is a time before any problem; put its `problem` line before it");
  EXPECT_NE(fault(head + "machine " + std::string(20000, 'x') + "\n").find("line of more than 16384 bytes"),
            std::string::npos);
}

TEST(TimingRecord, AFileThatDoesNotExistIsEmpty) {
  const auto r = TimingRecord::read("/nowhere/at/all.times");
  ASSERT_TRUE(r);
  EXPECT_TRUE(r->empty());
  EXPECT_FALSE(TimingRecord::read("/"));
}

}  // namespace
}  // namespace hone

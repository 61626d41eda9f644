#include "ops/regex.h"

#include <gtest/gtest.h>

#include <string>

namespace hone {
namespace {

bool matches(const char* pattern, std::string_view text) {
  auto r = Regex::compile(pattern);
  EXPECT_TRUE(r) << (r ? "" : r.error().message);
  return r && r->full_match(text);
}

TEST(Regex, MatchesWholeStringsOnly) {
  EXPECT_TRUE(matches("abc", "abc"));
  EXPECT_FALSE(matches("abc", "abcd"));
  EXPECT_FALSE(matches("bc", "abc"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_FALSE(matches("", "a"));
}

TEST(Regex, RepeatsAsOftenAsSaid) {
  for (const auto& [text, yes] :
       {std::pair{"", false}, {"a", false}, {"aa", true}, {"aaaa", true}, {"aaaaa", false}})
    EXPECT_EQ(matches("a{2,4}", text), yes) << text;
  EXPECT_TRUE(matches("(ab)*", ""));
  EXPECT_TRUE(matches("(ab)*", "ababab"));
  EXPECT_FALSE(matches("(ab)*", "aba"));
  EXPECT_TRUE(matches("(?:a|b)+?c?", "abba"));
  EXPECT_TRUE(matches("(ab|c){3,}", "abcabc"));
  EXPECT_FALSE(matches("(ab|c){3,}", "abc"));
  EXPECT_FALSE(matches("a{0}", "a"));
  EXPECT_TRUE(matches("(a*)*b", "aab"));
}

TEST(Regex, KnowsClassesAndUtf8) {
  EXPECT_TRUE(matches("[a-c\\d_-]+", "b3-_"));
  EXPECT_FALSE(matches("[^a-c]+", "xyza"));
  EXPECT_TRUE(matches("..", "é€"));
  EXPECT_TRUE(matches("[à-ü]x", "éx"));
  EXPECT_TRUE(matches("\\W\\S", "é€"));
  EXPECT_FALSE(matches(".", "\n"));
  EXPECT_TRUE(matches("\\x41\\.", "A."));
}

TEST(Regex, KnowsPositions) {
  EXPECT_TRUE(matches("^a$", "a"));
  EXPECT_FALSE(matches("a^b", "ab"));
  EXPECT_TRUE(matches("\\Aa\\.\\bb\\b\\z", "a.b"));
  EXPECT_FALSE(matches("a\\bb", "ab"));
  EXPECT_TRUE(matches("a\\Bb", "ab"));
}

TEST(Regex, TakesLinearTimeWhereBacktrackingTakesForever) {
  EXPECT_FALSE(matches("(a|a)*(a|a)*(a|a)*b", std::string(20000, 'a')));
  EXPECT_TRUE(matches("(a?){200}a{200}", std::string(200, 'a')));
}

TEST(Regex, RefusesWhatItDoesNotKnow) {
  for (const char* p : {"(", ")", "[a", "a**", "*a", "\\", "\\q", "(?=a)", "(?P<n>a)", "a{2,1}", "a{1001}",
                        "a{", "[[:alpha:]]", "\\1", "[b-a]", "((((a{1000}){1000}){1000}){1000})"})
    EXPECT_FALSE(Regex::compile(p)) << p;
  EXPECT_FALSE(Regex::compile(std::string(1000, '(')));
}

}  // namespace
}  // namespace hone

#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hone {
namespace {

TEST(Json, prints_in_the_order_of_adding) {
  Json j = Json::object();
  j.set("z", 1)
      .set("a", Json::array().push(true).push(Json()).push(0.1))
      .set("z", 2)
      .set("s", "q\"\\\n\x01\xff");
  EXPECT_EQ(j.str(), "{\"z\": 2, \"a\": [true, null, 0.1], \"s\": \"q\\\"\\\\\\n\\u0001\xef\xbf\xbd\"}");
  EXPECT_EQ(Json(NAN).str(), "null");
  EXPECT_EQ(Json(-0.5).str(), "-0.5");
  EXPECT_EQ(Json(int64_t{1} << 50).str(), "1125899906842624");
  EXPECT_EQ(Json::object().str() + Json::array().str(), "{}[]");
}

TEST(Json, reads_back_what_it_prints) {
  const char* text = R"({"a": [1, -2.5, 1e+300, "x\ty", {"b": null}], "c": false})";
  auto j = Json::parse(text);
  ASSERT_TRUE(j) << j.error().message;
  EXPECT_EQ(j->str(), text);
  EXPECT_EQ((*j)["a"].items()[1].number(), -2.5);
  EXPECT_TRUE((*j)["missing"]["deeper"].is_null());
  EXPECT_EQ(Json::parse(R"("\u00e9\ud83d\ude00")")->string(), "\xc3\xa9\xf0\x9f\x98\x80");
}

TEST(Json, what_is_not_json_is_refused_with_its_offset) {
  for (const char* bad : {"", "{", "[1,]", "{\"a\":}", "nul", "inf", "-", "\"abc", "\"\\x\"", "1 2", "{1:2}"})
    EXPECT_FALSE(Json::parse(bad)) << bad;
  EXPECT_FALSE(Json::parse(std::string(1000, '[')));
  EXPECT_EQ(Json::parse("[1, x]").error().message, "offset 4: this is not JSON");
}

}  // namespace
}  // namespace hone

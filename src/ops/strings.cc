// StringConcat, StringSplit, StringNormalizer.
#include <algorithm>

#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {

constexpr TypeSet text_type{DType::string};

// --- StringConcat ---

Status infer_concat(Infer& c) {
  HONE_CHECK(check_type(c, 0, text_type));
  HONE_CHECK(check_type(c, 1, text_type));
  HONE_TRY(const Shape s, broadcast(c.shape(0), c.shape(1)));
  c.set(0, DType::string, s);
  return {};
}
Status concat(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  const TensorView a = c.input(0), b = c.input(1);
  for_each_row(broadcast_nest(y.shape, a.shape, b.shape), [&](const auto& at, int64_t n, const auto& step) {
    for (int64_t i = 0; i < n; i++)
      y.data<std::string>()[at[0] + i] =
          a.data<std::string>()[at[1] + i * step[1]] + b.data<std::string>()[at[2] + i * step[2]];
  });
  return {};
}

// --- StringSplit ---

bool is_space(char ch) { return ch == ' ' || (ch >= '\t' && ch <= '\r'); }

// At most `limit` cuts (negative: any number), as Python's str.split does it.
std::vector<std::string> split_text(const std::string& s, const std::string& delimiter, int64_t limit) {
  std::vector<std::string> parts;
  if (!delimiter.empty()) {
    size_t from = 0;
    for (;;) {
      const size_t at = limit == 0 ? std::string::npos : s.find(delimiter, from);
      parts.push_back(s.substr(from, at == std::string::npos ? at : at - from));
      if (at == std::string::npos) return parts;
      from = at + delimiter.size();
      if (limit > 0) limit--;
    }
  }
  size_t i = 0;
  for (;;) {
    while (i < s.size() && is_space(s[i])) i++;
    if (i == s.size()) return parts;
    size_t end = s.size();
    if (limit != 0)
      end = static_cast<size_t>(std::find_if(s.begin() + static_cast<ptrdiff_t>(i), s.end(), is_space) -
                                s.begin());
    if (limit > 0) limit--;
    parts.push_back(s.substr(i, end - i));
    i = end;
  }
}

Status infer_split(Infer& c) {
  HONE_CHECK(check_type(c, 0, text_type));
  const Shape x = c.shape(0);
  if (x.rank() >= max_rank)
    return error(Code::limit, "the result would have more than %d dimensions", max_rank);
  Shape y = x;
  y.push_back(unknown_dim);
  c.set(0, DType::string, x.ranked() ? y : x);
  c.set(1, DType::i64, x);
  return {};
}
Status split(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView x = c.input(0);
  const int64_t limit = c.attrs.i("maxsplit", -1), n = x.elements();
  std::vector<std::vector<std::string>> parts;
  int64_t most = 0;
  for (int64_t i = 0; i < n; i++) {
    parts.push_back(split_text(x.data<std::string>()[i], c.attrs.s("delimiter"), limit));
    most = std::max(most, static_cast<int64_t>(parts.back().size()));
  }
  Shape shape = x.shape;
  shape.push_back(most);
  HONE_TRY(const TensorView y, c.output(0, DType::string, shape));
  zero_elements(y);
  for (size_t i = 0; i < parts.size(); i++)
    std::move(parts[i].begin(), parts[i].end(), y.data<std::string>() + static_cast<int64_t>(i) * most);
  if (c.outputs() < 2 || !c.wanted(1)) return {};
  HONE_TRY(const TensorView count, c.output(1, DType::i64, x.shape));
  for (size_t i = 0; i < parts.size(); i++) count.data<int64_t>()[i] = static_cast<int64_t>(parts[i].size());
  return {};
}

// --- StringNormalizer ---

// The other case of a letter: ASCII, Latin-1, Greek and Cyrillic; other characters have none here.
char32_t change_case(char32_t ch, bool upper) {
  struct Range {
    char32_t low_first, low_last;  // small letters
    char32_t distance;             // to their capitals, below them
  };
  static constexpr Range ranges[] = {{'a', 'z', 32},     {0xe0, 0xf6, 32},   {0xf8, 0xfe, 32},
                                     {0x3b1, 0x3c1, 32}, {0x3c3, 0x3c9, 32}, {0x430, 0x44f, 32},
                                     {0x450, 0x45f, 80}};
  for (const Range& r : ranges) {
    if (upper && ch >= r.low_first && ch <= r.low_last) return ch - r.distance;
    if (!upper && ch >= r.low_first - r.distance && ch <= r.low_last - r.distance) return ch + r.distance;
  }
  return ch;
}

// Characters of two bytes of UTF-8 are enough for the letters above; all others, broken sequences too, stay
// as they are.
std::string change_case(const std::string& s, bool upper) {
  std::string out;
  for (size_t i = 0; i < s.size(); i++) {
    const auto byte = static_cast<unsigned char>(s[i]);
    if (byte < 0x80) {
      out += static_cast<char>(change_case(byte, upper));
    } else if (byte >= 0xc2 && byte <= 0xdf && i + 1 < s.size() && (s[i + 1] & 0xc0) == 0x80) {
      const char32_t ch = change_case(static_cast<char32_t>((byte & 0x1f) << 6 | (s[++i] & 0x3f)), upper);
      if (ch < 0x80) {
        out += static_cast<char>(ch);
        continue;
      }
      out += static_cast<char>(0xc0 | ch >> 6);
      out += static_cast<char>(0x80 | (ch & 0x3f));
    } else {
      out += s[i];
    }
  }
  return out;
}

enum class Case : uint8_t { keep, lower, upper };
Result<Case> case_of(const Attrs& attrs) {
  const std::string& s = attrs.s("case_change_action");
  if (s == "NONE") return Case::keep;
  if (s == "LOWER") return Case::lower;
  if (s == "UPPER") return Case::upper;
  return error(Code::invalid_argument, "case_change_action is '%s'; it must be NONE, LOWER or UPPER",
               s.c_str());
}

Status infer_normalizer(Infer& c) {
  HONE_CHECK(check_type(c, 0, text_type));
  HONE_CHECK(case_of(c.attrs));
  const Shape x = c.shape(0);
  if (x.ranked() && !(x.rank() == 1 || (x.rank() == 2 && (x[0] == 1 || !known(x[0])))))
    return error(Code::invalid_argument, "the input has shape %s, expected [C] or [1,C]", x.str().c_str());
  Shape y = x;
  if (x.ranked()) y[y.size() - 1] = unknown_dim;
  if (x.rank() == 2) y[0] = 1;
  c.set(0, DType::string, y);
  return {};
}
Status normalizer(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView x = c.input(0);
  HONE_TRY(const Case action, case_of(c.attrs));
  const bool sensitive = c.attrs.flag("is_case_sensitive");
  const auto key = [&](const std::string& s) { return sensitive ? s : change_case(s, false); };
  std::vector<std::string> stop, kept;
  for (const std::string& s : c.attrs.strings("stopwords")) stop.push_back(key(s));
  std::sort(stop.begin(), stop.end());
  for (int64_t i = 0, n = x.elements(); i < n; i++) {
    const std::string& s = x.data<std::string>()[i];
    if (std::binary_search(stop.begin(), stop.end(), key(s))) continue;
    kept.push_back(action == Case::keep ? s : change_case(s, action == Case::upper));
  }
  if (kept.empty()) kept.emplace_back();  // by definition not empty
  Shape shape = x.shape;
  shape[shape.size() - 1] = static_cast<Dim>(kept.size());
  HONE_TRY(const TensorView y, c.output(0, DType::string, shape));
  std::move(kept.begin(), kept.end(), y.data<std::string>());
  return {};
}

constexpr AttrDef split_attrs[] = {AttrDef::opt("delimiter", AttrType::s),
                                   AttrDef::opt("maxsplit", AttrType::i)};
constexpr AttrDef normalizer_attrs[] = {
    AttrDef::def_s("case_change_action", "NONE"), AttrDef::def_i("is_case_sensitive", 0),
    AttrDef::opt("locale", AttrType::s), AttrDef::opt("stopwords", AttrType::strings)};

}  // namespace

extern const OpDef op_StringConcat{.name = "StringConcat",
                                   .doc = "A followed by B, element by element",
                                   .min_inputs = 2,
                                   .max_inputs = 2,
                                   .infer = infer_concat,
                                   .reference = concat};
extern const OpDef op_StringSplit{.name = "StringSplit",
                                  .doc = "the parts of each string, padded with empty ones, and their number",
                                  .max_outputs = 2,
                                  .attrs = split_attrs,
                                  .infer = infer_split,
                                  .reference = split};
extern const OpDef op_StringNormalizer{
    .name = "StringNormalizer",
    .doc = "removes stop words and changes case",
    .attrs = normalizer_attrs,
    .infer = infer_normalizer,
    .reference = normalizer,
    .notes = "ASCII, Latin-1, Greek and Cyrillic letters have two cases, whatever the locale"};

}  // namespace hone

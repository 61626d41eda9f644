// Einsum: the sum over all letters that the output does not have of the products of the inputs' elements.
// Broadcast dimensions under an ellipsis are letters of their own, shared from the right.
#include <algorithm>
#include <cctype>
#include <map>

#include "ops/op.h"
#include "ops/rows.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
constexpr size_t max_letters = Nest<1>::max_loops;
// A dimension under an ellipsis, counted from the right, as a letter.
char ellipsis_letter(size_t from_right) { return static_cast<char>(1 + from_right); }

struct Equation {
  std::vector<std::string> terms;  // letters of each input
  std::string result;
};

Error bad(const std::string& text, const char* why) {
  return error(Code::corrupt, "equation '%.80s' of Einsum: %s", text.c_str(), why);
}

// Letters of one term; "..." becomes \n, to be replaced once the rank is known.
Result<std::string> letters_of(const std::string& text, std::string_view term) {
  std::string out;
  for (size_t i = 0; i < term.size(); i++) {
    const char ch = term[i];
    if (ch == ' ') continue;
    if (std::isalpha(static_cast<unsigned char>(ch))) out += ch;
    else if (term.substr(i, 3) == "..." && out.find('\n') == out.npos) out += '\n', i += 2;
    else return bad(text, "expected letters and at most one ellipsis in each term");
  }
  return out;
}

// Spelled out for inputs of these ranks.
Result<Equation> parse(const std::string& text, std::span<const int> ranks) {
  Equation e;
  const size_t arrow = text.find("->");
  std::string_view left = std::string_view(text).substr(0, arrow);
  for (size_t at = 0;;) {
    const size_t comma = left.find(',', at);
    HONE_TRY(std::string letters,
             letters_of(text, left.substr(at, comma == left.npos ? left.npos : comma - at)));
    e.terms.push_back(std::move(letters));
    if (comma == left.npos) break;
    at = comma + 1;
  }
  if (e.terms.size() != ranks.size()) return bad(text, "it does not have one term for each input");
  size_t ellipsis_rank = 0;
  for (size_t i = 0; i < ranks.size(); i++) {
    std::string& term = e.terms[i];
    const auto rank = static_cast<size_t>(ranks[i]);
    const size_t dots = term.find('\n');
    if (dots == term.npos ? term.size() != rank : term.size() - 1 > rank)
      return bad(text, "a term does not have as many letters as its input has dimensions");
    if (dots == term.npos) continue;
    const size_t n = rank - (term.size() - 1);
    std::string filled;
    for (size_t k = n; k-- > 0;) filled += ellipsis_letter(k);
    term.replace(dots, 1, filled);
    ellipsis_rank = std::max(ellipsis_rank, n);
  }
  std::string shared;
  for (size_t k = ellipsis_rank; k-- > 0;) shared += ellipsis_letter(k);
  if (arrow != text.npos) {
    HONE_TRY(e.result, letters_of(text, std::string_view(text).substr(arrow + 2)));
    if (const size_t dots = e.result.find('\n'); dots != e.result.npos) e.result.replace(dots, 1, shared);
  } else {  // the letters that stand once, in alphabetical order, after the ellipsis
    std::map<char, int> times;
    for (const std::string& term : e.terms)
      for (char ch : term)
        if (std::isalpha(static_cast<unsigned char>(ch))) times[ch]++;
    e.result = shared;
    for (const auto& [ch, n] : times)
      if (n == 1) e.result += ch;
  }
  for (size_t i = 0; i < e.result.size(); i++)
    if (e.result.find(e.result[i], i + 1) != e.result.npos)
      return bad(text, "a letter stands twice in the output");
  if (e.result.size() > static_cast<size_t>(max_rank)) return bad(text, "the output has too many dimensions");
  return e;
}

// The size of each letter. A 1 gives way to a greater size under an ellipsis, and so, as in numpy, elsewhere.
Result<std::map<char, Dim>> letter_sizes(const Equation& e, std::span<const Shape> shapes,
                                         const std::string& text) {
  std::map<char, Dim> sizes;
  for (size_t i = 0; i < shapes.size(); i++)
    for (size_t k = 0; k < e.terms[i].size(); k++) {
      const Dim d = shapes[i][k];
      auto [it, is_new] = sizes.emplace(e.terms[i][k], d);
      if (is_new || it->second == d || d == 1) continue;
      if (it->second == 1 || !known(it->second)) it->second = d;
      else if (known(d))
        return error(Code::invalid_argument, "Einsum '%.80s': one letter stands for sizes %lld and %lld",
                     text.c_str(), static_cast<long long>(it->second), static_cast<long long>(d));
    }
  for (char ch : e.result)
    if (!sizes.count(ch)) return bad(text, "the output has a letter that no input has");
  if (sizes.size() > max_letters) return bad(text, "too many letters");
  return sizes;
}

struct Problem {
  Equation equation;
  std::map<char, Dim> sizes;
};
Result<Problem> problem_of(std::span<const Shape> shapes, const std::string& text) {
  std::vector<int> ranks;
  for (const Shape& s : shapes) ranks.push_back(s.rank());
  HONE_TRY(Equation e, parse(text, ranks));
  HONE_TRY(auto sizes, letter_sizes(e, shapes, text));
  return Problem{std::move(e), std::move(sizes)};
}

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, number_types));
  HONE_CHECK(check_same_types(c));
  c.set(0, common_type(c), Shape::unranked());
  std::vector<Shape> shapes;
  for (size_t i = 0; i < c.in.size(); i++) {
    if (!c.shape(i).ranked()) return {};
    shapes.push_back(c.shape(i));
  }
  HONE_TRY(const Problem p, problem_of(shapes, c.attrs.s("equation")));
  Shape out;
  for (char ch : p.equation.result) out.push_back(p.sizes.at(ch));
  c.set(0, common_type(c), out);
  return {};
}

// For each element of the output, in order, all combinations of the letters that are summed.
template <class A>
void evaluate(const Problem& p, std::span<const TensorView> in, const TensorView& y) {
  std::vector<std::vector<A>> wide;
  for (const TensorView& x : in) {
    wide.emplace_back(static_cast<size_t>(x.elements()));
    read_row<A>(x.dtype)(x.bytes, 0, 1, x.elements(), wide.back().data());
  }
  const WriteRow<A> write = write_row<A>(y.dtype);
  struct Loop {
    int64_t size;
    std::vector<int64_t> stride;  // in each input
  };
  const auto loop_of = [&](char ch, Dim size) {
    Loop loop{size, std::vector<int64_t>(in.size(), 0)};
    for (size_t i = 0; i < in.size(); i++) {
      const auto strides = contiguous_strides(in[i].shape);
      const std::string& term = p.equation.terms[i];
      for (size_t k = 0; k < term.size(); k++)
        if (term[k] == ch && in[i].shape[k] != 1) loop.stride[i] += strides[k];  // twice: the diagonal
    }
    return loop;
  };
  std::vector<Loop> loops;
  for (char ch : p.equation.result) loops.push_back(loop_of(ch, p.sizes.at(ch)));
  const size_t kept = loops.size();
  for (const auto& [ch, size] : p.sizes)
    if (p.equation.result.find(ch) == std::string::npos) loops.push_back(loop_of(ch, size));
  const bool nothing = std::any_of(loops.begin(), loops.end(), [](const Loop& l) { return l.size == 0; });
  std::vector<int64_t> at(loops.size()), offset(in.size());
  // Counts up loops [from, to); false once they have all run through.
  const auto advance = [&](size_t from, size_t to) {
    for (size_t l = to; l-- > from;) {
      for (size_t i = 0; i < in.size(); i++) offset[i] += loops[l].stride[i];
      if (++at[l] < loops[l].size) return true;
      for (size_t i = 0; i < in.size(); i++) offset[i] -= loops[l].stride[i] * loops[l].size;
      at[l] = 0;
    }
    return false;
  };
  for (int64_t o = 0, n = y.elements(); o < n; o++) {
    A sum = 0;
    if (!nothing) {
      do {
        A product = 1;
        for (size_t i = 0; i < in.size(); i++) product *= wide[i][static_cast<size_t>(offset[i])];
        sum += product;
      } while (advance(kept, loops.size()));
    }
    write(&sum, 1, y.bytes, o, 1);
    advance(0, kept);
  }
}

Status reference(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  std::vector<TensorView> in;
  std::vector<Shape> shapes;
  for (size_t i = 0; i < c.inputs(); i++) {
    in.push_back(c.input(i));
    shapes.push_back(in.back().shape);
  }
  HONE_TRY(const Problem p, problem_of(shapes, c.attrs.s("equation")));
  if (is_int(y.dtype)) evaluate<uint64_t>(p, in, y);
  else evaluate<double>(p, in, y);
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::req("equation", AttrType::s)};
}  // namespace

extern const OpDef op_Einsum{.name = "Einsum",
                             .doc = "sums of products by Einstein's convention",
                             .max_inputs = -1,
                             .attrs = attrs,
                             .since = 12,
                             .infer = infer,
                             .reference = reference};

}  // namespace hone

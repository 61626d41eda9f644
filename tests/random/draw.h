// One random problem for one operator: attributes, inputs and how its answers are judged. What an operator
// accepts is said by a function of draws.h; draws.def names one for each operator. A problem is a pure function
// of the operator and a seed.
#pragma once
#include <random>
#include <string>
#include <vector>

#include "base/attrs.h"
#include "ops/op.h"
#include "ops/types.h"

namespace hone::test {

// How answers may differ from those of the reference. u is the unit in the last place of 1 in the answer's
// type; integers, booleans and strings always have to be equal, and so have shapes and types.
//   exact    equal bits, but for NaN.
//   ulps     |got - want| <= n u max(|want|, smallest normal number): functions of one element.
//   gated    the same with the element's input in place of small answers: functions like Gelu, whose error is
//            a share of their argument.
//   sums     |got - want| <= n u S, S the greatest answer to the absolute values of the inputs: sums of
//            products in any order, n the number of terms and some (Higham, Accuracy and Stability, 3.1).
//   scaled   |got - want| <= n u max|want|: what divides by sums, or repeats them.
//   bound    |got - want| <= n u: what divides by the spread of a few numbers, whose bound the draw works out.
//   types    type and shape only: random numbers without a seed.
struct Judge {
  enum Kind : uint8_t { exact, ulps, gated, sums, scaled, bound, types } kind = exact;
  double n = 0;
};

struct Problem {
  const OpDef* op = nullptr;
  Attrs attrs;
  struct Input {
    Value value;            // kind none: absent
    bool constant = false;  // must be one: the output's type depends on it, or the operator asks for it
  };
  std::vector<Input> inputs;
  size_t outputs = 1;
  Judge judge;
};

inline constexpr TypeSet small_floats{DType::f8e4m3fn, DType::f8e4m3fnuz, DType::f8e5m2, DType::f8e5m2fnuz};
inline constexpr TypeSet small_ints{DType::u4, DType::i4, DType::u2, DType::i2};
inline constexpr TypeSet any_type = number_types | bool_type | small_floats | small_ints |
                                    TypeSet{DType::string, DType::f4e2m1, DType::c64, DType::c128};
// Types whose elements are whole bytes and which C++ or dispatch() can move.
inline constexpr TypeSet whole_types = number_types | bool_type | TypeSet{DType::string};

class Draw {
 public:
  Draw(const OpDef& op, uint64_t seed);
  const OpDef& op() const { return *problem_.op; }
  Problem take();  // binds the attributes

  int64_t between(int64_t low, int64_t high);  // inclusive
  bool chance(int percent) { return between(1, 100) <= percent; }
  template <class T>
  T pick(std::initializer_list<T> of) {
    return of.begin()[between(0, static_cast<int64_t>(of.size()) - 1)];
  }
  double real(double low, double high);
  // The likeliest is f32, where it is one of them.
  DType type(TypeSet);
  // A dimension: mostly small, now and then over a vector's length or 0.
  Dim dim();
  Shape shape(int min_rank, int max_rank, bool may_be_empty = true);
  // One that broadcasts to s: axes missing or 1.
  Shape broadcastable(const Shape& s);
  std::vector<int64_t> permutation(int rank);
  int64_t axis(int rank);                      // in [-rank, rank)
  std::vector<int64_t> axes(int rank, int n);  // n different ones, negative now and then
  // Numbers in [low, high]; with `special` some are NaN, infinite, -0, or as large or small as the type has
  // them.
  Tensor tensor(DType, const Shape&, double low = -3, double high = 3, bool special = false);
  Tensor whole(DType, const Shape&, int64_t low, int64_t high);  // whole numbers
  Tensor zeros(DType, const Shape&);

  // The next input.
  void in(Value v) { problem_.inputs.push_back({std::move(v), false}); }
  void fixed(Value v) { problem_.inputs.push_back({std::move(v), true}); }
  void ints(const std::vector<int64_t>& v) { in(Tensor::of_ints(v)); }
  void none() { problem_.inputs.push_back({}); }
  void attr(const char* name, AttrValue v) { problem_.attrs.set(name, std::move(v)); }
  // Sets the attribute to one of these half of the time.
  template <class T>
  void maybe(const char* name, std::initializer_list<T> of) {
    if (chance(50)) attr(name, AttrValue(pick(of)));
  }
  void flag(const char* name) { maybe<int64_t>(name, {0, 1}); }
  void outputs(size_t n) { problem_.outputs = n; }
  void judge(Judge::Kind k, double n = 0) { problem_.judge = {k, n}; }
  const Problem& so_far() const { return problem_; }

 private:
  std::mt19937_64 random_;
  Problem problem_;
};

// The table draws.def. `draw` is null for operators that are not drawn; `why` says why not.
struct Drawn {
  const char* op;
  void (*draw)(Draw&);
  const char* why;
};
std::span<const Drawn> drawn_ops();
const Drawn* find_drawn(std::string_view op);

Problem draw_problem(const Drawn&, uint64_t seed);

// One element as a double, and set to the value of the type that is nearest (reals, integers, booleans).
double number_at(const Tensor&, int64_t i);
void set_number(Tensor&, int64_t i, double v);

}  // namespace hone::test

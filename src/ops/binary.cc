// Binary operators with broadcasting. Those of binary.def, and those that only integers or truth values have.
// Integer arithmetic wraps; x / 0 and x mod 0 are 0.
#include "ops/activation.h"
#include "ops/element.h"
#include "ops/op.h"
#include "ops/scalar_math.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
namespace binary = scalar_math::binary;

// An integer whose arithmetic has no undefined cases.
template <class T>
struct Wrapping {
  T v;
  explicit Wrapping(T x) : v(x) {}
  friend Wrapping operator+(Wrapping x, Wrapping y) { return wrap(u(x) + u(y)); }
  friend Wrapping operator-(Wrapping x, Wrapping y) { return wrap(u(x) - u(y)); }
  friend Wrapping operator*(Wrapping x, Wrapping y) { return wrap(u(x) * u(y)); }
  friend Wrapping operator/(Wrapping x, Wrapping y) {
    if (y.v == 0) return Wrapping(0);
    if (std::is_signed_v<T> && y.v == static_cast<T>(-1)) return wrap(0 - u(x));
    return Wrapping(static_cast<T>(x.v / y.v));
  }
  auto operator<=>(const Wrapping&) const = default;

 private:
  static uint64_t u(Wrapping x) { return static_cast<uint64_t>(x.v); }
  static Wrapping wrap(uint64_t x) { return Wrapping(static_cast<T>(x)); }
};

// One row: elements x[i * sx] and y[i * sy] give out[i * so].
struct RowArgs {
  const void* x;
  const void* y;
  void* out;
  std::array<int64_t, 3> stride;  // out, x, y
  int64_t n;
  const Activation* activation;  // null: none
};
using Row = void (*)(const RowArgs&);

template <class R, class T, class F>
void each(const RowArgs& r, F f) {
  const T* const x = static_cast<const T*>(r.x);
  const T* const y = static_cast<const T*>(r.y);
  R* const out = static_cast<R*>(r.out);
  for (int64_t i = 0; i < r.n; i++) store(out[i * r.stride[0]], f(x[i * r.stride[1]], y[i * r.stride[2]]));
}

template <class F, class T>
void row_same(const RowArgs& r) {
  if constexpr (std::is_integral_v<T>) {
    each<T, T>(r, [](T x, T y) { return F::f(Wrapping<T>(x), Wrapping<T>(y)).v; });
  } else if (r.activation) {
    each<T, T>(r, [&](T x, T y) {
      return static_cast<Compute<T>>((*r.activation)(static_cast<float>(F::f(load(x), load(y)))));
    });
  } else {
    each<T, T>(r, [](T x, T y) { return F::f(load(x), load(y)); });
  }
}
template <class F, class T>
void row_truth(const RowArgs& r) {
  each<bool8, T>(r, [](const T& x, const T& y) { return bool8(F::f(load(x), load(y))); });
}

// The row function for the type of the inputs, or null.
template <class F>
Row pick_same(DType d) {
  Row row = nullptr;
  (void)dispatch_numbers(d, [&](auto zero) { row = row_same<F, decltype(zero)>; });
  return row;
}
template <class F>
Row pick_truth(DType d) {
  if (d == DType::boolean) return row_truth<F, bool8>;
  if (d == DType::string) return row_truth<F, std::string>;
  Row row = nullptr;
  (void)dispatch_numbers(d, [&](auto zero) { row = row_truth<F, decltype(zero)>; });
  return row;
}
// F is a function of two elements of the stored type.
template <auto F>
Row pick_bool(DType) {
  return [](const RowArgs& r) { each<bool8, bool8>(r, [](bool8 x, bool8 y) { return bool8(F(x, y)); }); };
}
template <class F>
Row pick_int(DType d) {
  Row row = nullptr;
  (void)dispatch_ints(d, [&](auto zero) {
    using T = decltype(zero);
    row = [](const RowArgs& r) { each<T, T>(r, [](T x, T y) { return static_cast<T>(F::f(x, y)); }); };
  });
  return row;
}

Status run_rows(EvalContext& c, Row row) {
  const TensorView x = c.input(0), y = c.input(1);
  HONE_TRY(const TensorView out, infer_output(c));
  if (!row) return error(Code::unsupported, "%s of %s is not supported", c.op.name, dtype_name(x.dtype));
  HONE_TRY(const Activation activation, parse_activation(c.attrs));
  const int64_t size_in = x.dtype == DType::string ? sizeof(std::string) : dtype_bytes(x.dtype, 1),
                size_out = dtype_bytes(out.dtype, 1);
  for_each_row(broadcast_nest(out.shape, x.shape, y.shape),
               [&](const auto& at, int64_t n, const auto& stride) {
                 row({x.data<char>() + at[1] * size_in, y.data<char>() + at[2] * size_in,
                      out.data<char>() + at[0] * size_out, stride, n, activation ? &activation : nullptr});
               });
  return {};
}
template <auto pick>
Status reference(EvalContext& c) {
  return run_rows(c, pick(c.input(0).dtype));
}

template <const TypeSet& types, bool truth = false>
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, types));
  HONE_CHECK(check_same_types(c));
  HONE_CHECK(truth ? broadcast_to_bool(c) : broadcast_same_type(c));
  if (!truth && c.out[0].dtype == DType::none) c.out[0].dtype = common_type(c);
  return {};
}

Status infer_prelu(Infer& c) {
  HONE_CHECK(infer<number_types>(c));
  const Shape x = c.shape(0), slope = c.shape(1);
  if (x.all_known() && slope.all_known() && c.out[0].shape != x)
    return error(Code::corrupt, "the slope of PRelu has shape %s, which does not broadcast to %s",
                 slope.str().c_str(), x.str().c_str());
  c.out[0].shape = x;
  return {};
}

// Below 7 a slope for each channel is a vector, whatever the rank of x.
Status slope_along_channels(OpsetNode& n) {
  const Shape slope = n.type(1).shape;
  if (slope.rank() == 1 && slope[0] != 1) n.attrs().set("axis", int64_t{1});
  return upgrade_broadcast(n);
}
constexpr Upgrade prelu_upgrades[] = {{7, slope_along_channels}};

struct And {
  template <class T>
  static T f(T x, T y) {
    return static_cast<T>(x & y);
  }
};
struct Or {
  template <class T>
  static T f(T x, T y) {
    return static_cast<T>(x | y);
  }
};
struct Xor {
  template <class T>
  static T f(T x, T y) {
    return static_cast<T>(x ^ y);
  }
};
struct ShiftLeft {
  template <class T>
  static T f(T x, T y) {
    return y >= T(8 * sizeof(T)) ? T(0) : static_cast<T>(static_cast<uint64_t>(x) << y);
  }
};
struct ShiftRight {
  template <class T>
  static T f(T x, T y) {
    return y >= T(8 * sizeof(T)) ? T(0) : static_cast<T>(x >> y);
  }
};
// fmod = 1: the sign of the dividend, as in C; otherwise that of the divisor, as in Python.
struct Remainder {
  template <class T>
  static T f(T x, T y) {
    if (y == 0 || (std::is_signed_v<T> && y == static_cast<T>(-1))) return 0;
    return static_cast<T>(x % y);
  }
};
struct Modulo {
  template <class T>
  static T f(T x, T y) {
    const T r = Remainder::f(x, y);
    return r != 0 && (r < 0) != (y < 0) ? static_cast<T>(r + y) : r;
  }
};
struct FloatRemainder {
  template <class T>
  static T f(T x, T y) {
    return std::fmod(x, y);
  }
};

Status bit_shift(EvalContext& c) {
  const DType d = c.input(0).dtype;
  return run_rows(c, c.attrs.s("direction") == "LEFT" ? pick_int<ShiftLeft>(d) : pick_int<ShiftRight>(d));
}
constexpr TypeSet unsigned_types{DType::u8, DType::u16, DType::u32, DType::u64};
Status infer_shift(Infer& c) {
  const std::string& d = c.attrs.s("direction");
  if (d != "LEFT" && d != "RIGHT")
    return error(Code::corrupt, "attribute 'direction' of BitShift is '%s', expected 'LEFT' or 'RIGHT'",
                 d.c_str());
  return infer<unsigned_types>(c);
}

Status mod(EvalContext& c) {
  const DType d = c.input(0).dtype;
  if (is_int(d)) return run_rows(c, c.attrs.flag("fmod") ? pick_int<Remainder>(d) : pick_int<Modulo>(d));
  Row row = nullptr;
  HONE_CHECK(dispatch_floats(d, [&](auto zero) { row = row_same<FloatRemainder, decltype(zero)>; }));
  return run_rows(c, row);
}
Status infer_mod(Infer& c) {
  if (is_float(c.dtype(0)) && !c.attrs.flag("fmod"))
    return error(Code::corrupt, "Mod of %s needs the attribute fmod = 1", dtype_name(c.dtype(0)));
  return infer<number_types>(c);
}

constexpr TypeSet comparable = number_types | TypeSet{DType::boolean, DType::string};
constexpr AttrDef activation_attrs[] = {ACTIVATION_ATTRS};
constexpr AttrDef shift_attrs[] = {AttrDef::req("direction", AttrType::s)};
constexpr AttrDef mod_attrs[] = {AttrDef::def_i("fmod", 0)};
}  // namespace

#define BINARY_OP(op, text, ...)              \
  extern const OpDef op_##op{.name = #op,     \
                             .doc = text,     \
                             .min_inputs = 2, \
                             .max_inputs = 2, \
                             __VA_ARGS__,     \
                             .layout = Layout::elementwise};
#define SAME(op) \
  .upgrades = broadcast_upgrades, .infer = infer<number_types>, .reference = reference<pick_same<binary::op>>
#define TRUTH(op, types) \
  .upgrades = broadcast_upgrades, .infer = infer<types, true>, .reference = reference<pick_truth<binary::op>>

BINARY_OP(BitShift, "x shifted by y bits", .attrs = shift_attrs, .infer = infer_shift, .reference = bit_shift)
BINARY_OP(Div, "x / y (integers: towards zero)", SAME(Div))
BINARY_OP(Greater, "x > y", TRUTH(Greater, number_types))
BINARY_OP(GreaterOrEqual, "x >= y", TRUTH(GreaterOrEqual, number_types))
BINARY_OP(Less, "x < y", TRUTH(Less, number_types))
BINARY_OP(LessOrEqual, "x <= y", TRUTH(LessOrEqual, number_types))
BINARY_OP(Mod, "remainder of x / y", .attrs = mod_attrs, .infer = infer_mod, .reference = mod)
BINARY_OP(PRelu, "x where x >= 0, else slope * x", .upgrades = prelu_upgrades, .infer = infer_prelu,
          .reference = reference<pick_same<binary::PRelu>>)
BINARY_OP(Sub, "x - y", SAME(Sub))
#undef BINARY_OP

#define COMMUTATIVE_OP(op, text, ...)                       \
  extern const OpDef op_##op{.name = #op,                   \
                             .doc = text,                   \
                             .min_inputs = 2,               \
                             .max_inputs = 2,               \
                             __VA_ARGS__,                   \
                             .layout = Layout::elementwise, \
                             .commutative = true};
#define LOGIC(expression)                                    \
  .upgrades = broadcast_upgrades, .infer = infer<bool_type>, \
  .reference = reference<pick_bool<[](bool x, bool y) { return expression; }>>
#define BITS(op) \
  .upgrades = broadcast_upgrades, .infer = infer<int_types>, .reference = reference<pick_int<op>>

COMMUTATIVE_OP(Add, "x + y", .attrs = activation_attrs, SAME(Add))
COMMUTATIVE_OP(And, "logical conjunction", LOGIC(x&& y))
COMMUTATIVE_OP(BitwiseAnd, "bits set in both", BITS(And))
COMMUTATIVE_OP(BitwiseOr, "bits set in either", BITS(Or))
COMMUTATIVE_OP(BitwiseXor, "bits set in one only", BITS(Xor))
COMMUTATIVE_OP(Equal, "x == y", TRUTH(Equal, comparable))
COMMUTATIVE_OP(Mul, "x * y", SAME(Mul))
COMMUTATIVE_OP(Or, "logical disjunction", LOGIC(x || y))
COMMUTATIVE_OP(Xor, "logical difference", LOGIC(x != y))
#undef BITS
#undef LOGIC
#undef COMMUTATIVE_OP
#undef TRUTH
#undef SAME

}  // namespace hone

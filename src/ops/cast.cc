// Cast and CastLike. Elements pass in blocks through double (floats) or int64 (integers, truth values), both
// of which hold every narrower type exactly.
//   float -> integer    towards zero; NaN gives 0; what 64 bits cannot hold becomes their end, what fewer
//                       cannot is cut to them
//   integer -> integer  high bits are dropped
//   4 and 2 bits        from floats and integers alike by dropping high bits after truncation; up to opset 23 from
//                       floats to the nearest (hidden attribute clamp)
//   float -> float      to nearest even; float8: attribute saturate; f8e8m0: also round_mode
//   strings             decimal, "inf", "nan" in any case; back as the shortest text that reads as the same
//                       number
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/types.h"

namespace hone {
namespace {
constexpr int64_t block = 256;

struct Block {
  bool integral = false, is_unsigned = false;  // is_unsigned: the int64s are the bits of uint64s
  double real[block];
  int64_t integer[block];
  double as_double(int64_t i) const {
    if (!integral) return real[i];
    return is_unsigned ? static_cast<double>(static_cast<uint64_t>(integer[i]))
                       : static_cast<double>(integer[i]);
  }
  int64_t as_int(int64_t i) const { return integral ? integer[i] : to_int64(real[i]); }
};

struct Options {
  bool saturate;
  bool clamp;  // of 4 and 2 bits
  Round round;
};

// The nearest number of these bits.
uint8_t clamped(double v, int bits, bool is_signed) {
  const double least = is_signed ? -std::ldexp(1, bits - 1) : 0;
  const double greatest = std::ldexp(1, is_signed ? bits - 1 : bits) - 1;
  return std::isnan(v)
             ? 0
             : static_cast<uint8_t>(static_cast<int>(std::nearbyint(std::clamp(v, least, greatest))));
}

Error cannot_read(const std::string& text, const char* what) {
  return error(Code::invalid_argument, "cannot cast the string '%.40s' to %s", text.c_str(), what);
}

Result<double> read_number(const std::string& text) {
  std::string_view s = text;
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back()))) s.remove_suffix(1);
  if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
  double v = 0;
  const auto [end, failure] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (s.empty() || failure == std::errc::invalid_argument || end != s.data() + s.size())
    return cannot_read(text, "a number");
  if (failure == std::errc::result_out_of_range) {  // from_chars leaves v alone: too great, or too near to 0?
    const bool negative = s[0] == '-';
    const size_t e = s.find_first_of("eE");
    const bool tiny = e != s.npos && e + 1 < s.size() && s[e + 1] == '-';
    v = tiny ? 0 : std::numeric_limits<double>::infinity();
    if (negative) v = -v;
  }
  return v;
}

Status load_strings(const TensorView& x, int64_t from, int64_t n, bool to_integer, Block& b) {
  b.integral = to_integer;
  for (int64_t i = 0; i < n; i++) {
    const std::string& s = x.data<std::string>()[from + i];
    if (to_integer) {
      const char* first = s.data() + (s.size() > 1 && s[0] == '+' ? 1 : 0);
      const auto [end, failure] = std::from_chars(first, s.data() + s.size(), b.integer[i]);
      if (failure == std::errc() && end == s.data() + s.size()) continue;
      uint64_t wide = 0;
      const auto [end2, failure2] = std::from_chars(first, s.data() + s.size(), wide);
      if (failure2 == std::errc() && end2 == s.data() + s.size()) {
        b.integer[i] = static_cast<int64_t>(wide);
        continue;
      }
    }
    HONE_TRY(const double v, read_number(s));
    if (to_integer) b.integer[i] = to_int64(v);
    else b.real[i] = v;
  }
  return {};
}

Status load_block(const TensorView& x, int64_t from, int64_t n, bool to_integer, Block& b) {
  const int bits = dtype_bits(x.dtype);
  if (x.dtype == DType::string) return load_strings(x, from, n, to_integer, b);
  if (bits < 8) {
    b.integral = is_int(x.dtype);
    for (int64_t i = 0; i < n; i++) {
      const uint8_t v = get_packed(x.bytes, from + i, bits);
      if (!b.integral) b.real[i] = static_cast<double>(from_small_float(v, f4e2m1_format));
      else b.integer[i] = dtype_kind(x.dtype) == DKind::sint ? sign_extend(v, bits) : v;
    }
    return {};
  }
  return dispatch<float, double, int64_t, int32_t, uint8_t, int8_t, int16_t, uint16_t, uint32_t, uint64_t,
                  bool8, f16_t, bf16_t, f8e4m3fn_t, f8e4m3fnuz_t, f8e5m2_t, f8e5m2fnuz_t, f8e8m0_t>(
      x.dtype, [&](auto zero) {
        using T = decltype(zero);
        const T* const p = x.data<T>() + from;
        if constexpr (requires { to_float(zero); }) {
          for (int64_t i = 0; i < n; i++) b.real[i] = static_cast<double>(to_float(p[i]));
        } else if constexpr (std::is_floating_point_v<T>) {
          for (int64_t i = 0; i < n; i++) b.real[i] = static_cast<double>(p[i]);
        } else {
          b.integral = true;
          b.is_unsigned = std::is_same_v<T, uint64_t>;
          for (int64_t i = 0; i < n; i++) {
            if constexpr (std::is_same_v<T, bool8>) b.integer[i] = p[i] ? 1 : 0;
            else b.integer[i] = static_cast<int64_t>(p[i]);
          }
        }
      });
}

template <class T>
T from_double(double v, const Options& o) {
  if constexpr (std::is_same_v<T, f8e8m0_t>) return to_f8e8m0(v, o.round, o.saturate);
  else {
    // Saturation is asked for with the float8 types only: f16 and bf16 overflow to infinity.
    const bool saturate = o.saturate && small_float<T>.bits() == 8;
    using Bits = decltype(T::bits);
    return T{static_cast<Bits>(to_small_float(v, small_float<T>, saturate))};
  }
}

std::string text_of(double v, DType d) {
  char buffer[40];
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v < 0 ? "-INF" : "INF";
  const auto end = d == DType::f64 ? std::to_chars(buffer, buffer + sizeof buffer, v).ptr
                                   : std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(v)).ptr;
  return std::string(buffer, end);
}

Status store_block(const TensorView& y, int64_t to, int64_t n, const Block& b, DType source,
                   const Options& o) {
  const int bits = dtype_bits(y.dtype);
  if (y.dtype == DType::string) {
    for (int64_t i = 0; i < n; i++)
      y.data<std::string>()[to + i] = !b.integral     ? text_of(b.real[i], source)
                                      : b.is_unsigned ? std::to_string(static_cast<uint64_t>(b.integer[i]))
                                                      : std::to_string(b.integer[i]);
    return {};
  }
  if (bits < 8) {
    const bool real = is_float(y.dtype), nearest = o.clamp && !b.integral;
    const bool is_signed = dtype_kind(y.dtype) == DKind::sint;
    for (int64_t i = 0; i < n; i++)
      set_packed(y.bytes, to + i, bits,
                 real      ? static_cast<uint8_t>(to_small_float(b.as_double(i), f4e2m1_format, true))
                 : nearest ? clamped(b.real[i], bits, is_signed)
                           : static_cast<uint8_t>(static_cast<uint64_t>(b.as_int(i))));
    return {};
  }
  return dispatch<float, double, int64_t, int32_t, uint8_t, int8_t, int16_t, uint16_t, uint32_t, uint64_t,
                  bool8, f16_t, bf16_t, f8e4m3fn_t, f8e4m3fnuz_t, f8e5m2_t, f8e5m2fnuz_t, f8e8m0_t>(
      y.dtype, [&](auto zero) {
        using T = decltype(zero);
        T* const p = y.data<T>() + to;
        for (int64_t i = 0; i < n; i++) {
          if constexpr (requires { to_float(zero); }) {
            p[i] = from_double<T>(b.as_double(i), o);
          } else if constexpr (std::is_floating_point_v<T>) {
            p[i] = !b.integral     ? static_cast<T>(b.real[i])
                   : b.is_unsigned ? static_cast<T>(static_cast<uint64_t>(b.integer[i]))
                                   : static_cast<T>(b.integer[i]);
          } else if constexpr (std::is_same_v<T, bool8>) {
            p[i] = b.integral ? b.integer[i] != 0 : b.real[i] != 0;
          } else if constexpr (std::is_same_v<T, uint64_t>) {
            const bool upper = !b.integral && b.real[i] >= 0x1p63;
            p[i] = !upper                ? static_cast<uint64_t>(b.as_int(i))
                   : b.real[i] >= 0x1p64 ? std::numeric_limits<uint64_t>::max()
                                         : static_cast<uint64_t>(b.real[i]);
          } else {
            p[i] = static_cast<T>(b.as_int(i));
          }
        }
      });
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  const std::string& mode = c.attrs.s("round_mode");
  const Options o{c.attrs.flag("saturate"), c.attrs.flag("clamp"),
                  mode == "up"     ? Round::up
                  : mode == "down" ? Round::down
                                   : Round::nearest};
  Block b;
  for (int64_t i = 0, n = x.elements(); i < n; i += block) {
    const int64_t count = std::min(block, n - i);
    if (x.dtype == DType::string && y.dtype == DType::string) {
      std::copy_n(x.data<std::string>() + i, count, y.data<std::string>() + i);
      continue;
    }
    HONE_CHECK(load_block(x, i, count, is_int(y.dtype), b));
    HONE_CHECK(store_block(y, i, count, b, x.dtype, o));
  }
  return {};
}

Status infer_to(Infer& c, DType to) {
  HONE_CHECK(check_tensor(c, 0));
  const std::string& mode = c.attrs.s("round_mode");
  if (mode != "up" && mode != "down" && mode != "nearest")
    return error(Code::corrupt, "attribute 'round_mode' of %s is '%s', expected 'up', 'down' or 'nearest'",
                 c.op.name, mode.c_str());
  for (DType d : {c.dtype(0), to})
    if (dtype_kind(d) == DKind::complex)
      return error(Code::unsupported, "%s of complex numbers (%s) is not supported", c.op.name,
                   dtype_name(d));
  c.set(0, to, c.shape(0));
  return {};
}

Status infer_cast(Infer& c) {
  const DType to = dtype_from_number(c.attrs.i("to"));
  if (to == DType::none)
    return error(Code::corrupt, "attribute 'to' of Cast is %lld, which is no element type",
                 static_cast<long long>(c.attrs.i("to")));
  return infer_to(c, to);
}
Status infer_like(Infer& c) {
  HONE_CHECK(check_tensor(c, 1));
  return infer_to(c, c.dtype(1));
}

// As ONNX's cases had it until opset 23.
Status clamp_small_integers(OpsetNode& n, DType to) {
  if (to == DType::none || (is_int(to) && dtype_bits(to) < 8)) n.attrs().set("clamp", int64_t{1});
  return {};
}
Status clamp_cast(OpsetNode& n) { return clamp_small_integers(n, dtype_from_number(n.attrs().i("to", 0))); }
Status clamp_like(OpsetNode& n) { return clamp_small_integers(n, n.type(1).dtype); }
constexpr Upgrade like_upgrades[] = {{24, clamp_like}};
constexpr AttrDef clamp = AttrDef::def_i("clamp", 0).hidden();

// Below 6 the type was a word.
Status from_word(OpsetNode& n) {
  struct Word {
    const char* word;
    DType type;
  };
  static constexpr Word words[] = {
      {"FLOAT", DType::f32},    {"UINT8", DType::u8},    {"INT8", DType::i8},    {"UINT16", DType::u16},
      {"INT16", DType::i16},    {"INT32", DType::i32},   {"INT64", DType::i64},  {"STRING", DType::string},
      {"BOOL", DType::boolean}, {"FLOAT16", DType::f16}, {"DOUBLE", DType::f64}, {"UINT32", DType::u32},
      {"UINT64", DType::u64}};
  const std::string to = n.attrs().s("to");
  for (const Word& w : words)
    if (to == w.word) {
      n.attrs().set("to", static_cast<int64_t>(w.type));
      return {};
    }
  return error(Code::corrupt, "attribute 'to' of Cast is '%.40s', which is no element type", to.c_str());
}
constexpr Upgrade cast_upgrades[] = {{6, from_word}, {24, clamp_cast}};
constexpr AttrDef cast_attrs[] = {AttrDef::req("to", AttrType::i), AttrDef::def_i("saturate", 1),
                                  AttrDef::def_s("round_mode", "up"), clamp};
constexpr AttrDef like_attrs[] = {AttrDef::def_i("saturate", 1), AttrDef::def_s("round_mode", "up"), clamp};
}  // namespace

extern const OpDef op_Cast{.name = "Cast",
                           .doc = "the elements as another type",
                           .attrs = cast_attrs,
                           .upgrades = cast_upgrades,
                           .infer = infer_cast,
                           .reference = reference,
                           .layout = Layout::elementwise,
                           .notes = "not from or to complex numbers"};
extern const OpDef op_CastLike{.name = "CastLike",
                               .doc = "the elements as the type of the second input",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .attrs = like_attrs,
                               .since = 15,
                               .upgrades = like_upgrades,
                               .infer = infer_like,
                               .reference = reference,
                               .layout = Layout::none,
                               .notes = "not from or to complex numbers"};

}  // namespace hone

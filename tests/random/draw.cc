#include "random/draw.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/convert.h"
#include "base/hash.h"
#include "ops/dispatch.h"
#include "random/draws.h"

namespace hone::test {
namespace {

template <class T>
double as_double(T v) {
  if constexpr (requires { to_float(v); }) return to_float(v);
  else if constexpr (std::is_same_v<T, std::string>) return 0;
  else return static_cast<double>(v);
}

template <class T>
T from_double(double v) {
  if constexpr (std::is_same_v<T, f16_t>) return to_f16(static_cast<float>(v));
  else if constexpr (std::is_same_v<T, bf16_t>) return to_bf16(static_cast<float>(v));
  else if constexpr (std::is_same_v<T, f8e8m0_t>) return to_f8e8m0(std::fabs(v) + 0.01, Round::nearest, true);
  else if constexpr (requires(T t) { t.bits; } && sizeof(T) == 1)
    return {static_cast<uint8_t>(to_small_float(v, small_float<T>, true))};
  else if constexpr (std::is_same_v<T, bool8>) return v != 0;
  else if constexpr (std::is_floating_point_v<T>) return static_cast<T>(v);
  else {
    using L = std::numeric_limits<T>;
    const double r = std::nearbyint(v);
    return r <= static_cast<double>(L::min())   ? L::min()
           : r >= static_cast<double>(L::max()) ? L::max()
                                                : static_cast<T>(r);
  }
}

const char* const words[] = {"", "a", "b", "Monday", "a b", "x,y", "12", "-3.5", "\xc3\xa4", "ab ab"};
}  // namespace

double number_at(const Tensor& t, int64_t i) {
  const int bits = dtype_bits(t.dtype());
  if (bits < 8) {
    const uint8_t packed = get_packed(t.bytes(), i, bits);
    if (t.dtype() == DType::f4e2m1) return from_small_float(packed, f4e2m1_format);
    return dtype_kind(t.dtype()) == DKind::sint ? sign_extend(packed, bits) : packed;
  }
  double v = 0;
  (void)dispatch<float, double, f16_t, bf16_t, uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t,
                 uint64_t, int64_t, bool8, f8e4m3fn_t, f8e4m3fnuz_t, f8e5m2_t, f8e5m2fnuz_t, f8e8m0_t>(
      t.dtype(), [&](auto zero) { v = as_double(t.data<decltype(zero)>()[i]); });
  return v;
}

void set_number(Tensor& t, int64_t i, double v) {
  const int bits = dtype_bits(t.dtype());
  if (bits < 8) {
    uint32_t packed = 0;
    if (t.dtype() == DType::f4e2m1) packed = to_small_float(v, f4e2m1_format, true);
    else packed = static_cast<uint32_t>(static_cast<int64_t>(std::nearbyint(v)));
    set_packed(t.bytes(), i, bits, static_cast<uint8_t>(packed & ((1u << bits) - 1)));
    return;
  }
  (void)dispatch<float, double, f16_t, bf16_t, uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t,
                 uint64_t, int64_t, bool8, f8e4m3fn_t, f8e4m3fnuz_t, f8e5m2_t, f8e5m2fnuz_t, f8e8m0_t>(
      t.dtype(), [&](auto zero) { t.data<decltype(zero)>()[i] = from_double<decltype(zero)>(v); });
}

// The operator is part of the seed: otherwise all of them would draw the same shapes.
Draw::Draw(const OpDef& op, uint64_t seed)
    : random_(seed * 0x9e3779b97f4a7c15u ^ hash64(op.name, std::strlen(op.name))) {
  problem_.op = &op;
}

Problem Draw::take() {
  (void)bind_attrs(op(), problem_.attrs, true);
  return std::move(problem_);
}

// std's distributions differ between libraries; a seed must mean the same problem everywhere.
int64_t Draw::between(int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random_() % static_cast<uint64_t>(high - low + 1));
}
double Draw::real(double low, double high) {
  return low + (high - low) * static_cast<double>(random_() >> 11) * 0x1p-53;
}

DType Draw::type(TypeSet set) {
  if (set.has(DType::f32) && chance(50)) return DType::f32;
  std::vector<DType> all;
  for (int i = 1; i < 32; i++)
    if (dtype_from_number(i) != DType::none && set.has(static_cast<DType>(i)))
      all.push_back(static_cast<DType>(i));
  return all[static_cast<size_t>(between(0, static_cast<int64_t>(all.size()) - 1))];
}

Dim Draw::dim() {
  const int64_t kind = between(1, 100);
  return kind <= 15 ? 1 : kind <= 80 ? between(2, 5) : kind <= 97 ? between(6, 19) : between(20, 70);
}

Shape Draw::shape(int min_rank, int max_rank, bool may_be_empty) {
  for (;;) {
    const int rank = static_cast<int>(between(min_rank, max_rank));
    Shape s;
    for (int i = 0; i < rank; i++) s.push_back(may_be_empty && chance(2) ? 0 : dim());
    if (s.elements() <= 4000) return s;
  }
}

Shape Draw::broadcastable(const Shape& s) {
  const int skipped = chance(40) ? static_cast<int>(between(0, s.rank())) : 0;
  Shape out;
  for (size_t i = static_cast<size_t>(skipped); i < s.size(); i++) out.push_back(chance(25) ? 1 : s[i]);
  return out;
}

std::vector<int64_t> Draw::permutation(int rank) {
  std::vector<int64_t> p(static_cast<size_t>(rank));
  std::iota(p.begin(), p.end(), 0);
  for (size_t i = p.size(); i > 1; i--)
    std::swap(p[i - 1], p[static_cast<size_t>(between(0, static_cast<int64_t>(i) - 1))]);
  return p;
}

int64_t Draw::axis(int rank) { return between(-rank, rank - 1); }

std::vector<int64_t> Draw::axes(int rank, int n) {
  std::vector<int64_t> a = permutation(rank);
  a.resize(static_cast<size_t>(n));
  for (int64_t& x : a)
    if (chance(30)) x -= rank;
  return a;
}

Tensor Draw::zeros(DType d, const Shape& s) {
  Tensor t = *Tensor::allocate(d, s);
  if (d != DType::string) std::fill_n(static_cast<char*>(t.bytes()), t.byte_size(), 0);
  return t;
}

Tensor Draw::tensor(DType d, const Shape& s, double low, double high, bool special) {
  Tensor t = zeros(d, s);
  const int64_t n = t.elements();
  if (d == DType::string) {
    for (int64_t i = 0; i < n; i++) t.data<std::string>()[i] = words[between(0, std::size(words) - 1)];
    return t;
  }
  if (dtype_kind(d) == DKind::complex) {
    for (int64_t i = 0; i < 2 * n; i++)
      if (d == DType::c64) t.data<float>()[i] = static_cast<float>(real(low, high));
      else t.data<double>()[i] = real(low, high);
    return t;
  }
  for (int64_t i = 0; i < n; i++) {
    double v = d == DType::boolean ? static_cast<double>(between(0, 1)) : real(low, high);
    if (special && chance(8)) {
      if (is_float(d) && dtype_bits(d) >= 16)
        v = pick({std::nan(""), HUGE_VAL, -HUGE_VAL, -0.0, 0.0, 3e38, -3e38, 1e-40, 1.0, 0.5});
      else v = pick({-1e300, 1e300, 0.0, 1.0});
    }
    set_number(t, i, v);
  }
  return t;
}

Tensor Draw::whole(DType t, const Shape& s, int64_t low, int64_t high) {
  Tensor out = zeros(t, s);
  for (int64_t i = 0; i < out.elements(); i++) set_number(out, i, static_cast<double>(between(low, high)));
  return out;
}

namespace {
#define DRAW(op, call) {#op, [](Draw& d) { call; }, nullptr},
#define NOT_DRAWN(op, why) {#op, nullptr, why},
const Drawn table[] = {
#include "random/draws.def"
};
#undef DRAW
#undef NOT_DRAWN
}  // namespace

std::span<const Drawn> drawn_ops() { return table; }
const Drawn* find_drawn(std::string_view op) {
  for (const Drawn& d : table)
    if (op == d.op) return &d;
  return nullptr;
}

Problem draw_problem(const Drawn& drawn, uint64_t seed) {
  const OpDef* op = nullptr;
  for (const OpDef* o : all_ops())
    if (std::string_view(o->name) == drawn.op) op = o;
  Draw d(*op, seed);
  drawn.draw(d);
  return d.take();
}

}  // namespace hone::test

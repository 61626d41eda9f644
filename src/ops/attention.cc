// Attention: softmax(scale * Q K' (capped) + bias) V, with fewer heads for K and V than for Q, a cache, masks
// and a causal limit. Everything in double. A query that may look at nothing gives zeros.
#include <algorithm>
#include <cmath>

#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

// One of Q, K, V: [batch, heads, length, size], or [batch, length, heads * size].
struct Operand {
  Dim batch = unknown_dim, heads = unknown_dim, length = unknown_dim, size = unknown_dim;
  bool folded = false;
  int64_t at(int64_t b, int64_t h, int64_t l) const {
    return (folded ? (b * length + l) * heads + h : (b * heads + h) * length + l) * size;
  }
};

Result<Operand> operand(const Shape& s, const char* what, int64_t heads) {
  Operand o;
  if (!s.ranked()) return o;
  if (s.rank() == 4) return Operand{s[0], s[1], s[2], s[3], false};
  if (s.rank() != 3)
    return error(Code::invalid_argument, "%s has shape %s, expected three or four dimensions", what,
                 s.str().c_str());
  if (heads < 1)
    return error(Code::invalid_argument,
                 "%s has three dimensions, %s, so q_num_heads and kv_num_heads must be given", what,
                 s.str().c_str());
  if (known(s[2]) && s[2] % heads)
    return error(Code::invalid_argument, "%s %s is not divisible into %lld heads", what, s.str().c_str(),
                 static_cast<long long>(heads));
  return Operand{s[0], heads, s[1], known(s[2]) ? s[2] / heads : unknown_dim, true};
}

struct Geometry {
  Operand q, k, v;
  Dim past = 0, total = unknown_dim;  // lengths of the cache, and of cache and new keys together
};

Status same(Dim a, Dim b, const char* what) {
  if (known(a) && known(b) && a != b)
    return error(Code::invalid_argument, "%s: %lld against %lld", what, static_cast<long long>(a),
                 static_cast<long long>(b));
  return {};
}

Result<Geometry> geometry(const Attrs& attrs, const std::array<Shape, 7>& in, bool has_past) {
  Geometry g;
  HONE_TRY(g.q, operand(in[0], "Q", attrs.i("q_num_heads")));
  HONE_TRY(g.k, operand(in[1], "K", attrs.i("kv_num_heads")));
  HONE_TRY(g.v, operand(in[2], "V", attrs.i("kv_num_heads")));
  HONE_CHECK(same(g.q.batch, g.k.batch, "batches of Q and K differ"));
  HONE_CHECK(same(g.q.batch, g.v.batch, "batches of Q and V differ"));
  HONE_CHECK(same(g.k.heads, g.v.heads, "heads of K and V differ"));
  HONE_CHECK(same(g.k.length, g.v.length, "lengths of K and V differ"));
  HONE_CHECK(same(g.q.size, g.k.size, "sizes of Q and K differ"));
  if (known(g.q.heads) && known(g.k.heads) && (g.k.heads == 0 || g.q.heads % g.k.heads))
    return error(Code::invalid_argument, "%lld heads of Q cannot share %lld heads of K",
                 static_cast<long long>(g.q.heads), static_cast<long long>(g.k.heads));
  if (has_past) {
    g.past = unknown_dim;
    for (size_t i = 4; i < 6; i++) {
      const Shape& s = in[i];
      if (!s.ranked()) continue;
      if (s.rank() != 4)
        return error(Code::invalid_argument, "the cache has shape %s, expected four dimensions",
                     s.str().c_str());
      const Operand& o = i == 4 ? g.k : g.v;
      HONE_CHECK(same(s[0], o.batch, "batch of the cache"));
      HONE_CHECK(same(s[1], o.heads, "heads of the cache"));
      HONE_CHECK(same(s[3], o.size, "size of the cache"));
      HONE_CHECK(same(s[2], g.past, "lengths of the caches"));
      g.past = s[2];
    }
  }
  if (known(g.past) && known(g.k.length)) g.total = g.past + g.k.length;
  const Shape& mask = in[3];
  if (mask.ranked()) {
    if (mask.rank() < 2 || mask.rank() > 4)
      return error(Code::invalid_argument, "attn_mask has shape %s, expected two to four dimensions",
                   mask.str().c_str());
    const Dim want[] = {g.q.batch, g.q.heads, g.q.length, g.total};
    for (size_t i = 0; i < mask.size(); i++) {
      const Dim w = want[4 - mask.size() + i], d = mask[i];
      const bool last = i + 1 == mask.size();  // a mask that is too short masks the rest
      if (known(w) && known(d) && d != w && !(d == 1 && !last) && !(last && d < w))
        return error(Code::invalid_argument,
                     "attn_mask has shape %s, where %lld was expected in place of %lld", mask.str().c_str(),
                     static_cast<long long>(w), static_cast<long long>(d));
    }
  }
  if (in[6].ranked()) {
    if (in[6].rank() != 1)
      return error(Code::invalid_argument, "nonpad_kv_seqlen has shape %s, expected [batch]",
                   in[6].str().c_str());
    HONE_CHECK(same(in[6][0], g.q.batch, "nonpad_kv_seqlen and the batch"));
  }
  return g;
}

Status infer(Infer& c) {
  for (size_t i = 0; i < 3; i++) HONE_CHECK(check_type(c, i, float_types));
  HONE_CHECK(check_type(c, 3, float_types | bool_type));
  HONE_CHECK(check_type(c, 6, i64_type));
  for (const size_t i : {1, 2, 3, 4, 5}) {
    if (c.dtype(i) == DType::none || c.dtype(0) == DType::none || c.dtype(i) == c.dtype(0)) continue;
    if (i == 3 && c.dtype(i) == DType::boolean) continue;
    return error(Code::unsupported, "input %zu is of type %s, Q of type %s; they must be the same here", i,
                 dtype_name(c.dtype(i)), dtype_name(c.dtype(0)));
  }
  if (c.has(4) != c.has(5)) return error(Code::corrupt, "past_key and past_value must be given together");
  if (const int64_t mode = c.attrs.i("qk_matmul_output_mode"); mode < 0 || mode > 3)
    return error(Code::invalid_argument, "qk_matmul_output_mode is %lld; it must be from 0 to 3",
                 static_cast<long long>(mode));
  std::array<Shape, 7> in;
  for (size_t i = 0; i < in.size(); i++) in[i] = c.shape(i);
  HONE_TRY(const Geometry g, geometry(c.attrs, in, c.has(4)));
  const DType d = c.dtype(0);
  Shape y = Shape::unranked();
  if (g.q.folded)
    y = {g.q.batch, g.q.length, known(g.v.size) && known(g.q.heads) ? g.v.size * g.q.heads : unknown_dim};
  else if (c.shape(0).ranked()) y = {g.q.batch, g.q.heads, g.q.length, g.v.size};
  c.set(0, d, y);
  c.set(1, d, Shape{g.k.batch, g.k.heads, g.total, g.k.size});
  c.set(2, d, Shape{g.v.batch, g.v.heads, g.total, g.v.size});
  c.set(3, d, Shape{g.q.batch, g.q.heads, g.q.length, g.total});
  return {};
}

Status attend(EvalContext& c) {
  const TensorView qt = c.input(0), kt = c.input(1), vt = c.input(2);
  const bool has_past = c.has(4), has_mask = c.has(3), causal = c.attrs.flag("is_causal");
  std::array<Shape, 7> shapes;
  for (size_t i = 0; i < shapes.size(); i++) shapes[i] = c.has(i) ? c.input(i).shape : Shape::unranked();
  HONE_TRY(const Geometry g, geometry(c.attrs, shapes, has_past));
  const int64_t batch = g.q.batch, heads = g.q.heads, length = g.q.length, total = g.total,
                share = heads / std::max<Dim>(g.k.heads, 1);
  const int64_t mode = c.attrs.i("qk_matmul_output_mode");
  const double scale =
                   c.attrs.has("scale") ? c.attrs.f("scale") : 1 / std::sqrt(static_cast<double>(g.q.size)),
               cap = c.attrs.f("softcap");
  HONE_TRY(const TensorView y, c.output(0, qt.dtype,
                                        g.q.folded ? Shape{batch, length, heads * g.v.size}
                                                   : Shape{batch, heads, length, g.v.size}));
  const Shape outputs[] = {{batch, g.k.heads, total, g.k.size},
                           {batch, g.v.heads, total, g.v.size},
                           {batch, heads, length, total}};
  std::array<TensorView, 3> extra;  // present key, present value, scores
  for (size_t i = 0; i < 3; i++) {
    if (i + 1 >= c.outputs() || !c.wanted(i + 1)) continue;
    HONE_TRY(extra[i], c.output(i + 1, qt.dtype, outputs[i]));
  }
  const int64_t* valid = c.has(6) ? c.input(6).data<int64_t>() : nullptr;
  return dispatch<float, double>(qt.dtype, [&](auto zero) -> Status {
    using T = decltype(zero);
    // Row l of head h of the keys or values, cache first.
    const auto row = [&](bool value, int64_t b, int64_t h, int64_t l) -> const T* {
      const Operand& o = value ? g.v : g.k;
      if (l < g.past) return c.input(value ? 5 : 4).data<T>() + ((b * o.heads + h) * g.past + l) * o.size;
      return (value ? vt : kt).data<T>() + o.at(b, h, l - g.past);
    };
    for (size_t i = 0; i < 2; i++)
      if (extra[i].bytes)
        for (int64_t r = 0; r < batch * g.k.heads * total; r++) {
          const int64_t size = i ? g.v.size : g.k.size;
          std::copy_n(row(i == 1, r / total / g.k.heads, r / total % g.k.heads, r % total), size,
                      extra[i].data<T>() + r * size);
        }
    const Shape mask = has_mask ? c.input(3).shape : Shape{};
    const auto mask_strides = contiguous_strides(mask);
    const int64_t masked_from = has_mask ? mask.back() : 0;
    // The mask's addend for a score.
    const auto bias = [&](int64_t b, int64_t h, int64_t i, int64_t j) -> double {
      if (!has_mask) return 0;
      if (j >= masked_from) return -INFINITY;
      const int64_t at[] = {b, h, i, j};
      int64_t offset = 0;
      for (size_t k = 0; k < mask.size(); k++)
        if (mask[k] != 1 || k + 1 == mask.size()) offset += at[4 - mask.size() + k] * mask_strides[k];
      const TensorView m = c.input(3);
      if (m.dtype == DType::boolean) return m.data<bool8>()[offset] ? 0 : -INFINITY;
      return m.data<T>()[offset];
    };
    std::vector<double> score(static_cast<size_t>(total));
    for (int64_t b = 0; b < batch; b++) {
      // Query i may look at keys up to i + ahead.
      const int64_t ahead = has_past ? g.past : valid ? valid[b] - length : 0;
      for (int64_t h = 0; h < heads; h++) {
        if (c.cancelled()) return error(Code::cancelled, "cancelled");
        for (int64_t i = 0; i < length; i++) {
          const T* q = qt.data<T>() + g.q.at(b, h, i);
          T* record = extra[2].bytes ? extra[2].data<T>() + ((b * heads + h) * length + i) * total : nullptr;
          double best = -INFINITY;
          for (int64_t j = 0; j < total; j++) {
            const T* k = row(false, b, h / share, j);
            double s = 0;
            for (int64_t d = 0; d < g.q.size; d++) s += static_cast<double>(q[d]) * k[d];
            s *= scale;
            if (record && mode == 0) record[j] = static_cast<T>(s);
            if (cap > 0) s = cap * std::tanh(s / cap);
            if (record && mode == 1) record[j] = static_cast<T>(s);
            s += bias(b, h, i, j);
            if ((causal && j > i + ahead) || (valid && j >= valid[b])) s = -INFINITY;
            if (record && mode == 2) record[j] = static_cast<T>(s);
            score[static_cast<size_t>(j)] = s;
            best = std::max(best, s);
          }
          double sum = 0;
          for (double& s : score) {
            s = s == -INFINITY ? 0 : std::exp(s - best);
            sum += s;
          }
          if (sum > 0)
            for (double& s : score) s /= sum;
          if (record && mode == 3)
            for (int64_t j = 0; j < total; j++) record[j] = static_cast<T>(score[static_cast<size_t>(j)]);
          const int64_t to = g.q.folded ? ((b * length + i) * heads + h) * g.v.size
                                        : ((b * heads + h) * length + i) * g.v.size;
          for (int64_t d = 0; d < g.v.size; d++) {
            double v = 0;
            for (int64_t j = 0; j < total; j++)
              if (const double s = score[static_cast<size_t>(j)]; s != 0)
                v += s * row(true, b, h / share, j)[d];
            y.data<T>()[to + d] = static_cast<T>(v);
          }
        }
      }
    }
    return {};
  });
}
Status reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, attend);
}

// --- RotaryEmbedding: pairs of elements turned by an angle that depends on the position ---

Status infer_rotary(Infer& c) {
  for (size_t i = 0; i < 3; i++) HONE_CHECK(check_type(c, i, float_types));
  HONE_CHECK(check_type(c, 3, i64_type));
  for (size_t i = 1; i < 3; i++)
    if (c.dtype(i) != DType::none && c.dtype(0) != DType::none && c.dtype(i) != c.dtype(0))
      return error(Code::corrupt, "input %zu is of type %s, X of type %s; they must be the same", i,
                   dtype_name(c.dtype(i)), dtype_name(c.dtype(0)));
  HONE_TRY(const Operand x, operand(c.shape(0), "X", c.attrs.i("num_heads")));
  const int64_t turned = c.attrs.i("rotary_embedding_dim");
  if (turned < 0 || turned % 2 || (known(x.size) && (turned > x.size || (!turned && x.size % 2))))
    return error(Code::invalid_argument,
                 "rotary_embedding_dim is %lld for heads of size %lld; it must be even and no larger",
                 static_cast<long long>(turned), static_cast<long long>(x.size));
  const Dim half = turned ? turned / 2 : known(x.size) ? x.size / 2 : unknown_dim;
  const bool positions = c.has(3);
  for (size_t i = 1; i < 3; i++) {
    const Shape s = c.shape(i);
    if (!s.ranked()) continue;
    const bool fits = s.rank() == (positions ? 2 : 3) &&
                      !(known(half) && known(s.back()) && s.back() != half) &&
                      (positions || ((!known(x.batch) || !known(s[0]) || x.batch == s[0]) &&
                                     (!known(x.length) || !known(s[1]) || x.length == s[1])));
    if (!fits)
      return error(Code::invalid_argument, "a table has shape %s, expected [%s%lld]", s.str().c_str(),
                   positions ? "positions," : "batch,length,", static_cast<long long>(half));
  }
  if (const Shape s = c.shape(3); s.ranked() && positions) {
    if (s.rank() != 2)
      return error(Code::invalid_argument, "position_ids has shape %s, expected [batch,length]",
                   s.str().c_str());
    HONE_CHECK(same(s[0], x.batch, "position_ids and the batch"));
    HONE_CHECK(same(s[1], x.length, "position_ids and the length"));
  }
  if (c.shape(1).all_known() && c.shape(2).all_known() && c.shape(1) != c.shape(2))
    return error(Code::invalid_argument, "the tables have shapes %s and %s; they must be the same",
                 c.shape(1).str().c_str(), c.shape(2).str().c_str());
  c.set(0, c.dtype(0), c.shape(0));
  return {};
}
Status rotate(EvalContext& c) {
  const TensorView xt = c.input(0), cosine = c.input(1), sine = c.input(2);
  HONE_TRY(const Operand x, operand(xt.shape, "X", c.attrs.i("num_heads")));
  HONE_TRY(const TensorView y, c.output(0, xt.dtype, xt.shape));
  const bool interleaved = c.attrs.flag("interleaved");
  const int64_t half = c.attrs.i("rotary_embedding_dim") ? c.attrs.i("rotary_embedding_dim") / 2 : x.size / 2;
  const int64_t* positions = c.has(3) ? c.input(3).data<int64_t>() : nullptr;
  return dispatch<float, double>(xt.dtype, [&](auto zero) -> Status {
    using T = decltype(zero);
    for (int64_t b = 0; b < x.batch; b++)
      for (int64_t l = 0; l < x.length; l++) {
        int64_t line = b * x.length + l;
        if (positions) {
          line = positions[line];
          if (line < 0 || line >= cosine.shape[0])
            return error(Code::invalid_argument, "position_ids holds %lld; the tables have %lld positions",
                         static_cast<long long>(line), static_cast<long long>(cosine.shape[0]));
        }
        const T *co = cosine.data<T>() + line * half, *si = sine.data<T>() + line * half;
        for (int64_t h = 0; h < x.heads; h++) {
          const T* from = xt.data<T>() + x.at(b, h, l);
          T* to = y.data<T>() + x.at(b, h, l);
          std::copy_n(from, x.size, to);
          for (int64_t k = 0; k < half; k++) {
            const int64_t i = interleaved ? 2 * k : k, j = interleaved ? 2 * k + 1 : k + half;
            const double p = from[i], q = from[j];
            to[i] = static_cast<T>(p * co[k] - q * si[k]);
            to[j] = static_cast<T>(p * si[k] + q * co[k]);
          }
        }
      }
    return {};
  });
}
Status rotary_reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, rotate);
}

constexpr AttrDef attrs[] = {AttrDef::def_i("is_causal", 0),
                             AttrDef::def_i("kv_num_heads", 0),
                             AttrDef::def_i("q_num_heads", 0),
                             AttrDef::def_i("qk_matmul_output_mode", 0),
                             AttrDef::opt("scale", AttrType::f),
                             AttrDef::def_f("softcap", 0),
                             AttrDef::opt("softmax_precision", AttrType::i)};
constexpr AttrDef rotary_attrs[] = {AttrDef::def_i("interleaved", 0), AttrDef::def_i("num_heads", 0),
                                    AttrDef::def_i("rotary_embedding_dim", 0)};

}  // namespace

extern const OpDef op_Attention{
    .name = "Attention",
    .doc = "softmax(scale * Q * K' + mask) * V",
    .min_inputs = 3,
    .max_inputs = 7,
    .max_outputs = 4,
    .attrs = attrs,
    .infer = infer,
    .reference = reference,
    .notes = "K, V and the mask must have the type of Q (a boolean mask too is taken)"};
extern const OpDef op_RotaryEmbedding{.name = "RotaryEmbedding",
                                      .doc = "pairs of elements turned by the angle of their position",
                                      .min_inputs = 3,
                                      .max_inputs = 4,
                                      .attrs = rotary_attrs,
                                      .infer = infer_rotary,
                                      .reference = rotary_reference};

}  // namespace hone

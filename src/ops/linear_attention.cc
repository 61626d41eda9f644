// LinearAttention and CausalConvWithState: the recurrent parts of linear-time language models, with their state
// handed in and out.
#include <cmath>

#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

bool differ(Dim a, Dim b) { return known(a) && known(b) && a != b; }

// --- LinearAttention. For each step t, batch and key/value head, with the state S [dk,dv]:
//     S <- exp(decay) S          (rules gated, gated_delta; the decay of each row, or one of the head)
//     w  = v, or beta (v - S'k)  (rules delta, gated_delta)
//     S <- S + k w',  output = scale S'q

struct Rule {
  bool gated = false, delta = false;
};
Result<Rule> rule_of(const Attrs& attrs) {
  const std::string& r = attrs.s("update_rule");
  if (r == "linear") return Rule{};
  if (r == "gated") return Rule{true, false};
  if (r == "delta") return Rule{false, true};
  if (r == "gated_delta") return Rule{true, true};
  return error(Code::invalid_argument, "update_rule is '%s'; it must be linear, gated, delta or gated_delta",
               r.c_str());
}

Status infer_attention(Infer& c) {
  for (size_t i = 0; i < 6; i++) HONE_CHECK(check_type(c, i, float_types));
  const int64_t heads = c.attrs.i("q_num_heads"), kv_heads = c.attrs.i("kv_num_heads");
  if (heads < 1 || kv_heads < 1 || heads % kv_heads != 0)
    return error(
        Code::invalid_argument,
        "q_num_heads is %lld and kv_num_heads %lld; both must be positive, the first a multiple of the "
        "second",
        static_cast<long long>(heads), static_cast<long long>(kv_heads));
  HONE_TRY(const Rule rule, rule_of(c.attrs));
  if (rule.gated && !c.has(4) && c.in.size() <= 4)
    return error(Code::invalid_argument, "update_rule '%s' needs the decay (input 4)",
                 c.attrs.s("update_rule").c_str());
  if (rule.delta && !c.has(5) && c.in.size() <= 5)
    return error(Code::invalid_argument, "update_rule '%s' needs beta (input 5)",
                 c.attrs.s("update_rule").c_str());
  const Shape q = c.shape(0), k = c.shape(1), v = c.shape(2), past = c.shape(3);
  for (const size_t i : {size_t{0}, size_t{1}, size_t{2}, size_t{4}, size_t{5}})
    if (const Shape s = c.shape(i);
        s.ranked() && (s.rank() != 3 || (q.rank() == 3 && (differ(s[0], q[0]) || differ(s[1], q[1])))))
      return error(Code::invalid_argument, "input %zu has shape %s, the query %s; expected [batch,steps,...]",
                   i, s.str().c_str(), q.str().c_str());
  const auto per_head = [](const Shape& s, int64_t n) -> Result<Dim> {
    if (!s.ranked() || !known(s[2])) return unknown_dim;
    if (s[2] % n != 0)
      return error(Code::invalid_argument, "an input of shape %s does not divide into %lld heads",
                   s.str().c_str(), static_cast<long long>(n));
    return s[2] / n;
  };
  HONE_TRY(Dim dk, per_head(q, heads));
  HONE_TRY(const Dim key, per_head(k, kv_heads));
  HONE_TRY(const Dim dv, per_head(v, kv_heads));
  if (differ(dk, key))
    return error(Code::invalid_argument, "heads of the query have %lld elements, those of the key %lld",
                 static_cast<long long>(dk), static_cast<long long>(key));
  if (!known(dk)) dk = key;
  const Dim batch = q.ranked() ? q[0] : unknown_dim;
  if (past.ranked() && (past.rank() != 4 || differ(past[0], batch) || differ(past[1], kv_heads) ||
                        differ(past[2], dk) || differ(past[3], dv)))
    return error(Code::invalid_argument, "past_state has shape %s, expected %s", past.str().c_str(),
                 Shape{batch, kv_heads, dk, dv}.str().c_str());
  if (const Shape s = c.shape(4); rule.gated && s.ranked() && known(s[2]) && known(dk) && s[2] != kv_heads &&
                                  (s[2] % kv_heads != 0 || s[2] / kv_heads != dk))
    return error(Code::invalid_argument,
                 "the decay has shape %s; expected one value per head, or per key element", s.str().c_str());
  if (const Shape s = c.shape(5); rule.delta && s.ranked() && known(s[2]) && s[2] != kv_heads && s[2] != 1)
    return error(Code::invalid_argument, "beta has shape %s; expected one value, or one per head",
                 s.str().c_str());
  Dim width = unknown_dim;
  if (known(dv)) { HONE_TRY(width, checked_elements(Shape{heads, dv})); }
  c.set(0, c.dtype(0), Shape{batch, q.ranked() ? q[1] : unknown_dim, width});
  c.set(1, c.dtype(0), Shape{batch, kv_heads, dk, dv});
  return {};
}

Status attend(EvalContext& c) {
  const TensorView q = c.input(0), k = c.input(1), v = c.input(2);
  const int64_t heads = c.attrs.i("q_num_heads"), kv_heads = c.attrs.i("kv_num_heads"), batch = q.shape[0],
                steps = q.shape[1], dk = q.shape[2] / heads, dv = v.shape[2] / kv_heads,
                group = heads / kv_heads;
  HONE_TRY(const Rule rule, rule_of(c.attrs));
  HONE_TRY(const TensorView y, c.output(0, q.dtype, Shape{batch, steps, heads * dv}));
  HONE_TRY(const TensorView present, c.output(1, q.dtype, Shape{batch, kv_heads, dk, dv}));
  const double given = c.attrs.f("scale"),
               scale = given != 0 ? given : 1 / std::sqrt(static_cast<double>(dk));
  return dispatch<float, double>(q.dtype, [&](auto zero) -> Status {
    using T = decltype(zero);
    std::vector<double> state(static_cast<size_t>(dk * dv)), write(static_cast<size_t>(dv)),
        out(write.size());
    for (int64_t b = 0; b < batch; b++)
      for (int64_t h = 0; h < kv_heads; h++) {
        const int64_t at = (b * kv_heads + h) * dk * dv;
        for (int64_t i = 0; i < dk * dv; i++)
          state[static_cast<size_t>(i)] = c.has(3) ? c.input(3).data<T>()[at + i] : T{};
        for (int64_t t = 0; t < steps; t++) {
          if (c.cancelled())
            return error(Code::cancelled, "cancelled in step %lld", static_cast<long long>(t));
          const int64_t step = b * steps + t;
          const T* key = k.data<T>() + step * k.shape[2] + h * dk;
          const T* value = v.data<T>() + step * v.shape[2] + h * dv;
          if (rule.gated) {
            const TensorView decay = c.input(4);
            const T* d = decay.data<T>() + step * decay.shape[2];
            const bool one = decay.shape[2] == kv_heads;
            for (int64_t i = 0; i < dk; i++) {
              const double factor = std::exp(static_cast<double>(one ? d[h] : d[h * dk + i]));
              for (int64_t j = 0; j < dv; j++) state[static_cast<size_t>(i * dv + j)] *= factor;
            }
          }
          for (int64_t j = 0; j < dv; j++) write[static_cast<size_t>(j)] = value[j];
          if (rule.delta) {
            for (int64_t i = 0; i < dk; i++)
              for (int64_t j = 0; j < dv; j++)
                write[static_cast<size_t>(j)] -= state[static_cast<size_t>(i * dv + j)] * key[i];
            const TensorView beta = c.input(5);
            const double factor = beta.data<T>()[step * beta.shape[2] + (beta.shape[2] == 1 ? 0 : h)];
            for (double& w : write) w *= factor;
          }
          for (int64_t i = 0; i < dk; i++)
            for (int64_t j = 0; j < dv; j++)
              state[static_cast<size_t>(i * dv + j)] += key[i] * write[static_cast<size_t>(j)];
          for (int64_t g = h * group; g < (h + 1) * group; g++) {
            const T* query = q.data<T>() + step * q.shape[2] + g * dk;
            std::fill(out.begin(), out.end(), 0.0);
            for (int64_t i = 0; i < dk; i++)
              for (int64_t j = 0; j < dv; j++)
                out[static_cast<size_t>(j)] += query[i] * state[static_cast<size_t>(i * dv + j)];
            T* to = y.data<T>() + (step * heads + g) * dv;
            for (int64_t j = 0; j < dv; j++) to[j] = static_cast<T>(scale * out[static_cast<size_t>(j)]);
          }
        }
        for (int64_t i = 0; i < dk * dv; i++)
          present.data<T>()[at + i] = static_cast<T>(state[static_cast<size_t>(i)]);
      }
    return {};
  });
}
Status attention_reference(EvalContext& c) {
  HONE_TRY(const Rule rule, rule_of(c.attrs));
  if ((rule.gated && !c.has(4)) || (rule.delta && !c.has(5)))
    return error(Code::invalid_argument, "update_rule '%s' needs %s", c.attrs.s("update_rule").c_str(),
                 rule.gated && !c.has(4) ? "the decay (input 4)" : "beta (input 5)");
  HONE_CHECK(infer_outputs(c));
  return widened(c, attend);
}

// --- CausalConvWithState: each channel convolved with its own kernel over what came before ---

Result<bool> is_silu(const Attrs& attrs) {
  const std::string& a = attrs.s("activation");
  if (a != "none" && a != "silu" && a != "swish")
    return error(Code::invalid_argument, "activation is '%s'; it must be none, silu or swish", a.c_str());
  return a != "none";
}

Status infer_conv(Infer& c) {
  for (size_t i = 0; i < 4; i++) HONE_CHECK(check_type(c, i, float_types));
  HONE_CHECK(check_same_types(c));
  HONE_CHECK(is_silu(c.attrs));
  const Shape x = c.shape(0), w = c.shape(1), bias = c.shape(2), past = c.shape(3);
  const Dim channels = x.rank() == 3 ? x[1] : unknown_dim;
  if ((x.ranked() && x.rank() != 3) ||
      (w.ranked() && (w.rank() != 3 || differ(w[0], channels) || differ(w[1], 1) || w[2] == 0)))
    return error(Code::invalid_argument,
                 "the input has shape %s and the weight %s; expected [N,C,L] and [C,1,K]", x.str().c_str(),
                 w.str().c_str());
  if (bias.ranked() && (bias.rank() != 1 || differ(bias[0], channels)))
    return error(Code::invalid_argument,
                 "the bias has shape %s for an input %s; expected one value per channel", bias.str().c_str(),
                 x.str().c_str());
  const Shape state{x.ranked() ? x[0] : unknown_dim, channels,
                    w.ranked() && known(w[2]) ? w[2] - 1 : unknown_dim};
  if (past.ranked() && (past.rank() != 3 || differ(past[0], state[0]) || differ(past[1], state[1]) ||
                        differ(past[2], state[2])))
    return error(Code::invalid_argument, "past_state has shape %s, expected %s", past.str().c_str(),
                 state.str().c_str());
  c.set(0, c.dtype(0), x);
  c.set(1, c.dtype(0), state);
  return {};
}

Status convolve_causally(EvalContext& c) {
  const TensorView x = c.input(0), w = c.input(1);
  HONE_TRY(const bool silu, is_silu(c.attrs));
  const int64_t rows = x.shape[0] * x.shape[1], channels = x.shape[1], length = x.shape[2], taps = w.shape[2],
                kept = taps - 1;
  HONE_TRY(const TensorView y, c.output(0, x.dtype, x.shape));
  HONE_TRY(const TensorView present, c.output(1, x.dtype, Shape{x.shape[0], channels, kept}));
  return dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> line(static_cast<size_t>(kept + length));
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t i = 0; i < kept; i++)
        line[static_cast<size_t>(i)] = c.has(3) ? c.input(3).data<T>()[r * kept + i] : T{};
      std::copy_n(x.data<T>() + r * length, length, line.begin() + kept);
      const T* kernel = w.data<T>() + r % channels * taps;
      for (int64_t i = 0; i < length; i++) {
        double sum = c.has(2) ? static_cast<double>(c.input(2).data<T>()[r % channels]) : 0.0;
        for (int64_t k = 0; k < taps; k++)
          sum += static_cast<double>(kernel[k]) * line[static_cast<size_t>(i + k)];
        y.data<T>()[r * length + i] = static_cast<T>(silu ? sum / (1 + std::exp(-sum)) : sum);
      }
      std::copy(line.end() - kept, line.end(), present.data<T>() + r * kept);
    }
  });
}
Status conv_reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, convolve_causally);
}

constexpr AttrDef attention_attrs[] = {AttrDef::def_i("chunk_size", 64),
                                       AttrDef::req("kv_num_heads", AttrType::i),
                                       AttrDef::req("q_num_heads", AttrType::i), AttrDef::def_f("scale", 0),
                                       AttrDef::def_s("update_rule", "gated_delta")};
constexpr AttrDef conv_attrs[] = {AttrDef::def_s("activation", "none")};
}  // namespace

extern const OpDef op_CausalConvWithState{.name = "CausalConvWithState",
                                          .doc = "each channel convolved with what came before",
                                          .min_inputs = 2,
                                          .max_inputs = 4,
                                          .max_outputs = 2,
                                          .attrs = conv_attrs,
                                          .since = 27,
                                          .infer = infer_conv,
                                          .reference = conv_reference};
extern const OpDef op_LinearAttention{.name = "LinearAttention",
                                      .doc = "attention as a recurrence over a state of fixed size",
                                      .min_inputs = 3,
                                      .max_inputs = 6,
                                      .max_outputs = 2,
                                      .attrs = attention_attrs,
                                      .since = 27,
                                      .infer = infer_attention,
                                      .reference = attention_reference};

}  // namespace hone

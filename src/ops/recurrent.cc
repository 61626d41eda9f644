// RNN, GRU and LSTM. One core walks over directions, sequences and time; the three differ in what a cell does
// with its gates. Sums in double.
#include <algorithm>
#include <cmath>

#include "ops/activation.h"
#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

enum class Cell : uint8_t { rnn, gru, lstm };
Cell cell_of(const OpDef& op) {
  const std::string_view name = op.name;
  return name == "RNN" ? Cell::rnn : name == "GRU" ? Cell::gru : Cell::lstm;
}
int64_t gates_of(Cell cell) { return cell == Cell::rnn ? 1 : cell == Cell::gru ? 3 : 4; }

// --- activations: f, g, h for each direction ---

struct Gate {
  Activation function;
  bool affine = false, scaled_tanh = false;
  double operator()(double x) const {
    if (affine) return function.alpha * x + function.beta;
    if (scaled_tanh) return function.alpha * std::tanh(function.beta * x);
    return function(static_cast<float>(x));
  }
};

Result<std::vector<Gate>> read_activations(const Attrs& attrs, Cell cell, int64_t directions) {
  const size_t per_direction = cell == Cell::rnn ? 1 : cell == Cell::gru ? 2 : 3;
  std::vector<std::string> names = attrs.strings("activations");
  if (names.empty())
    for (int64_t d = 0; d < directions; d++) {
      if (cell != Cell::rnn) names.emplace_back("Sigmoid");
      names.emplace_back("Tanh");
      if (cell == Cell::lstm) names.emplace_back("Tanh");
    }
  if (names.size() != per_direction * static_cast<size_t>(directions))
    return error(Code::invalid_argument, "activations has %zu names, expected %zu", names.size(),
                 per_direction * static_cast<size_t>(directions));
  // alpha and beta: the given values go to the functions that take one, in order.
  struct Kind {
    const char* name;
    bool takes_alpha, takes_beta;
    float alpha, beta;
  };
  static constexpr Kind kinds[] = {{"Relu", false, false, 0, 0},
                                   {"Tanh", false, false, 0, 0},
                                   {"Sigmoid", false, false, 0, 0},
                                   {"Softsign", false, false, 0, 0},
                                   {"Softplus", false, false, 0, 0},
                                   {"Affine", true, true, 1, 0},
                                   {"LeakyRelu", true, false, 0.01f, 0},
                                   {"ThresholdedRelu", true, false, 1, 0},
                                   {"ScaledTanh", true, true, 1, 1},
                                   {"HardSigmoid", true, true, 0.2f, 0.5f},
                                   {"Elu", true, false, 1, 0}};
  const std::vector<float>&alphas = attrs.floats("activation_alpha"),
        &betas = attrs.floats("activation_beta");
  size_t next_alpha = 0, next_beta = 0;
  std::vector<Gate> out;
  for (const std::string& name : names) {
    const Kind* kind =
        std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& k) { return name == k.name; });
    if (kind == std::end(kinds))
      return error(Code::unsupported, "there is no activation '%s' for recurrent cells", name.c_str());
    Gate g;
    const float alpha = kind->takes_alpha && next_alpha < alphas.size() ? alphas[next_alpha++] : kind->alpha;
    const float beta = kind->takes_beta && next_beta < betas.size() ? betas[next_beta++] : kind->beta;
    g.affine = name == "Affine";
    g.scaled_tanh = name == "ScaledTanh";
    g.function.alpha = alpha;
    g.function.beta = beta;
    if (!g.affine && !g.scaled_tanh) { HONE_TRY(g.function, find_activation(name, alpha, beta)); }
    out.push_back(g);
  }
  return out;
}

// --- shapes ---

struct Sizes {
  Dim steps = unknown_dim, batch = unknown_dim, input = unknown_dim, hidden = unknown_dim;
  int64_t directions = 1;
  bool batch_first = false;
};

Status agree(Dim& known_so_far, Dim d, const char* what, const Shape& s) {
  if (known(known_so_far) && known(d) && known_so_far != d)
    return error(Code::invalid_argument, "%s has shape %s, where %lld was expected in place of %lld", what,
                 s.str().c_str(), static_cast<long long>(known_so_far), static_cast<long long>(d));
  if (!known(known_so_far)) known_so_far = d;
  return {};
}

Result<Sizes> sizes_of(Infer& c) {
  const Cell cell = cell_of(c.op);
  const int64_t gates = gates_of(cell);
  Sizes s;
  const std::string& direction = c.attrs.s("direction");
  if (direction == "bidirectional") s.directions = 2;
  else if (direction != "forward" && direction != "reverse")
    return error(Code::invalid_argument, "direction is '%s'; it must be forward, reverse or bidirectional",
                 direction.c_str());
  if (const int64_t layout = c.attrs.i("layout"); layout != 0 && layout != 1)
    return error(Code::invalid_argument, "layout is %lld; it must be 0 or 1", static_cast<long long>(layout));
  s.batch_first = c.attrs.i("layout") == 1;
  if (const int64_t h = c.attrs.i("hidden_size", -1); c.attrs.has("hidden_size")) {
    if (h < 1)
      return error(Code::invalid_argument, "hidden_size is %lld; it must be at least 1",
                   static_cast<long long>(h));
    s.hidden = h;
  }
  HONE_CHECK(read_activations(c.attrs, cell, s.directions));
  // Each operand's dimensions, as multiples of what they stand for.
  struct Part {
    Dim* of;
    int64_t times;
  };
  Dim directions = s.directions;
  const auto check = [&](size_t i, const char* what, std::vector<Part> parts) -> Status {
    const Shape t = c.shape(i);
    if (!t.ranked()) return {};
    if (t.size() != parts.size())
      return error(Code::invalid_argument, "%s has shape %s, expected %zu dimensions", what, t.str().c_str(),
                   parts.size());
    for (size_t k = 0; k < parts.size(); k++) {
      if (!known(t[k])) continue;
      if (t[k] % parts[k].times)
        return error(Code::invalid_argument, "%s has shape %s; dimension %zu is not a multiple of %lld", what,
                     t.str().c_str(), k, static_cast<long long>(parts[k].times));
      HONE_CHECK(agree(*parts[k].of, t[k] / parts[k].times, what, t));
    }
    return {};
  };
  const auto state = [&](size_t i, const char* what) {
    return s.batch_first ? check(i, what, {{&s.batch, 1}, {&directions, 1}, {&s.hidden, 1}})
                         : check(i, what, {{&directions, 1}, {&s.batch, 1}, {&s.hidden, 1}});
  };
  HONE_CHECK(s.batch_first ? check(0, "X", {{&s.batch, 1}, {&s.steps, 1}, {&s.input, 1}})
                           : check(0, "X", {{&s.steps, 1}, {&s.batch, 1}, {&s.input, 1}}));
  HONE_CHECK(check(1, "W", {{&directions, 1}, {&s.hidden, gates}, {&s.input, 1}}));
  HONE_CHECK(check(2, "R", {{&directions, 1}, {&s.hidden, gates}, {&s.hidden, 1}}));
  HONE_CHECK(check(3, "B", {{&directions, 1}, {&s.hidden, 2 * gates}}));
  HONE_CHECK(check(4, "sequence_lens", {{&s.batch, 1}}));
  HONE_CHECK(state(5, "initial_h"));
  if (cell == Cell::lstm) {
    HONE_CHECK(state(6, "initial_c"));
    HONE_CHECK(check(7, "P", {{&directions, 1}, {&s.hidden, 3}}));
  }
  return s;
}

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 4, TypeSet{DType::i32}));
  HONE_CHECK(check_type(c, 0, float_types));
  for (const size_t i : {1, 2, 3, 5, 6, 7})
    if (c.dtype(i) != DType::none && c.dtype(0) != DType::none && c.dtype(i) != c.dtype(0))
      return error(Code::corrupt, "input %zu is of type %s, X of type %s; they must be the same", i,
                   dtype_name(c.dtype(i)), dtype_name(c.dtype(0)));
  HONE_TRY(const Sizes s, sizes_of(c));
  const Dim d = s.directions;
  const DType type = c.dtype(0);
  c.set(0, type, s.batch_first ? Shape{s.batch, s.steps, d, s.hidden} : Shape{s.steps, d, s.batch, s.hidden});
  for (size_t i = 1; i < 3; i++)
    c.set(i, type, s.batch_first ? Shape{s.batch, d, s.hidden} : Shape{d, s.batch, s.hidden});
  return {};
}

// --- the cells ---

struct Step {
  int64_t hidden;
  double clip;
  bool linear_before_reset, input_forget;
  const Gate* act;
  const double* peephole;  // i, o, f; null: none

  double bounded(double v) const { return clip > 0 ? std::clamp(v, -clip, clip) : v; }
  // x: W*X + Wb, all gates; h: R*H + Rb, all gates. Updates H and C.
  void rnn(const double* x, const double* h, double* state) const {
    for (int64_t j = 0; j < hidden; j++) state[j] = act[0](bounded(x[j] + h[j]));
  }
  void lstm(const double* x, const double* h, double* state, double* cell) const {
    for (int64_t j = 0; j < hidden; j++) {
      const auto gate = [&](int64_t k) { return x[k * hidden + j] + h[k * hidden + j]; };
      const auto peep = [&](int64_t k, double c) { return peephole ? peephole[k * hidden + j] * c : 0; };
      const double i = act[0](bounded(gate(0) + peep(0, cell[j])));
      const double f = input_forget ? 1 - i : act[0](bounded(gate(2) + peep(2, cell[j])));
      cell[j] = f * cell[j] + i * act[1](bounded(gate(3)));
      const double o = act[0](bounded(gate(1) + peep(1, cell[j])));
      state[j] = o * act[2](cell[j]);
    }
  }
};

Status recur(EvalContext& c) {
  const Cell cell = cell_of(c.op);
  const TensorView x = c.input(0);
  const bool batch_first = c.attrs.i("layout") == 1, both = c.attrs.s("direction") == "bidirectional";
  const int64_t steps = x.shape[batch_first ? 1 : 0], batch = x.shape[batch_first ? 0 : 1],
                inputs = x.shape[2];
  const int64_t directions = both ? 2 : 1, gates = gates_of(cell), hidden = c.input(2).shape[2];
  HONE_TRY(const std::vector<Gate> activations, read_activations(c.attrs, cell, directions));
  std::vector<int64_t> lengths(static_cast<size_t>(batch), steps);
  if (c.has(4)) {
    HONE_TRY(lengths, c.ints(4));
    for (const int64_t n : lengths)
      if (n < 0 || n > steps)
        return error(Code::invalid_argument, "sequence_lens holds %lld; the sequences have %lld steps",
                     static_cast<long long>(n), static_cast<long long>(steps));
  }
  const Shape all =
      batch_first ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden};
  const Shape last = batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  std::array<TensorView, 3> y;
  for (size_t i = 0; i < 3 && i < c.outputs(); i++) {
    if (!c.wanted(i)) continue;
    HONE_TRY(y[i], c.output(i, x.dtype, i == 0 ? all : last));
  }
  return dispatch<float, double>(x.dtype, [&](auto zero) -> Status {
    using T = decltype(zero);
    const auto data = [&](size_t i) { return c.has(i) ? c.input(i).data<T>() : nullptr; };
    const T *w = data(1), *r = data(2), *b = data(3), *h0 = data(5), *c0 = data(6), *p = data(7);
    if (y[0].bytes) std::fill_n(y[0].data<T>(), all.elements(), T{});
    const auto doubles = [](const T* from, int64_t n) {
      return from ? std::vector<double>(from, from + n) : std::vector<double>(static_cast<size_t>(n));
    };
    const auto state_at = [&](int64_t d, int64_t n) {
      return (batch_first ? n * directions + d : d * batch + n) * hidden;
    };
    const int64_t width = gates * hidden;
    std::vector<double> wx(static_cast<size_t>(width)), rh(static_cast<size_t>(width)),
        reset(static_cast<size_t>(hidden));
    // out = M[rows, columns] * v + bias, by sums side by side: one alone would wait for itself
    const auto apply = [](const T* m, const double* v, int64_t rows, int64_t columns, const T* bias,
                          double* out) {
      for (int64_t i = 0; i < rows; i++) {
        constexpr int64_t lanes = 8;
        double part[lanes] = {}, sum = bias ? static_cast<double>(bias[i]) : 0;
        const T* row = m + i * columns;
        int64_t k = 0;
        for (; k + lanes <= columns; k += lanes)
          for (int64_t l = 0; l < lanes; l++) part[l] += static_cast<double>(row[k + l]) * v[k + l];
        for (; k < columns; k++) sum += static_cast<double>(row[k]) * v[k];
        for (const double s : part) sum += s;
        out[i] = sum;
      }
    };
    for (int64_t d = 0; d < directions; d++) {
      const bool backwards = d == 1 || c.attrs.s("direction") == "reverse";
      const T *wd = w + d * width * inputs, *rd = r + d * width * hidden,
              *wb = b ? b + d * 2 * width : nullptr, *rb = wb ? wb + width : nullptr;
      const std::vector<double> peephole = doubles(p ? p + d * 3 * hidden : nullptr, p ? 3 * hidden : 0);
      const Gate* act = activations.data() + d * static_cast<int64_t>(activations.size()) / directions;
      const Step step{hidden,
                      c.attrs.f("clip"),
                      c.attrs.flag("linear_before_reset"),
                      c.attrs.flag("input_forget"),
                      act,
                      p ? peephole.data() : nullptr};
      for (int64_t n = 0; n < batch; n++) {
        if (c.cancelled()) return error(Code::cancelled, "cancelled");
        std::vector<double> state = doubles(h0 ? h0 + state_at(d, n) : nullptr, hidden),
                            memory = doubles(c0 ? c0 + state_at(d, n) : nullptr, hidden);
        const int64_t length = lengths[static_cast<size_t>(n)];
        for (int64_t s = 0; s < length; s++) {
          const int64_t t = backwards ? length - 1 - s : s;
          const T* row = x.data<T>() + (batch_first ? n * steps + t : t * batch + n) * inputs;
          const std::vector<double> in(row, row + inputs);
          apply(wd, in.data(), width, inputs, wb, wx.data());
          if (cell == Cell::gru) {
            // Gates z, r, then the candidate, which sees the state through r.
            apply(rd, state.data(), 2 * hidden, hidden, rb, rh.data());
            double* candidate = rh.data() + 2 * hidden;
            const T *rd_h = rd + 2 * hidden * hidden, *rb_h = rb ? rb + 2 * hidden : nullptr;
            const auto gate = [&](int64_t k, int64_t j) {
              const auto at = static_cast<size_t>(k * hidden + j);
              return act[0](step.bounded(wx[at] + rh[at]));
            };
            if (step.linear_before_reset) {
              apply(rd_h, state.data(), hidden, hidden, rb_h, candidate);
              for (int64_t j = 0; j < hidden; j++) candidate[j] *= gate(1, j);
            } else {
              for (int64_t j = 0; j < hidden; j++)
                reset[static_cast<size_t>(j)] = gate(1, j) * state[static_cast<size_t>(j)];
              apply(rd_h, reset.data(), hidden, hidden, rb_h, candidate);
            }
            for (int64_t j = 0; j < hidden; j++) {
              const double z = gate(0, j),
                           h = act[1](step.bounded(wx[static_cast<size_t>(2 * hidden + j)] + candidate[j]));
              double& old = state[static_cast<size_t>(j)];
              old = (1 - z) * h + z * old;
            }
          } else {
            apply(rd, state.data(), width, hidden, rb, rh.data());
            if (cell == Cell::rnn) step.rnn(wx.data(), rh.data(), state.data());
            else step.lstm(wx.data(), rh.data(), state.data(), memory.data());
          }
          if (!y[0].bytes) continue;
          const int64_t at = batch_first ? ((n * steps + t) * directions + d) * hidden
                                         : ((t * directions + d) * batch + n) * hidden;
          for (int64_t j = 0; j < hidden; j++)
            y[0].data<T>()[at + j] = static_cast<T>(state[static_cast<size_t>(j)]);
        }
        for (int64_t j = 0; j < hidden; j++) {
          if (y[1].bytes) y[1].data<T>()[state_at(d, n) + j] = static_cast<T>(state[static_cast<size_t>(j)]);
          if (y[2].bytes) y[2].data<T>()[state_at(d, n) + j] = static_cast<T>(memory[static_cast<size_t>(j)]);
        }
      }
    }
    return {};
  });
}
Status reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, recur);
}

#define RECURRENT_ATTRS                                                                                  \
  AttrDef::opt("activation_alpha", AttrType::floats), AttrDef::opt("activation_beta", AttrType::floats), \
      AttrDef::opt("activations", AttrType::strings), AttrDef::def_f("clip", 0),                         \
      AttrDef::def_s("direction", "forward"), AttrDef::opt("hidden_size", AttrType::i),                  \
      AttrDef::def_i("layout", 0)
// Below 7 it said whether output 0 is wanted.
Status drop_output_sequence(OpsetNode& n) {
  n.attrs().erase("output_sequence");
  return {};
}
constexpr Upgrade upgrades[] = {{7, drop_output_sequence}};
constexpr AttrDef rnn_attrs[] = {RECURRENT_ATTRS};
constexpr AttrDef gru_attrs[] = {RECURRENT_ATTRS, AttrDef::def_i("linear_before_reset", 0)};
constexpr AttrDef lstm_attrs[] = {RECURRENT_ATTRS, AttrDef::def_i("input_forget", 0)};

}  // namespace

extern const OpDef op_RNN{.name = "RNN",
                          .doc = "H' = f(W*X + R*H + B) along a sequence",
                          .min_inputs = 3,
                          .max_inputs = 6,
                          .max_outputs = 2,
                          .attrs = rnn_attrs,
                          .upgrades = upgrades,
                          .infer = infer,
                          .reference = reference};
extern const OpDef op_GRU{.name = "GRU",
                          .doc = "gated recurrent units along a sequence",
                          .min_inputs = 3,
                          .max_inputs = 6,
                          .max_outputs = 2,
                          .attrs = gru_attrs,
                          .upgrades = upgrades,
                          .infer = infer,
                          .reference = reference};
extern const OpDef op_LSTM{.name = "LSTM",
                           .doc = "long short-term memory along a sequence",
                           .min_inputs = 3,
                           .max_inputs = 8,
                           .max_outputs = 3,
                           .attrs = lstm_attrs,
                           .upgrades = upgrades,
                           .infer = infer,
                           .reference = reference};

}  // namespace hone

// Which values need no memory of their own. Three kinds, tried in this order:
//   views     Reshape and the like: the output is the input.
//   parts     inputs of a Concat are made where its output will lie; outputs of a Split are read where its
//   input lies. Along the
//             last dimension the parts are pitched, so all who touch them must accept that; along an outer
//             dimension (with only ones before it) parts are plain ranges.
//   in place  an elementwise step overwrites an input that nobody reads later.
#include <algorithm>
#include <limits>

#include "runtime/plan.h"

namespace hone {
namespace {

constexpr int never = std::numeric_limits<int>::max();

bool bit(uint32_t mask, size_t i) { return mask == ~0u || (i < 32 && (mask >> i & 1)); }

class Aliaser {
 public:
  Aliaser(const Program& program, std::span<const AliasStep> steps, std::span<const ValueType> types,
          const std::vector<bool>& own, std::span<const int> pinned)
      : program_(program),
        steps_(steps),
        types_(types),
        own_(own),
        alias_(program.values.size()),
        readers_(program.values.size()),
        maker_(program.values.size(), -1),
        last_(program.values.size(), -1),
        fixed_(program.values.size()),
        touched_outside_(program.values.size()) {
    std::vector<bool> is_static(program.steps.size());
    for (size_t i = 0; i < steps.size(); i++) {
      is_static[static_cast<size_t>(steps[i].step)] = true;
      const ProgramStep& s = program.steps[static_cast<size_t>(steps[i].step)];
      for (size_t k = 0; k < s.in.size(); k++)
        if (s.in[k] >= 0) {
          readers_[at(s.in[k])].push_back({static_cast<int>(i), k});
          last_[at(s.in[k])] = std::max(last_[at(s.in[k])], steps[i].runs_at);
        }
      for (int v : s.out)
        if (v >= 0) maker_[at(v)] = static_cast<int>(i);
    }
    // Late steps, and nested programs inside them, may read anything any time after it was made, as dense
    // tensors.
    for (size_t i = 0; i < program.steps.size(); i++)
      if (!is_static[i])
        for (int v : program.steps[i].in)
          if (v >= 0) touched_outside_[at(v)] = true;
    for (int v : program.outputs) touched_outside_[at(v)] = true;
    for (int v : pinned) touched_outside_[at(v)] = true;
    for (size_t v = 0; v < touched_outside_.size(); v++)
      if (touched_outside_[v]) last_[v] = never;
  }

  std::vector<Alias> run() {
    for (const AliasStep& s : steps_) view(s);
    for (const AliasStep& s : steps_) concat(s);
    for (const AliasStep& s : steps_) split(s);
    for (const AliasStep& s : steps_) in_place(s);
    return std::move(alias_);
  }

 private:
  struct Reader {
    int index;
    size_t operand;
  };
  static size_t at(int v) { return static_cast<size_t>(v); }
  const ProgramStep& program_step(const AliasStep& s) const { return program_.steps[at(s.step)]; }
  int64_t bytes(int v) const { return dtype_bytes(types_[at(v)].dtype, types_[at(v)].shape.elements()); }
  int root(int v) const {
    while (alias_[at(v)].parent >= 0) v = alias_[at(v)].parent;
    return v;
  }

  void view(const AliasStep& s) {
    const ProgramStep& p = program_step(s);
    if (!s.resolved->op->view || p.out.empty() || p.out[0] < 0 || p.in[0] < 0) return;
    alias_[at(p.out[0])] = {p.in[0], 0, false};
    fixed_[at(p.in[0])] = true;  // must stay dense
    fixed_[at(p.out[0])] = true;
  }

  // The axis of a Concat or Split as parts of a row (last dimension), a plain range, or neither.
  enum class Parts { none, range, row };
  Parts parts(const AliasStep& s, int whole) const {
    const Shape& shape = types_[at(whole)].shape;
    if (dtype_bits(types_[at(whole)].dtype) % 8) return Parts::none;
    auto axis = normalize_axis(s.resolved->attrs.i("axis"), shape.rank());
    if (!axis) return Parts::none;
    if (shape.product(0, *axis) == 1) return Parts::range;
    return *axis == shape.rank() - 1 ? Parts::row : Parts::none;
  }

  // May all who touch v (besides the step at index `except`) deal with it lying in a wider row?
  bool readers_take_pitch(int v, int except) const {
    if (fixed_[at(v)] || touched_outside_[at(v)]) return false;
    return std::all_of(readers_[at(v)].begin(), readers_[at(v)].end(), [&](const Reader& r) {
      const Tactic* t = steps_[at(r.index)].tactic;
      return r.index == except || (t && bit(t->pitched_in, r.operand));
    });
  }
  bool maker_takes_pitch(int v) const {
    const int m = maker_[at(v)];
    if (m < 0) return false;
    const AliasStep& s = steps_[at(m)];
    const auto& outs = program_step(s).out;
    const size_t k = static_cast<size_t>(std::find(outs.begin(), outs.end(), v) - outs.begin());
    return s.tactic && bit(s.tactic->pitched_out, k);
  }

  void concat(const AliasStep& s) {
    const ProgramStep& p = program_step(s);
    if (p.op != "Concat" || !p.domain.empty() || !s.tactic || p.out[0] < 0) return;
    const int whole = p.out[0];
    const Parts kind = parts(s, whole);
    if (kind == Parts::none) return;
    const int index = maker_[at(whole)];
    int64_t offset = 0;
    for (size_t k = 0; k < p.in.size(); k++) {
      const int v = p.in[k];
      const Shape& shape = types_[at(v)].shape;
      const int64_t part = kind == Parts::range ? bytes(v) : dtype_bytes(types_[at(v)].dtype, shape.back());
      const bool once = std::count(p.in.begin(), p.in.end(), v) == 1;
      const bool free =
          own_[at(v)] && alias_[at(v)].parent < 0 && once && maker_[at(v)] >= 0 && !touched_outside_[at(v)];
      if (free && part > 0 &&
          (kind == Parts::range ||
           (readers_take_pitch(v, index) && maker_takes_pitch(v) && !has_dense_children(v))))
        alias_[at(v)] = {whole, offset, kind == Parts::row};
      offset += part;
    }
  }

  void split(const AliasStep& s) {
    const ProgramStep& p = program_step(s);
    if (p.op != "Split" || !p.domain.empty() || !s.tactic || p.in[0] < 0) return;
    const int whole = p.in[0];
    const Parts kind = parts(s, whole);
    if (kind == Parts::none || !(own_[at(whole)] || kind == Parts::range)) return;
    if (kind == Parts::range && alias_[at(whole)].pitched) return;
    const auto size = [&](int v) {
      return kind == Parts::range ? bytes(v) : dtype_bytes(types_[at(v)].dtype, types_[at(v)].shape.back());
    };
    // An output that nobody wants takes what the others leave; two of them are left to the kernel.
    if (std::count(p.out.begin(), p.out.end(), -1) > 1) return;
    int64_t rest = size(whole), offset = 0;
    for (const int v : p.out)
      if (v >= 0) rest -= size(v);
    for (const int v : p.out) {
      if (v < 0) {
        offset += rest;
        continue;
      }
      const int64_t part = size(v);
      if (own_[at(v)] && alias_[at(v)].parent < 0 && part > 0 && !touched_outside_[at(v)] &&
          (kind == Parts::range || (readers_take_pitch(v, -1) && !has_children(v))))
        alias_[at(v)] = {whole, offset, kind == Parts::row};
      offset += part;
    }
  }

  bool has_dense_children(int v) const {
    return std::any_of(alias_.begin(), alias_.end(),
                       [&](const Alias& a) { return a.parent == v && !a.pitched; });
  }
  bool has_children(int v) const {
    return std::any_of(alias_.begin(), alias_.end(), [&](const Alias& a) { return a.parent == v; });
  }

  void in_place(const AliasStep& s) {
    const ProgramStep& p = program_step(s);
    if (!s.tactic || s.tactic->in_place < 0 || p.out.empty() || p.out[0] < 0) return;
    const size_t k = static_cast<size_t>(s.tactic->in_place);
    if (k >= p.in.size() || p.in[k] < 0) return;
    const int x = p.in[k], y = p.out[0];
    if (!own_[at(y)] || alias_[at(y)].parent >= 0 || has_children(y)) return;
    const int base = root(x);
    if (!own_[at(base)] || base == y || bytes(base) != bytes(y) || bytes(x) != bytes(y)) return;
    for (int v = x; v >= 0; v = alias_[at(v)].parent)
      if (alias_[at(v)].pitched) return;
    for (size_t v = 0; v < alias_.size(); v++)  // the whole group must be dead after this step
      if (root(static_cast<int>(v)) == base &&
          (last_[v] > s.runs_at || made_after(static_cast<int>(v), s.runs_at) ||
           read_in_chain(static_cast<int>(v), s)))
        return;
    // Another operand may be the same value where each element is read before it is written: not the input of a
    // convolution to which it is added.
    const bool elementwise = s.resolved->op->layout == Layout::elementwise;
    for (size_t other = 0; other < p.in.size(); other++)
      if (other != k && p.in[other] >= 0 && !(elementwise && p.in[other] == x) && root(p.in[other]) == base)
        return;
    alias_[at(y)] = {x, 0, false};
  }
  bool made_after(int v, int step) const {
    const int m = maker_[at(v)];
    return m >= 0 && steps_[at(m)].runs_at > step;
  }
  // Do other steps of its chain read v? They are not done when it writes.
  bool read_in_chain(int v, const AliasStep& s) const {
    return s.chain >= 0 && std::any_of(readers_[at(v)].begin(), readers_[at(v)].end(), [&](const Reader& r) {
             return steps_[at(r.index)].chain == s.chain && &steps_[at(r.index)] != &s;
           });
  }

  const Program& program_;
  std::span<const AliasStep> steps_;
  std::span<const ValueType> types_;
  const std::vector<bool>& own_;
  std::vector<Alias> alias_;
  std::vector<std::vector<Reader>> readers_;  // per value: static steps that read it
  std::vector<int> maker_;                    // per value: index of the static step that makes it
  std::vector<int> last_;                     // per value: last step that reads it
  std::vector<bool> fixed_;                   // part of a view: must stay dense
  std::vector<bool> touched_outside_;         // read by late steps or the caller
};

}  // namespace

std::vector<Alias> place_aliases(const Program& program, std::span<const AliasStep> steps,
                                 std::span<const ValueType> types, const std::vector<bool>& own,
                                 std::span<const int> pinned) {
  return Aliaser(program, steps, types, own, pinned).run();
}

}  // namespace hone

#include "runtime/chains.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "kernels/strips.h"
#include "ops/work.h"

namespace hone {
namespace {

// Weights up to this size may be read for each strip, however small HONE_L2 says that the cache is.
constexpr int64_t few_weights = 64 << 10;

size_t at(int i) { return static_cast<size_t>(i); }

class Finder {
 public:
  Finder(const Program& program, std::span<const AliasStep> steps, std::span<const ValueType> types,
         const std::vector<bool>& own, std::span<const int> pinned, int64_t l2_bytes, int threads)
      : program_(program),
        steps_(steps),
        types_(types),
        l2_bytes_(l2_bytes),
        threads_(threads),
        own_(own),
        hidden_(own),
        taken_(steps.size()),
        reads_(program.values.size()),
        reader_(program.values.size(), -1) {
    for (int v : pinned) hidden_[at(v)] = false;
    for (const ProgramStep& s : program.steps)
      for (int v : s.in)
        if (v >= 0) reads_[at(v)]++;
    for (size_t i = 0; i < steps.size(); i++)
      for (int v : program_step(i).in)
        if (v >= 0) reader_[at(v)] = static_cast<int>(i);
  }

  std::vector<Chain> run() {
    std::vector<Chain> chains;
    for (size_t i = 0; i < steps_.size(); i++) {
      if (taken_[i]) continue;
      Chain chain{.links = {{static_cast<int>(i)}}};
      while (chain.links.size() < Strips::max_steps && follow(chain)) {}
      if (chain.links.size() < Strips::max_steps) sum_up(chain);
      if (chain.links.size() < 2) continue;
      for (const Chain::Link& l : chain.links) taken_[at(l.index)] = true;
      chains.push_back(std::move(chain));
    }
    return chains;
  }

 private:
  const ProgramStep& program_step(size_t index) const { return program_.steps[at(steps_[index].step)]; }
  int64_t bytes(int v) const { return dtype_bytes(types_[at(v)].dtype, types_[at(v)].shape.elements()); }

  Accept reach(size_t index, int chained, Reach& r) const {
    const AliasStep& s = steps_[index];
    std::vector<Operand> in, out;
    const auto operand = [&](int v) {
      if (v < 0) return Operand();
      const ValueType& t = types_[at(v)];
      return Operand{t.dtype, t.shape, t.shape.rank() ? t.shape.back() : 1};
    };
    for (int v : program_step(index).in) in.push_back(operand(v));
    for (int v : program_step(index).out) out.push_back(operand(v));
    const Problem problem{s.resolved->op, &s.resolved->attrs, in, out};
    return Strips::can_chain(*s.tactic, problem, chained, r);
  }

  int64_t weight_bytes(size_t index) const {
    int64_t sum = 0;
    for (int v : program_step(index).in)
      if (v >= 0 && program_.values[at(v)].kind == ProgramValue::Kind::constant) sum += bytes(v);
    return sum;
  }
  bool multiplies(size_t index) const {
    const auto list = [&](const std::vector<int>& values) {
      std::vector<ValueType> t;
      for (int v : values) t.push_back(v < 0 ? ValueType() : types_[at(v)]);
      return t;
    };
    const ResolvedStep& r = *steps_[index].resolved;
    return multiply_adds(*r.op, list(r.step->in), list(r.step->out), r.attrs) > 0;
  }

  // Should map v, made by the last step of the chain, be made in strips for the step at `to`?
  bool worthwhile(const Chain& chain, int v, size_t to, const Reach& reach) const {
    const size_t from = at(chain.links.back().index);
    // Each strip reads all weights again: from beyond the cache if they are large.
    int64_t weights = weight_bytes(to);
    for (const Chain::Link& l : chain.links) weights += weight_bytes(at(l.index));
    if (weights > std::max(l2_bytes_ / 4, few_weights) && bytes(v) > l2_bytes_ * 3 / 4) return false;
    if (bytes(v) > l2_bytes_) return true;
    // Not for its own sake, but what a depthwise step hands on is in cache if its input comes in strips.
    if (chain.windowed && reach.pixel) return true;
    // Whoever reads the map can do as well what little the step does.
    return reach.pixel && !multiplies(from);
  }

  // Appends the step that reads what the chain makes, if it can and should be made in strips.
  bool follow(Chain& chain) const {
    const size_t from = at(chain.links.back().index);
    if (!steps_[from].tactic || !steps_[from].tactic->strips) return false;
    const int v = program_step(from).out[0];
    if (v < 0 || !hidden_[at(v)] || reads_[at(v)] != 1 || reader_[at(v)] < 0) return false;
    const size_t to = at(reader_[at(v)]);
    if (taken_[to] || !steps_[to].tactic) return false;
    const auto& in = program_step(to).in;
    const int chained = static_cast<int>(std::find(in.begin(), in.end(), v) - in.begin());
    const Shape& shape = types_[at(v)].shape;
    const int made = program_step(to).out[0];
    if (shape.elements() == 0 || made < 0 || types_[at(made)].shape.elements() == 0) return false;
    if (!steps_[to].tactic->strips || steps_[to].tactic->strips->finish) return false;
    Reach r, first;
    if (!reach(to, chained, r) || (chain.links.size() == 1 && !reach(from, -1, first))) return false;
    if (!worthwhile(chain, v, to, r)) return false;
    chain.links.push_back({static_cast<int>(to), chained});
    chain.windowed = !r.pixel;
    return true;
  }

  // Appends a global pool of what the chain makes.
  void sum_up(Chain& chain) const {
    const size_t from = at(chain.links.back().index);
    if (!steps_[from].tactic || !steps_[from].tactic->strips || steps_[from].tactic->strips->finish) return;
    const int v = program_step(from).out[0];
    if (v < 0 || !own_[at(v)] || weight_bytes(from) > std::max(l2_bytes_ / 4, few_weights)) return;
    const Shape& shape = types_[at(v)].shape;
    if (shape.rank() != 4 || shape.elements() == 0) return;
    const int64_t rows = shape[0] * shape[1];
    if (rows % threads_ != 0 && rows < 8 * threads_) return;
    Reach r;
    if (chain.links.size() == 1 && !reach(from, -1, r)) return;
    for (size_t to = from + 1; to < steps_.size(); to++) {
      const Tactic* t = steps_[to].tactic;
      if (taken_[to] || !t || !t->strips || !t->strips->finish || program_step(to).in[0] != v ||
          !reach(to, 0, r))
        continue;
      chain.links.push_back({static_cast<int>(to), 0});
      chain.sums = true;
      return;
    }
  }

  const Program& program_;
  std::span<const AliasStep> steps_;
  std::span<const ValueType> types_;
  const int64_t l2_bytes_;
  const int threads_;
  const std::vector<bool>& own_;
  std::vector<bool> hidden_;  // per value: nobody but the steps that read it would miss it
  std::vector<bool> taken_;   // per step: in a chain
  std::vector<int> reads_, reader_;
};

}  // namespace

std::vector<Chain> find_chains(const Program& program, std::span<const AliasStep> steps,
                               std::span<const ValueType> types, const std::vector<bool>& own,
                               std::span<const int> pinned, int64_t l2_bytes, int threads) {
  const char* text = std::getenv("HONE_STRIPS");
  if (text && std::string_view(text) == "0") return {};
  return Finder(program, steps, types, own, pinned, l2_bytes, threads).run();
}

}  // namespace hone

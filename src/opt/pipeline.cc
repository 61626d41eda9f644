#include "opt/pipeline.h"

#include <algorithm>
#include <chrono>

#include "ir/verify.h"
#include "opt/passes.h"

namespace hone::opt {
namespace {

const Pass list[] = {
    {"fold", Phase::declutter, "computes what depends on constants and known shapes only", fold},
    {"inline_if", Phase::declutter, "puts the branch in place of an If whose condition is known", inline_if},
    {"remove_identities", Phase::declutter, "removes nodes that give back their input", remove_identities},
    {"share_common", Phase::declutter, "computes equal expressions once, keeps equal constants once",
     share_common},
    {"explicit_windows", Phase::declutter,
     "auto_pad becomes pads; strides, dilations, kernel_shape are filled in", explicit_windows},
    {"merge_views", Phase::declutter, "joins chains of Transpose, of Reshape and its like", merge_views},
    {"join_splits", Phase::declutter, "what was split and put together again is taken whole", join_splits},
    {"join_concats", Phase::declutter, "a Concat that begins like another begins with that one",
     join_concats},
    {"fold_affine", Phase::declutter,
     "puts scale and shift of BatchNormalization, Mul, Add into the weights before them", fold_affine},
    {"absorb_pad", Phase::declutter, "lets the window behind a Pad do the padding", absorb_pad},
    {"matmul_bias", Phase::declutter,
     "MatMul and Add of matrices become Gemm; a MatMul of any rank adds its bias", matmul_bias},
    {"scale_columns", Phase::declutter, "scales of a product's columns go into its weights and bias",
     scale_columns},
    {"rules", Phase::declutter, "rewrites what rules.def lists", apply_rules},
    {"fuse_attention", Phase::declutter, "softmax between two products becomes Attention", fuse_attention},
    {"dead_code", Phase::declutter, "erases what nobody uses", dead_code},
    {"fuse_channel_shuffle", Phase::target, "Reshape, Transpose, Reshape that only shuffle channels",
     fuse_channel_shuffle},
    {"channels_last", Phase::target, "images flow as N, spatial, C", channels_last},
    {"layout_fold", Phase::target, "constants in their new layout", fold},
    {"layout_identities", Phase::target, "what the new layout made superfluous", remove_identities},
    {"layout_views", Phase::target, "chains of Transpose and Reshape that the new layout made", merge_views},
    {"layout_common", Phase::target, "equal constants and transposes once", share_common},
    {"fuse_residual", Phase::target, "Conv and MatMul add the other branch to their sum", fuse_residual},
    {"fuse_activation", Phase::target, "activations are applied where their input is made", fuse_activation},
    {"sweep", Phase::target, "erases what nobody uses", dead_code},
};

using Clock = std::chrono::steady_clock;

Result<int> run_everywhere(const Pass& pass, ir::Graph& g, ir::Log& log) {
  HONE_TRY(int changes, pass.run(g, log));
  for (ir::Node* n : g.nodes()) {
    if (n->erased) continue;
    for (ir::Graph* nested : ir::nested_graphs(*n)) {
      HONE_TRY(const int inner, run_everywhere(pass, *nested, log));
      changes += inner;
    }
  }
  return changes;
}

class Driver {
 public:
  Driver(ir::Graph& g, const OptOptions& options, OptReport& report)
      : g_(g), options_(options), report_(report) {
    for (const Pass& p : list) report_.passes.push_back({p.name, p.phase});
  }

  Result<int> run_phase(Phase phase) {
    int changes = 0;
    for (size_t i = 0; i < std::size(list); i++) {
      const Pass& pass = list[i];
      if (pass.phase != phase || std::ranges::count(options_.disable, pass.name)) continue;
      if (options_.cancelled && options_.cancelled()) return error(Code::cancelled, "cancelled");
      const auto start = Clock::now();
      auto n = run_everywhere(pass, g_, report_.log);
      PassReport& r = report_.passes[i];
      r.milliseconds += std::chrono::duration<double, std::milli>(Clock::now() - start).count();
      if (!n) return in(std::string("pass ") + pass.name, n.take_error());
      r.runs++;
      r.changes += *n;
      changes += *n;
      if (options_.verify && *n)
        if (auto ok = ir::verify(g_); !ok) return in(std::string("after pass ") + pass.name, ok.take_error());
      if (options_.dump_after) HONE_CHECK(options_.dump_after(pass.name, g_));
    }
    return changes;
  }

 private:
  ir::Graph& g_;
  const OptOptions& options_;
  OptReport& report_;
};

}  // namespace

std::span<const Pass> passes() { return list; }

Status optimise(ir::Graph& g, const OptOptions& options, OptReport* report) {
  for (const std::string& name : options.disable)
    if (std::ranges::none_of(list, [&](const Pass& p) { return name == p.name; }))
      return error(Code::not_found, "there is no pass '%s'; hone build --help lists them", name.c_str());
  OptReport own;
  Driver driver(g, options, report ? *report : own);
  constexpr int max_rounds = 10;
  for (int round = 0; options.declutter && round < max_rounds; round++) {
    HONE_TRY(const int changes, driver.run_phase(Phase::declutter));
    HONE_CHECK(g.compact());
    if (!changes) break;
  }
  if (options.target) {
    HONE_CHECK(driver.run_phase(Phase::target));
    HONE_CHECK(g.compact());
  }
  return {};
}

}  // namespace hone::opt

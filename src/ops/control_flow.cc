// If, Loop and Scan: operators whose attributes are graphs.
#include <algorithm>
#include <limits>

#include "base/memory_budget.h"
#include "ops/pieces.h"
#include "ops/types.h"

namespace hone {
namespace {

Result<std::vector<ValueType>> infer_body(Infer& c, const char* attr, std::span<const ValueType> in) {
  if (!c.infer_graph) return std::vector<ValueType>{};
  return c.infer_graph(c.attrs.graph(attr), in);
}

// Where a graph's types are not known at all there is nothing to check.
Status check_results(const char* graph, size_t have, size_t want) {
  if (have == want) return {};
  return error(Code::corrupt, "%s gives %zu values, its operator expects %zu", graph, have, want);
}

Status check_condition(const Infer& c, size_t i, const char* what) {
  HONE_CHECK(check_type(c, i, bool_type));
  if (const Shape s = c.shape(i); s.all_known() && s.elements() != 1)
    return error(Code::invalid_argument, "%s has shape %s, expected one value", what, s.str().c_str());
  return {};
}
Result<bool> condition(const Value& v, const char* what) {
  if (v.kind != Value::Kind::tensor || v.tensor.dtype() != DType::boolean || v.tensor.elements() != 1)
    return error(Code::invalid_argument, "%s is %s, expected one boolean", what, type_of(v).str().c_str());
  return static_cast<bool>(*v.tensor.data<bool8>());
}

// --- If ---

Status infer_if(Infer& c) {
  HONE_CHECK(check_condition(c, 0, "the condition"));
  HONE_TRY(const std::vector<ValueType> yes, infer_body(c, "then_branch", {}));
  HONE_TRY(const std::vector<ValueType> no, infer_body(c, "else_branch", {}));
  if (!c.infer_graph) return {};
  HONE_CHECK(check_results("then_branch", yes.size(), c.out.size()));
  HONE_CHECK(check_results("else_branch", no.size(), c.out.size()));
  for (size_t i = 0; i < c.out.size(); i++) {
    if (const Tensor* known = c.value(0)) c.out[i] = *known->data<bool8>() ? yes[i] : no[i];
    else c.out[i] = either(yes[i], no[i]);
  }
  return {};
}
Status run_if(EvalContext& c) {
  HONE_TRY(const bool yes, condition(c.in(0), "the condition"));
  const char* branch = yes ? "then_branch" : "else_branch";
  HONE_TRY(std::vector<Value> results, c.run_graph(branch, {}));
  HONE_CHECK(check_results(branch, results.size(), c.outputs()));
  for (size_t i = 0; i < results.size(); i++) HONE_CHECK(c.set_output(i, std::move(results[i])));
  return {};
}

// --- Loop: body(iteration, condition, carried...) -> (condition, carried..., scanned...) ---

// A carried value may change its shape from turn to turn.
ValueType shapeless(const ValueType& t) {
  return t.kind == Value::Kind::tensor     ? ValueType(t.dtype, Shape::unranked())
         : t.kind == Value::Kind::sequence ? t
                                           : ValueType();
}

Status infer_loop(Infer& c) {
  if (const Shape m = c.shape(0); m.all_known() && m.elements() != 1)
    return error(Code::invalid_argument, "the trip count has shape %s, expected one value", m.str().c_str());
  HONE_CHECK(check_type(c, 0, i64_type));
  HONE_CHECK(check_condition(c, 1, "the condition"));
  const size_t carried = c.in.size() > 2 ? c.in.size() - 2 : 0;
  std::vector<ValueType> in{ValueType(DType::i64, Shape{}), ValueType(DType::boolean, Shape{})};
  for (size_t i = 0; i < carried; i++) in.push_back(shapeless(c.in[2 + i]));
  HONE_TRY(const std::vector<ValueType> out, infer_body(c, "body", in));
  if (!c.infer_graph) return {};
  HONE_CHECK(check_results("body", out.size(), c.out.size() + 1));
  if (c.out.size() < carried)
    return error(Code::corrupt, "the loop carries %zu values, but has only %zu outputs", carried,
                 c.out.size());
  for (size_t i = 0; i < carried; i++) c.out[i] = either(c.in[2 + i], out[1 + i]);
  for (size_t i = carried; i < c.out.size(); i++) {
    const ValueType& t = out[1 + i];
    Shape s = Shape::unranked();
    if (t.shape.ranked()) s = Shape{unknown_dim};
    for (const Dim d : t.shape.dims()) s.push_back(d);
    c.set(i, t.dtype, s);
  }
  return {};
}

Status run_loop(EvalContext& c) {
  int64_t trips = std::numeric_limits<int64_t>::max();
  if (c.has(0)) {
    HONE_TRY(const std::vector<int64_t> m, c.ints(0));
    if (m.size() != 1)
      return error(Code::invalid_argument, "the trip count has %zu values, expected one", m.size());
    trips = m[0];
  }
  bool go_on = true;
  if (c.has(1)) { HONE_TRY(go_on, condition(c.in(1), "the condition")); }
  const size_t carried = c.inputs() > 2 ? c.inputs() - 2 : 0;
  if (c.outputs() < carried)
    return error(Code::corrupt, "the loop carries %zu values, but has only %zu outputs", carried,
                 c.outputs());
  std::vector<Value> state;
  for (size_t i = 0; i < carried; i++) state.push_back(c.in(2 + i));
  std::vector<std::vector<Value>> scanned(c.outputs() - carried);
  MemoryCharge listed;  // a tensor counts itself, but a turn may hand out one that was there
  for (int64_t turn = 0; turn < trips && go_on; turn++) {
    if (c.cancelled())
      return error(Code::cancelled, "cancelled in turn %lld of a loop", static_cast<long long>(turn));
    std::vector<Value> in{Tensor::scalar(DType::i64, turn), Tensor::scalar(DType::boolean, bool8(go_on))};
    for (Value& v : state) in.push_back(std::move(v));
    HONE_TRY(std::vector<Value> out, c.run_graph("body", in));
    HONE_CHECK(check_results("body", out.size(), c.outputs() + 1));
    HONE_TRY(go_on, condition(out[0], "the body's condition"));
    for (size_t i = 0; i < carried; i++) state[i] = std::move(out[1 + i]);
    for (size_t i = 0; i < scanned.size(); i++)
      if (c.wanted(carried + i)) {
        HONE_CHECK(listed.add(sizeof(Value)));
        scanned[i].push_back(std::move(out[1 + carried + i]));
      }
  }
  for (size_t i = 0; i < carried; i++) HONE_CHECK(c.set_output(i, std::move(state[i])));
  for (size_t i = 0; i < scanned.size(); i++) {
    if (!c.wanted(carried + i)) continue;
    HONE_CHECK(join(scanned[i], 0, true, c.output_type(carried + i),
                    [&](DType d, const Shape& s) { return c.output(carried + i, d, s); }));
  }
  return {};
}

// --- Scan: body(state..., slices...) -> (state..., slices...) ---

struct ScanLayout {
  size_t states = 0, scans = 0;
  std::vector<int64_t> in_axes, out_axes;  // not normalised
  std::vector<bool> in_reversed, out_reversed;
};

Result<ScanLayout> scan_layout(const Attrs& attrs, size_t inputs, size_t outputs) {
  ScanLayout l;
  const int64_t scans = attrs.i("num_scan_inputs");
  if (scans < 1 || static_cast<size_t>(scans) > inputs)
    return error(Code::corrupt, "num_scan_inputs is %lld, with %zu inputs", static_cast<long long>(scans),
                 inputs);
  l.scans = static_cast<size_t>(scans);
  l.states = inputs - l.scans;
  if (outputs < l.states)
    return error(Code::corrupt, "Scan has %zu states, but only %zu outputs", l.states, outputs);
  const auto read = [&](const char* name, size_t count, std::vector<int64_t>& to) -> Status {
    to = attrs.ints(name);
    if (to.empty()) to.assign(count, 0);
    if (to.size() != count)
      return error(Code::corrupt, "%s has %zu values, expected %zu", name, to.size(), count);
    return {};
  };
  std::vector<int64_t> direction;
  HONE_CHECK(read("scan_input_axes", l.scans, l.in_axes));
  HONE_CHECK(read("scan_output_axes", outputs - l.states, l.out_axes));
  HONE_CHECK(read("scan_input_directions", l.scans, direction));
  for (const int64_t d : direction) l.in_reversed.push_back(d == 1);
  HONE_CHECK(read("scan_output_directions", outputs - l.states, direction));
  for (const int64_t d : direction) l.out_reversed.push_back(d == 1);
  return l;
}

Status infer_scan(Infer& c) {
  HONE_TRY(const ScanLayout l, scan_layout(c.attrs, c.in.size(), c.out.size()));
  std::vector<ValueType> in;
  for (size_t i = 0; i < l.states; i++) in.push_back(shapeless(c.in[i]));
  Dim length = unknown_dim;
  for (size_t i = 0; i < l.scans; i++) {
    HONE_CHECK(check_tensor(c, l.states + i));
    const Shape s = c.shape(l.states + i);
    if (!s.ranked()) {
      in.push_back(ValueType(c.dtype(l.states + i), s));
      continue;
    }
    HONE_TRY(const int axis, normalize_axis(l.in_axes[i], s.rank()));
    Shape slice;
    for (int k = 0; k < s.rank(); k++)
      if (k != axis) slice.push_back(s[static_cast<size_t>(k)]);
    const Dim d = s[static_cast<size_t>(axis)];
    if (known(length) && known(d) && d != length)
      return error(Code::invalid_argument, "scan inputs have lengths %lld and %lld; they must be the same",
                   static_cast<long long>(length), static_cast<long long>(d));
    if (!known(length)) length = d;
    in.push_back(ValueType(c.dtype(l.states + i), slice));
  }
  HONE_TRY(const std::vector<ValueType> out, infer_body(c, "body", in));
  if (!c.infer_graph) return {};
  HONE_CHECK(check_results("body", out.size(), c.out.size()));
  for (size_t i = 0; i < l.states; i++) c.out[i] = either(c.in[i], out[i]);
  for (size_t i = l.states; i < c.out.size(); i++) {
    const Shape& slice = out[i].shape;
    Shape s = Shape::unranked();
    if (slice.ranked() && slice.rank() < max_rank) {
      HONE_TRY(const int axis, normalize_axis(l.out_axes[i - l.states], slice.rank() + 1));
      s = Shape{};
      for (int k = 0; k <= slice.rank(); k++)
        s.push_back(k == axis ? length : slice[static_cast<size_t>(k < axis ? k : k - 1)]);
    }
    c.set(i, out[i].dtype, s);
  }
  return {};
}

Status run_scan(EvalContext& c) {
  HONE_TRY(const ScanLayout l, scan_layout(c.attrs, c.inputs(), c.outputs()));
  std::vector<Value> state;
  for (size_t i = 0; i < l.states; i++) state.push_back(c.in(i));
  std::vector<int> axes;
  int64_t length = -1;
  for (size_t i = 0; i < l.scans; i++) {
    if (c.in(l.states + i).kind != Value::Kind::tensor)
      return error(Code::corrupt, "scan input %zu is missing", i);
    const Shape& s = c.in(l.states + i).tensor.shape();
    HONE_TRY(const int axis, normalize_axis(l.in_axes[i], s.rank()));
    axes.push_back(axis);
    const int64_t n = s[static_cast<size_t>(axis)];
    if (length >= 0 && n != length)
      return error(Code::invalid_argument, "scan inputs have lengths %lld and %lld; they must be the same",
                   static_cast<long long>(length), static_cast<long long>(n));
    length = n;
  }
  std::vector<std::vector<Value>> scanned(c.outputs() - l.states);
  MemoryCharge listed;
  for (int64_t turn = 0; turn < length; turn++) {
    if (c.cancelled())
      return error(Code::cancelled, "cancelled in turn %lld of a scan", static_cast<long long>(turn));
    std::vector<Value> in = std::move(state);
    for (size_t i = 0; i < l.scans; i++) {
      HONE_TRY(Tensor slice,
               cut(c.input(l.states + i), axes[i], l.in_reversed[i] ? length - 1 - turn : turn, 1, true));
      in.push_back(std::move(slice));
    }
    HONE_TRY(std::vector<Value> out, c.run_graph("body", in));
    HONE_CHECK(check_results("body", out.size(), c.outputs()));
    state.assign(std::make_move_iterator(out.begin()),
                 std::make_move_iterator(out.begin() + static_cast<ptrdiff_t>(l.states)));
    HONE_CHECK(listed.add(static_cast<int64_t>(scanned.size() * sizeof(Value))));
    for (size_t i = 0; i < scanned.size(); i++) scanned[i].push_back(std::move(out[l.states + i]));
  }
  for (size_t i = 0; i < l.states; i++) HONE_CHECK(c.set_output(i, std::move(state[i])));
  for (size_t i = 0; i < scanned.size(); i++) {
    const size_t at = l.states + i;
    if (l.out_reversed[i]) std::reverse(scanned[i].begin(), scanned[i].end());
    HONE_CHECK(join(scanned[i], l.out_axes[i], true, c.output_type(at),
                    [&](DType d, const Shape& s) { return c.output(at, d, s); }));
  }
  return {};
}

// Opset 8 scanned within a batch, and began with the lengths of its sequences.
Status from_batches(OpsetNode& n) {
  n.rename("ScanBatches");
  return {};
}
constexpr Upgrade scan_upgrades[] = {{9, from_batches}};

constexpr AttrDef if_attrs[] = {AttrDef::req("then_branch", AttrType::graph),
                                AttrDef::req("else_branch", AttrType::graph)};
constexpr AttrDef loop_attrs[] = {AttrDef::req("body", AttrType::graph)};
constexpr AttrDef scan_attrs[] = {AttrDef::req("body", AttrType::graph),
                                  AttrDef::req("num_scan_inputs", AttrType::i),
                                  AttrDef::opt("scan_input_axes", AttrType::ints),
                                  AttrDef::opt("scan_input_directions", AttrType::ints),
                                  AttrDef::opt("scan_output_axes", AttrType::ints),
                                  AttrDef::opt("scan_output_directions", AttrType::ints)};
}  // namespace

extern const OpDef op_If{.name = "If",
                         .doc = "the values of one of two graphs",
                         .max_outputs = -1,
                         .attrs = if_attrs,
                         .infer = infer_if,
                         .reference = run_if,
                         .notes = "runs its graphs step by step, without planned memory"};
extern const OpDef op_Loop{.name = "Loop",
                           .doc = "runs a graph while a condition holds, at most M times",
                           .min_inputs = 0,
                           .max_inputs = -1,
                           .max_outputs = -1,
                           .attrs = loop_attrs,
                           .infer = infer_loop,
                           .reference = run_loop,
                           .notes = "runs its graph step by step, without planned memory"};
extern const OpDef op_Scan{.name = "Scan",
                           .doc = "runs a graph over the slices of its inputs",
                           .max_inputs = -1,
                           .max_outputs = -1,
                           .attrs = scan_attrs,
                           .since = 8,
                           .upgrades = scan_upgrades,
                           .infer = infer_scan,
                           .reference = run_scan,
                           .notes = "runs its graph step by step, without planned memory"};

}  // namespace hone

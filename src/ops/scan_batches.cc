// Scan as it was in opset 8: along axis 1 of batches along axis 0, whose sequences may be of different lengths.
#include <algorithm>
#include <cstring>

#include "ops/pieces.h"
#include "ops/types.h"

namespace hone {
namespace {

// Inputs: lengths (may be absent), states [batch, ...], scanned [batch, length, ...].
struct Parts {
  size_t states = 0, scans = 0;
  std::vector<bool> reversed;
};

Result<Parts> parts_of(const Attrs& attrs, size_t inputs, size_t outputs) {
  Parts p;
  const int64_t scans = attrs.i("num_scan_inputs");
  if (scans < 1 || inputs < 1 || static_cast<size_t>(scans) > inputs - 1)
    return error(Code::corrupt, "num_scan_inputs is %lld, with %zu inputs after the lengths",
                 static_cast<long long>(scans), inputs ? inputs - 1 : 0);
  p.scans = static_cast<size_t>(scans);
  p.states = inputs - 1 - p.scans;
  if (outputs < p.states)
    return error(Code::corrupt, "Scan has %zu states, but only %zu outputs", p.states, outputs);
  std::vector<int64_t> directions = attrs.ints("directions");
  if (directions.empty()) directions.assign(p.scans, 0);
  if (directions.size() != p.scans)
    return error(Code::corrupt, "directions has %zu values, expected %zu", directions.size(), p.scans);
  for (const int64_t d : directions) p.reversed.push_back(d == 1);
  return p;
}

// All inputs agree on the batch, and those scanned on the length.
Status agree(Dim& all, Dim one, const char* what) {
  if (known(all) && known(one) && all != one)
    return error(Code::invalid_argument, "inputs of Scan have %s %lld and %lld; they must be the same", what,
                 static_cast<long long>(all), static_cast<long long>(one));
  if (!known(all)) all = one;
  return {};
}

Shape without(const Shape& s, size_t first) {
  if (!s.ranked()) return s;
  Shape rest;
  for (size_t i = first; i < s.size(); i++) rest.push_back(s[i]);
  return rest;
}
Shape joined(std::initializer_list<Dim> first, const Shape& rest) {
  if (!rest.ranked() || rest.size() + first.size() > max_rank) return Shape::unranked();
  Shape s(first);
  for (const Dim d : rest.dims()) s.push_back(d);
  return s;
}

Status infer(Infer& c) {
  HONE_TRY(const Parts p, parts_of(c.attrs, c.in.size(), c.out.size()));
  HONE_CHECK(check_type(c, 0, i64_type));
  HONE_TRY(Dim batch, c.has(0) ? length_of(c, 0) : Result<Dim>(unknown_dim));
  Dim length = unknown_dim;
  std::vector<ValueType> in;
  for (size_t i = 1; i < c.in.size(); i++) {
    const size_t axes = i <= p.states ? 1 : 2;
    HONE_CHECK(check_tensor(c, i));
    const Shape s = c.shape(i);
    if (s.ranked() && s.size() < axes)
      return error(Code::invalid_argument, "input %zu of Scan has shape %s; expected %s first", i,
                   s.str().c_str(), axes == 1 ? "a batch" : "batch and sequence");
    if (s.ranked()) HONE_CHECK(agree(batch, s[0], "batches of"));
    if (s.ranked() && axes == 2) HONE_CHECK(agree(length, s[1], "sequences of"));
    // A state may change its shape from turn to turn.
    in.push_back(ValueType(c.dtype(i), axes == 1 ? Shape::unranked() : without(s, 2)));
  }
  if (!c.infer_graph) return {};
  HONE_TRY(const std::vector<ValueType> out, c.infer_graph(c.attrs.graph("body"), in));
  if (out.size() != c.out.size())
    return error(Code::corrupt, "body gives %zu values, its operator expects %zu", out.size(), c.out.size());
  for (size_t i = 0; i < out.size(); i++)
    c.set(i, out[i].dtype,
          i < p.states ? joined({batch}, out[i].shape) : joined({batch, length}, out[i].shape));
  return {};
}

Result<Value> zeros_like(const Value& v) {
  HONE_TRY(Tensor t, Tensor::allocate(v.tensor.dtype(), v.tensor.shape()));
  if (t.dtype() != DType::string) std::memset(t.bytes(), 0, static_cast<size_t>(t.byte_size()));
  return Value(std::move(t));
}

Status reference(EvalContext& c) {
  HONE_TRY(const Parts p, parts_of(c.attrs, c.inputs(), c.outputs()));
  Dim batch = unknown_dim, length = unknown_dim;
  for (size_t i = 1; i < c.inputs(); i++) {
    const size_t axes = i <= p.states ? 1 : 2;
    if (c.in(i).kind != Value::Kind::tensor || c.in(i).tensor.shape().size() < axes)
      return error(Code::corrupt, "input %zu of Scan is missing, or has no batch and sequence", i);
    HONE_CHECK(agree(batch, c.in(i).tensor.shape()[0], "batches of"));
    if (axes == 2) HONE_CHECK(agree(length, c.in(i).tensor.shape()[1], "sequences of"));
  }
  std::vector<int64_t> lengths(static_cast<size_t>(batch), length);
  if (c.has(0)) { HONE_TRY(lengths, c.ints(0)); }
  if (lengths.size() != static_cast<size_t>(batch))
    return error(Code::invalid_argument, "there are %zu lengths for a batch of %lld", lengths.size(),
                 static_cast<long long>(batch));

  // Of each output the parts, [batch] or [batch * length]; what lies beyond a sequence's end stays empty.
  std::vector<std::vector<Value>> made(c.outputs());
  for (size_t i = p.states; i < made.size(); i++) {
    HONE_TRY(const int64_t n, checked_elements(Shape{batch, length}));
    made[i].resize(static_cast<size_t>(n));
  }
  for (int64_t b = 0; b < batch; b++) {
    const int64_t end = lengths[static_cast<size_t>(b)];
    if (end < 0 || end > length)
      return error(Code::invalid_argument, "sequence %lld has length %lld, of %lld stored",
                   static_cast<long long>(b), static_cast<long long>(end), static_cast<long long>(length));
    std::vector<Value> state;
    for (size_t i = 0; i < p.states; i++) {
      HONE_TRY(state.emplace_back(), cut(c.input(1 + i), 0, b, 1, true));
    }
    std::vector<TensorView> sequences;
    std::vector<Tensor> held;
    for (size_t i = 0; i < p.scans; i++) {
      HONE_TRY(held.emplace_back(), cut(c.input(1 + p.states + i), 0, b, 1, true));
      sequences.push_back(held.back().view());
    }
    for (int64_t turn = 0; turn < end; turn++) {
      if (c.cancelled())
        return error(Code::cancelled, "cancelled in turn %lld of a scan", static_cast<long long>(turn));
      std::vector<Value> in = std::move(state);
      for (size_t i = 0; i < p.scans; i++) {
        HONE_TRY(in.emplace_back(), cut(sequences[i], 0, p.reversed[i] ? end - 1 - turn : turn, 1, true));
      }
      HONE_TRY(std::vector<Value> out, c.run_graph("body", in));
      if (out.size() != c.outputs())
        return error(Code::corrupt, "body gives %zu values, its operator expects %zu", out.size(),
                     c.outputs());
      state.assign(std::make_move_iterator(out.begin()),
                   std::make_move_iterator(out.begin() + static_cast<ptrdiff_t>(p.states)));
      for (size_t i = p.states; i < made.size(); i++)
        made[i][static_cast<size_t>(b * length + turn)] = std::move(out[i]);
    }
    for (size_t i = 0; i < p.states; i++) made[i].push_back(std::move(state[i]));
  }
  for (size_t i = 0; i < made.size(); i++) {
    std::vector<Value>& list = made[i];
    const auto any =
        std::find_if(list.begin(), list.end(), [](const Value& v) { return static_cast<bool>(v); });
    if (any == list.end()) list.clear();
    for (Value& v : list)
      if (!v) { HONE_TRY(v, zeros_like(*any)); }
    HONE_CHECK(join(list, 0, true, c.output_type(i), [&](DType d, const Shape& s) -> Result<TensorView> {
      if (i < p.states || list.empty()) return c.output(i, d, s);
      if (s.size() == max_rank)
        return error(Code::limit, "the result would have %d dimensions, at most %d are supported",
                     max_rank + 1, max_rank);
      return c.output(i, d, joined({batch, length}, without(s, 1)));
    }));
  }
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::req("body", AttrType::graph),
                             AttrDef::req("num_scan_inputs", AttrType::i),
                             AttrDef::opt("directions", AttrType::ints)};
}  // namespace

extern const OpDef op_ScanBatches{.name = "ScanBatches",
                                  .domain = "hone",
                                  .doc = "Scan of opset 8: along axis 1 of batches along axis 0",
                                  .max_inputs = -1,
                                  .max_outputs = -1,
                                  .attrs = attrs,
                                  .infer = infer,
                                  .reference = reference};

}  // namespace hone

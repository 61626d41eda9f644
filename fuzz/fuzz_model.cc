// The builder's whole way with a small model: any bytes are imported or refused; what is imported is
// optimised. Where its work is bounded, the reference executor runs it before and after, which must both answer
// or both refuse, and with the same types.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "import/import.h"
#include "ir/eval.h"
#include "ir/verify.h"
#include "ops/work.h"
#include "opt/pipeline.h"

namespace {
using namespace hone;

constexpr int64_t most_bytes = 1 << 20;  // of any value and of all together
constexpr double most_work = 1e6;        // multiply-adds

// What the graph's types say it would take, where they say it.
bool small(const ir::Graph& g, int64_t& bytes, double& work) {
  for (const ir::Value* v : g.values()) {
    if (v->type.kind != Value::Kind::tensor || !v->type.shape.all_known()) continue;
    const auto n = checked_elements(v->type.shape);
    if (!n || *n > most_bytes) return false;
    bytes += dtype_bytes(v->type.dtype, *n);
  }
  for (const ir::Node* n : g.nodes()) {
    std::vector<ValueType> in, out;
    for (const ir::Value* v : n->inputs) in.push_back(v ? v->type : ValueType());
    for (const ir::Value* v : n->outputs) out.push_back(v ? v->type : ValueType());
    work += multiply_adds(*n->op, in, out, n->attrs);
    for (const ir::Graph* nested : ir::nested_graphs(*n))
      if (!small(*nested, bytes, work)) return false;
  }
  return bytes <= 4 * most_bytes && work <= most_work;
}

Value value_of(const ValueType& t) {
  switch (t.kind) {
    case Value::Kind::tensor:
      break;
    case Value::Kind::sequence:
    case Value::Kind::optional: {
      const Value item = t.element ? value_of(*t.element) : Value();
      if (!item) return {};
      Value v = Value::sequence(t.element->dtype, {item});
      v.kind = t.kind;
      return v;
    }
    case Value::Kind::none:
      return {};
  }
  Shape s = t.shape.ranked() ? t.shape : Shape{2};
  for (size_t i = 0; i < s.size(); i++)
    if (!known(s[i])) s[i] = symbolic(s[i]) ? 3 : 2;
  const auto n = checked_elements(s);
  if (!n || *n > most_bytes / 16) return {};
  auto made = Tensor::allocate(t.dtype, s);
  if (!made) return {};
  // Small integers, and floats near 1.
  if (t.dtype == DType::f32)
    for (int64_t i = 0; i < *n; i++) made->data<float>()[i] = 1 + static_cast<float>(i % 7) / 8;
  else if (t.dtype != DType::string) std::memset(made->bytes(), 1, static_cast<size_t>(made->byte_size()));
  if (is_int(t.dtype) && dtype_bits(t.dtype) > 8)
    for (int64_t i = 0, size = dtype_bits(t.dtype) / 8; i < *n; i++)
      std::memset(made->data<char>() + i * size + 1, 0, static_cast<size_t>(size - 1));
  return *std::move(made);
}

bool pure(const ir::Graph& g) {
  for (const ir::Node* n : g.nodes()) {
    if (!n->op->pure) return false;
    for (const ir::Graph* nested : ir::nested_graphs(*n))
      if (!pure(*nested)) return false;
  }
  return true;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::shared_ptr<const void> owner(std::shared_ptr<void>(), data);
  const ImportOptions limits{.limits = {.nodes = 200, .dense_bytes = 1 << 20}};
  auto g = import_onnx({std::as_bytes(std::span(data, size)), owner}, "", limits);
  if (!g) return 0;
  int64_t bytes = 0;
  double work = 0;
  if (!small(**g, bytes, work)) return 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  const auto late = [end] { return std::chrono::steady_clock::now() > end; };

  std::vector<Value> inputs;
  bool complete = true;
  for (const ir::Value* v : (*g)->inputs()) {
    inputs.push_back(value_of(v->type));
    complete = complete && inputs.back();
  }
  Result<std::vector<Value>> want = std::vector<Value>();
  if (complete) want = ir::evaluate(**g, inputs, {.memory_limit = 16 * most_bytes, .cancelled = late});
  // What the reference cannot do in this time and memory is none of ours; what it refuses still has to build.
  if (!want && (want.error().code == Code::cancelled || want.error().code == Code::limit)) return 0;

  const auto optimised = (*g)->clone();
  opt::OptOptions options;
  options.verify = true;
  options.cancelled = late;
  if (const auto done = opt::optimise(*optimised, options); !done) {
    // The optimiser calculates what it can, and so may refuse what the reference refuses. Nothing else.
    if (want && complete && done.error().code != Code::cancelled && done.error().code != Code::limit)
      std::abort();
    return 0;
  }
  if (!complete) return 0;
  const auto got = ir::evaluate(*optimised, inputs, {.memory_limit = 16 * most_bytes, .cancelled = late});
  if (!got) {
    if (want && got.error().code != Code::cancelled && got.error().code != Code::limit) std::abort();
    return 0;
  }
  // Nodes that nobody uses are gone: what they would have refused is answered.
  if (!want) return 0;
  for (size_t i = 0; i < want->size(); i++) {
    const ValueType a = type_of((*want)[i]), b = type_of((*got)[i]);
    if (a.kind != b.kind || a.dtype != b.dtype || (pure(**g) && a.shape != b.shape)) std::abort();
  }
  return 0;
}

#include "plugin/op.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>

#include "base/enum_number.h"
#include "base/log.h"
#include "ops/types.h"
#include "plugin/guard.h"

namespace hone {
namespace {

static_assert(sizeof(hone_tensor) == 144 || sizeof(void*) != 8,
              "arrays of it cross the border: HONE_PLUGIN_ABI");

// A plugin sees symbol k as this number: far from what calculating with -1 would give.
constexpr int64_t first_symbol = std::numeric_limits<int64_t>::min() / 2;

const PluginOp& plugin_op(const OpDef& op) { return static_cast<const PluginOp&>(op); }

// One call of a plugin's function, behind hone_plugin_call::self.
struct Call {
  Call(const PluginOp& o, const Attrs& a) : op(o), attrs(a) {
    c.self = this;
    c.user = o.table.user;
  }
  static const hone_plugin_host host;
  const PluginOp& op;
  const Attrs& attrs;
  hone_plugin_call c{};                 // the plugin may write into it
  std::span<const hone_tensor> inputs;  // what c.inputs was
  size_t outputs = 0;
  EvalContext* context = nullptr;  // when running
  struct PluginNode* node = nullptr;
  char message[512] = "";

  // Runs one function of the plugin.
  template <class F>
  Status run(const char* what, F&& f) {
    int code = 0;
    c.host = &host;
    c.inputs = inputs.data();
    c.input_count = inputs.size();
    c.output_count = outputs;
    if (auto ok = guard(what, [&] { code = f(&c); }); !ok) return in(op.where(), ok.take_error());
    if (context && code && context->cancelled()) return error(Code::cancelled, "cancelled by the caller");
    if (*message) return error(Code::unsupported, "%s: %s", op.where().c_str(), message);
    if (code)
      return error(Code::unsupported, "%s: %s failed (it returned %d and gave no reason)", op.where().c_str(),
                   what, code);
    if (c.output_count != outputs)
      return wrong("%s changed the number of outputs from %zu to %zu", what, outputs, c.output_count);
    return {};
  }
  [[gnu::format(printf, 2, 3)]] Error wrong(const char* format, ...) const {
    va_list args;
    va_start(args, format);
    char text[400];
    std::vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error(Code::invalid_argument, "%s: %s", op.where().c_str(), text);
  }
};

// What is kept of a node between runs, so that a run allocates nothing.
struct PluginNode {
  explicit PluginNode(const PluginOp& o) : op(o) {}
  PluginNode(const PluginNode&) = delete;
  PluginNode& operator=(const PluginNode&) = delete;
  ~PluginNode() {
    if (!made || !op.table.destroy) return;
    if (auto ok = guard("destroy", [&] { op.table.destroy(state); }); !ok)
      log(LogLevel::error, "%s: %s", op.where().c_str(), ok.error().message.c_str());
  }
  const PluginOp& op;
  bool made = false;
  void* state = nullptr;
  std::vector<hone_tensor> in, out;
  std::vector<void*> data;                    // of outputs
  std::vector<TensorView> views;              // of outputs; no type: not made yet
  std::vector<Tensor> spare;                  // of outputs that nobody wants
  std::vector<std::vector<hone_text>> texts;  // of inputs of strings
  std::vector<ValueType> planned;             // what inference says of the outputs
};

hone_tensor unset() {
  hone_tensor t{};
  t.size = sizeof t;
  t.rank = -1;
  return t;
}

hone_tensor described(DType d, const Shape& s) {
  hone_tensor t = unset();
  t.kind = HONE_TENSOR;
  t.dtype = static_cast<hone_dtype>(d);
  t.rank = s.ranked() ? s.rank() : -1;
  for (size_t i = 0; i < s.size(); i++) t.dims[i] = symbolic(s[i]) ? first_symbol + symbol_of(s[i]) : s[i];
  return t;
}

hone_tensor with_data(const TensorView& v) {
  hone_tensor t = described(v.dtype, v.shape);
  t.data = v.bytes;
  t.bytes = static_cast<size_t>(v.byte_size());
  return t;
}

// ---- hone_plugin_host ----

Call& call_of(const hone_plugin_call* c) { return *static_cast<Call*>(c->self); }

template <class T>
const T* attr(const hone_plugin_call* c, const char* name) {
  const AttrValue* v = name ? call_of(c).attrs.find(name) : nullptr;
  return v ? std::get_if<T>(v) : nullptr;
}

template <class T>
int scalar(const hone_plugin_call* c, const char* name, T* out) noexcept {
  const T* v = attr<T>(c, name);
  if (v) *out = *v;
  return v != nullptr;
}

template <class T>
int list(const hone_plugin_call* c, const char* name, const T** values, size_t* count) noexcept {
  const auto* v = attr<std::vector<T>>(c, name);
  if (v) *values = v->data(), *count = v->size();
  return v != nullptr;
}

int attr_text(const hone_plugin_call* c, const char* name, size_t index, hone_text* out) noexcept {
  const auto* one = attr<std::string>(c, name);
  const auto* many = attr<std::vector<std::string>>(c, name);
  if (index >= (one ? 1 : many ? many->size() : 0)) return 0;
  const std::string& s = one ? *one : (*many)[index];
  *out = {s.data(), s.size()};
  return 1;
}

int attr_tensor(const hone_plugin_call* c, const char* name, hone_tensor* out) noexcept {
  const Tensor* t = attr<Tensor>(c, name);
  if (!t || t->dtype() == DType::string) return 0;
  *out = with_data(t->view());
  return 1;
}

int fail(hone_plugin_call* c, const char* format, ...) noexcept {
  Call& call = call_of(c);
  va_list args;
  va_start(args, format);
  std::vsnprintf(call.message, sizeof call.message, format, args);
  va_end(args);
  if (!*call.message) std::snprintf(call.message, sizeof call.message, "it failed and gave an empty reason");
  return 1;
}

int cancelled(const hone_plugin_call* c) noexcept {
  const Call& call = call_of(c);
  return call.context && call.context->cancelled();
}

// Gives output i its memory.
Status place(Call& call, size_t i, DType d, const Shape& shape) {
  PluginNode& node = *call.node;
  if (call.context->wanted(i)) {
    HONE_TRY(node.views[i], call.context->output(i, d, shape));
  } else {
    Tensor& t = node.spare[i];
    if (t.dtype() != d || t.shape() != shape) { HONE_TRY(t, Tensor::allocate(d, shape)); }
    node.views[i] = t.view();
  }
  const TensorView& v = node.views[i];
  node.out[i] = with_data(v);
  node.data[i] = v.bytes;
  if (d == DType::string) node.out[i].data = node.data[i] = nullptr;
  return {};
}

// Types that a plugin states, with the symbols that its inputs have.
Result<ValueType> stated(const Call& call, size_t output, const hone_tensor& t) {
  const int type = enum_number(t.dtype);
  if (type == HONE_NONE) return call.wrong("infer did not set the type of output %zu", output);
  const DType d = dtype_from_number(type);
  if (d == DType::none) return call.wrong("output %zu has element type %d, which is none", output, type);
  if (t.rank == -1) return ValueType(d, Shape::unranked());
  if (t.rank < 0 || t.rank > max_rank)
    return call.wrong("output %zu has rank %d; 0 to %d are possible", output, t.rank, max_rank);
  Shape shape;
  for (int k = 0; k < t.rank; k++) {
    const int64_t n = t.dims[k];
    if (n >= -1) {
      shape.push_back(n);
      continue;
    }
    bool copied = false;  // from an input
    if (!call.context)
      for (const hone_tensor& in : call.inputs)
        for (int j = 0; j < in.rank; j++) copied = copied || in.dims[j] == n;
    if (!copied)
      return call.wrong("dimension %d of output %zu is %lld; what is not known is -1", k, output,
                        static_cast<long long>(n));
    shape.push_back(symbol_dim(static_cast<int>(n - first_symbol)));
  }
  if (shape.all_known())
    if (auto n = checked_elements(shape); !n)
      return call.wrong("output %zu: %s", output, n.error().message.c_str());
  return ValueType(d, shape);
}

void* make_output(hone_plugin_call* c, size_t i, hone_dtype dtype, int rank, const int64_t* dims) noexcept {
  Call& call = call_of(c);
  const auto make = [&]() -> Status {
    if (!call.context) return call.wrong("make_output is for run only");
    if (i >= call.outputs) return call.wrong("make_output: there is no output %zu", i);
    if (rank < 0 || (rank > 0 && !dims)) return call.wrong("make_output: output %zu has no dimensions", i);
    hone_tensor t = unset();
    t.dtype = dtype;
    t.rank = rank;
    for (int k = 0; k < rank && rank <= max_rank; k++) t.dims[k] = dims[k];
    HONE_TRY(const ValueType made, stated(call, i, t));
    if (!made.shape.all_known()) return call.wrong("make_output: output %zu is %s", i, made.str().c_str());
    const ValueType& want = call.node->planned[i];
    bool fits = want.dtype == made.dtype && (!want.shape.ranked() || want.shape.rank() == made.shape.rank());
    for (size_t k = 0; fits && k < want.shape.size(); k++)
      fits = !known(want.shape[k]) || want.shape[k] == made.shape[k];
    if (!fits)
      return call.wrong("run makes output %zu as %s, infer said %s", i, made.str().c_str(),
                        want.str().c_str());
    const TensorView& v = call.node->views[i];
    if (v.dtype != DType::none && v.shape == made.shape) return {};
    return place(call, i, made.dtype, made.shape);
  };
  try {
    if (auto ok = make(); !ok) {
      if (!*call.message) {  // where() stands in front of it again later
        const std::string& m = ok.error().message;
        const std::string prefix = call.op.where() + ": ";
        std::snprintf(call.message, sizeof call.message, "%s",
                      m.c_str() + (m.starts_with(prefix) ? prefix.size() : 0));
      }
      return nullptr;
    }
    return call.node->views[i].bytes;
  } catch (...) {
    fail(c, "out of memory");
    return nullptr;
  }
}

int set_text(hone_plugin_call* c, size_t i, size_t index, const char* data, size_t size) noexcept {
  Call& call = call_of(c);
  if (!call.context || i >= call.outputs) return fail(c, "set_text: there is no output %zu", i);
  const TensorView& v = call.node->views[i];
  if (v.dtype != DType::string || index >= static_cast<size_t>(v.elements()) || (size && !data))
    return fail(c, "set_text: output %zu has no text %zu", i, index);
  try {
    v.data<std::string>()[index].assign(data, size);
    return 0;
  } catch (...) { return fail(c, "out of memory"); }
}

constexpr hone_plugin_host Call::host{
    .attr_int = scalar<int64_t>,
    .attr_float = scalar<float>,
    .attr_text = attr_text,
    .attr_ints = list<int64_t>,
    .attr_floats = list<float>,
    .attr_tensor = attr_tensor,
    .make_output = make_output,
    .set_text = set_text,
    .cancelled = cancelled,
    .fail = fail,
};

Result<PluginNode*> node_of(EvalContext& c, const PluginOp& op) {
  NodeState& kept = c.state();
  if (!kept) kept = std::make_shared<PluginNode>(op);
  auto* node = static_cast<PluginNode*>(kept.get());
  if (node->made) return node;
  const size_t n = c.inputs(), m = c.outputs();
  node->in.resize(n);
  node->texts.resize(n);
  node->out.resize(m);
  node->data.resize(m);
  node->views.resize(m);
  node->spare.resize(m);
  if (op.table.create) {
    Call call(op, c.attrs);
    HONE_CHECK(call.run("create", [&](hone_plugin_call* p) { return op.table.create(p, &node->state); }));
  }
  node->made = true;
  return node;
}

Status plan(EvalContext& c, PluginNode& node) {
  if (!c.planned()) {
    HONE_TRY(node.planned, infer_outputs(c));
    return {};
  }
  node.planned.resize(c.outputs());
  for (size_t i = 0; i < c.outputs(); i++) node.planned[i] = c.output_type(i);
  return {};
}

}  // namespace

Status infer_plugin(Infer& c) {
  const PluginOp& op = plugin_op(c.op);
  Call call(op, c.attrs);
  std::vector<hone_tensor> in, out(c.out.size(), unset());
  for (size_t i = 0; i < c.in.size(); i++) {
    const ValueType& t = c.in[i];
    if (t.kind == Value::Kind::none && (static_cast<int>(i) < op.min_inputs || op.max_inputs < 0))
      return {};  // not known yet
    if (t.kind == Value::Kind::none) {
      in.push_back(unset());
      continue;
    }
    if (t.kind != Value::Kind::tensor)
      return call.wrong("input %zu is %s; plugins take tensors only", i, t.str().c_str());
    if (t.dtype == DType::none) return {};
    in.push_back(described(t.dtype, t.shape));
    const Tensor* v = c.value(i);
    if (v && v->bytes() && v->dtype() != DType::string) in.back() = with_data(v->view());
  }
  call.inputs = in;
  call.outputs = out.size();
  call.c.outputs = out.data();
  HONE_CHECK(call.run("infer", op.table.infer));
  for (size_t i = 0; i < out.size(); i++) { HONE_TRY(c.out[i], stated(call, i, out[i])); }
  return {};
}

Status run_plugin(EvalContext& c) {
  const PluginOp& op = plugin_op(c.op);
  HONE_TRY(PluginNode * node, node_of(c, op));
  Call call(op, c.attrs);
  for (size_t i = 0; i < c.inputs(); i++) {
    const Value& v = c.in(i);
    node->in[i] = unset();
    if (v.kind == Value::Kind::none) {
      if (static_cast<int>(i) < op.min_inputs || op.max_inputs < 0)
        return call.wrong("input %zu is missing", i);
      continue;
    }
    if (v.kind != Value::Kind::tensor)
      return call.wrong("input %zu is %s; plugins take tensors only", i, type_of(v).str().c_str());
    node->in[i] = with_data(v.tensor.view());
    if (v.tensor.dtype() != DType::string) continue;
    std::vector<hone_text>& texts = node->texts[i];
    texts.clear();
    const auto* from = v.tensor.data<std::string>();
    for (int64_t k = 0, n = v.tensor.elements(); k < n; k++)
      texts.push_back({from[k].data(), from[k].size()});
    node->in[i].data = texts.data();
    node->in[i].bytes = texts.size() * sizeof(hone_text);
  }
  HONE_CHECK(plan(c, *node));
  call.context = &c;
  call.node = node;
  call.inputs = node->in;
  call.outputs = c.outputs();
  call.c.state = node->state;
  call.c.outputs = node->out.data();
  call.c.output_data = node->data.data();
  for (size_t i = 0; i < c.outputs(); i++) {
    const ValueType& t = node->planned[i];
    node->views[i] = TensorView();
    node->out[i] = described(t.dtype, t.shape);
    node->data[i] = nullptr;
    if (t.shape.all_known()) HONE_CHECK(place(call, i, t.dtype, t.shape));
  }
  HONE_CHECK(call.run("run", op.table.run));
  for (size_t i = 0; i < c.outputs(); i++)
    if (node->views[i].dtype == DType::none && c.wanted(i))
      return call.wrong("run did not make output %zu, whose shape infer left open (make_output)", i);
  return {};
}

}  // namespace hone

#include "runtime/session.h"

#include <cstring>

#include "base/enum_number.h"
#include "capi/runtime/handles.h"

using namespace hone;
using capi::guarded;

// What the caller has bound, and what it was handed.
struct hone_session {
  std::shared_ptr<const Engine> engine;
  std::unique_ptr<Session> session;
  hone_cancel_fn cancel = nullptr;
  void* user = nullptr;
  std::vector<Value> inputs;
  std::vector<bool> bound;
  std::vector<bool> has_data;  // false: only its shape is bound
  bool has_run = false;
  std::vector<StepProfile> steps;
  std::vector<std::vector<hone_text>> texts;  // of string outputs handed out since the last run
  Tensor value;                               // the last of hone_session_value
  std::vector<hone_text> value_texts;
};

namespace {

const ProgramValue& input_value(const hone_session* s, size_t index) {
  const Program& p = *s->engine->program().program;
  return p.values[static_cast<size_t>(p.inputs[index])];
}

// As ValueType::str(), with symbols by their names.
std::string type_text(const hone_session* s, const ValueType& t) {
  if (t.kind != Value::Kind::tensor || !t.shape.ranked()) return t.str();
  std::string text = std::string(dtype_name(t.dtype)) + "[";
  for (size_t i = 0; i < t.shape.size(); i++) {
    const Dim d = t.shape[i];
    if (i) text += ',';
    text += known(d)      ? std::to_string(d)
            : symbolic(d) ? s->engine->data().symbols[static_cast<size_t>(symbol_of(d))]
                          : "?";
  }
  return text + "]";
}

Status check_input(const hone_session* s, size_t index, Value::Kind kind) {
  if (index >= s->inputs.size())
    return error(Code::invalid_argument, "input %zu does not exist: the engine has %zu", index,
                 s->inputs.size());
  const ValueType& want = input_value(s, index).type;
  if (kind != Value::Kind::none && want.kind != Value::Kind::none && want.kind != kind &&
      want.kind != Value::Kind::optional)
    return error(Code::invalid_argument, "input '%s' is a %s, the engine takes %s",
                 input_value(s, index).name.c_str(), kind == Value::Kind::tensor ? "tensor" : "sequence",
                 type_text(s, want).c_str());
  return {};
}

// A view of the caller's tensor; strings are copied. data may be null: then only the shape matters.
Result<Tensor> tensor_of(const hone_tensor* given) {
  const hone_tensor t = capi::take(given);
  const int number = enum_number(t.dtype);
  const DType d = dtype_from_number(number);
  if (d == DType::none) return error(Code::invalid_argument, "unknown element type %d", number);
  if (t.rank < 0 || t.rank > max_rank)
    return error(Code::invalid_argument, "rank %d is outside 0..%d", t.rank, max_rank);
  const Shape shape(std::span<const Dim>(t.dims, static_cast<size_t>(t.rank)));
  HONE_TRY(const int64_t n, checked_elements(shape));
  if (d == DType::string) {
    HONE_TRY(Tensor copy, Tensor::allocate(d, shape));
    if (!t.data) return copy;
    if (t.bytes != static_cast<size_t>(n) * sizeof(hone_text))
      return error(Code::invalid_argument,
                   "%zu bytes given, a string tensor of shape %s has %lld hone_text of %zu bytes", t.bytes,
                   shape.str().c_str(), static_cast<long long>(n), sizeof(hone_text));
    const auto* texts = static_cast<const hone_text*>(t.data);
    for (int64_t i = 0; i < n; i++) copy.data<std::string>()[i].assign(texts[i].data, texts[i].size);
    return copy;
  }
  if (t.data && t.bytes != static_cast<size_t>(dtype_bytes(d, n)))
    return error(Code::invalid_argument, "%zu bytes given, %s%s has %lld", t.bytes, dtype_name(d),
                 shape.str().c_str(), static_cast<long long>(dtype_bytes(d, n)));
  return Tensor::view(nullptr, t.data, d, shape);
}

// Types and known dimensions of an input, with the input's name in the message.
Status fits(const hone_session* s, size_t index, const Tensor& t) {
  const ProgramValue& want = input_value(s, index);
  const ValueType* type = &want.type;
  while (type->kind != Value::Kind::tensor && type->element) type = type->element.get();
  if (type->kind != Value::Kind::tensor) return {};
  bool same = t.dtype() == type->dtype;
  if (type->shape.ranked() && want.type.kind != Value::Kind::sequence) {
    same = same && t.shape().rank() == type->shape.rank();
    for (size_t i = 0; same && i < t.shape().size(); i++)
      same = !known(type->shape[i]) || type->shape[i] == t.shape()[i];
  }
  if (same) return {};
  return error(
      Code::invalid_argument, "input '%s' is %s%s, the engine takes %s%s%s", want.name.c_str(),
      dtype_name(t.dtype()), t.shape().str().c_str(), type_text(s, *type).c_str(),
      t.dtype() == type->dtype ? "" : ": convert it",
      t.dtype() == type->dtype && type->shape.all_known() ? "; to run other shapes, build with --shape" : "");
}

hone_tensor describe(const TensorView& t, std::vector<hone_text>& texts) {
  hone_tensor out{};
  out.kind = HONE_TENSOR;
  out.dtype = static_cast<hone_dtype>(t.dtype);
  out.rank = t.shape.rank();
  std::copy(t.shape.begin(), t.shape.end(), out.dims);
  out.data = t.bytes;
  out.bytes = static_cast<size_t>(t.byte_size());
  if (t.dtype == DType::string) {
    texts.clear();
    const auto* strings = t.data<std::string>();
    for (int64_t i = 0, n = t.elements(); i < n; i++) texts.push_back({strings[i].data(), strings[i].size()});
    out.data = texts.data();
    out.bytes = texts.size() * sizeof(hone_text);
  }
  return out;
}

// An optional's content in its place.
const Value& inner(const Value& v) {
  static const Value none;
  if (v.kind != Value::Kind::optional) return v;
  return v.items && !v.items->empty() ? v.items->front() : none;
}

Result<const Value*> output_value(const hone_session* s, size_t index) {
  if (index >= s->session->outputs())
    return error(Code::invalid_argument, "output %zu does not exist: the engine has %zu", index,
                 s->session->outputs());
  if (!s->has_run)
    return error(Code::invalid_argument,
                 "there are no outputs: no run has succeeded since the last one began");
  return &inner(s->session->output(index));
}

Status give_value(hone_session* s, const Value& v, hone_tensor* to) {
  hone_tensor t{};
  if (v.kind == Value::Kind::tensor) {
    t = describe(v.tensor.view(), s->texts.emplace_back());
  } else if (v.kind == Value::Kind::sequence) {
    t.kind = HONE_SEQUENCE;
    t.dtype = static_cast<hone_dtype>(v.element);
    t.items = v.items->size();
  }
  return capi::give(t, to);
}

Status check_bound(const hone_session* s, bool with_data) {
  for (size_t i = 0; i < s->inputs.size(); i++)
    if (!s->bound[i] || (with_data && !s->has_data[i]))
      return error(Code::invalid_argument, "input '%s' (%s) is not set", input_value(s, i).name.c_str(),
                   type_text(s, input_value(s, i).type).c_str());
  return {};
}
}  // namespace

hone_status* hone_session_create(const hone_engine* e, const hone_session_options* given,
                                 hone_session** out) {
  return guarded([&]() -> Status {
    if (!e || !out)
      return error(Code::invalid_argument, "hone_session_create: engine and session must not be NULL");
    const hone_session_options options = capi::take(given);
    auto s = std::make_unique<hone_session>();
    s->engine = e->engine;
    s->cancel = options.cancel;
    s->user = options.user;
    SessionOptions inner;
    inner.threads = options.threads;
    inner.pin = options.pin != 0;
    inner.memory = options.memory;
    inner.keep_all = options.keep_values != 0;
    if (options.cancel) inner.cancelled = [raw = s.get()] { return raw->cancel(raw->user) != 0; };
    HONE_TRY(s->session, Session::create(e->engine, inner));
    s->session->set_profiling(options.profile != 0);
    s->inputs.resize(hone_engine_input_count(e));
    s->bound.resize(s->inputs.size());
    s->has_data.resize(s->inputs.size());
    *out = s.release();
    return {};
  });
}

void hone_session_free(hone_session* s) { delete s; }

hone_status* hone_session_set_input(hone_session* s, size_t index, const hone_tensor* tensor) {
  return guarded([&]() -> Status {
    const hone_tensor t = capi::take(tensor);
    Value v;
    bool has_data = true;
    if (enum_number(t.kind) == HONE_ABSENT) {
      HONE_CHECK(check_input(s, index, Value::Kind::none));
      if (input_value(s, index).type.kind != Value::Kind::optional)
        return error(Code::invalid_argument, "input '%s' is not optional (set the tensor's kind)",
                     input_value(s, index).name.c_str());
      v.kind = Value::Kind::optional;
    } else {
      if (enum_number(t.kind) != HONE_TENSOR)
        return error(Code::invalid_argument, "input %zu: give sequences to hone_session_set_input_sequence",
                     index);
      HONE_CHECK(check_input(s, index, Value::Kind::tensor));
      auto bound = tensor_of(tensor);
      if (!bound) return in("input '" + input_value(s, index).name + "'", bound.take_error());
      HONE_CHECK(fits(s, index, *bound));
      v = Value(*bound);
      has_data = t.data || bound->elements() == 0;
      if (input_value(s, index).type.kind == Value::Kind::optional) {
        Value optional;
        optional.kind = Value::Kind::optional;
        optional.items = std::make_shared<std::vector<Value>>(1, v);
        v = optional;
      }
    }
    s->inputs[index] = std::move(v);
    s->bound[index] = true;
    s->has_data[index] = has_data;
    return {};
  });
}

hone_status* hone_session_set_input_sequence(hone_session* s, size_t index, const hone_tensor* items,
                                             size_t item_count) {
  return guarded([&]() -> Status {
    HONE_CHECK(check_input(s, index, Value::Kind::sequence));
    std::vector<Value> values;
    const ValueType& want = input_value(s, index).type;
    DType element = want.element ? want.element->dtype : DType::none;
    for (size_t i = 0; i < item_count; i++) {
      // The caller's structs lie as far apart as the caller's size says.
      const auto* item =
          reinterpret_cast<const hone_tensor*>(reinterpret_cast<const char*>(items) + i * items->size);
      HONE_TRY(Tensor t, tensor_of(item));
      HONE_CHECK(fits(s, index, t));
      element = t.dtype();
      values.emplace_back(std::move(t));
    }
    s->inputs[index] = Value::sequence(element, std::move(values));
    s->bound[index] = s->has_data[index] = true;
    return {};
  });
}

hone_status* hone_session_prepare(hone_session* s) {
  return guarded([&]() -> Status {
    HONE_CHECK(check_bound(s, false));
    std::vector<Shape> shapes;
    for (const Value& v : s->inputs)
      shapes.push_back(v.kind == Value::Kind::tensor ? v.tensor.shape() : Shape{});
    s->has_run = false;
    return s->session->prepare(shapes);
  });
}

hone_status* hone_session_run(hone_session* s) {
  return guarded([&]() -> Status {
    HONE_CHECK(check_bound(s, true));
    s->has_run = false;
    s->texts.clear();
    HONE_CHECK(s->session->run(s->inputs));
    s->has_run = true;
    return {};
  });
}

hone_status* hone_session_output(hone_session* s, size_t index, hone_tensor* tensor) {
  return guarded([&]() -> Status {
    HONE_TRY(const Value* v, output_value(s, index));
    return give_value(s, *v, tensor);
  });
}

hone_status* hone_session_output_item(hone_session* s, size_t index, size_t item, hone_tensor* tensor) {
  return guarded([&]() -> Status {
    HONE_TRY(const Value* v, output_value(s, index));
    if (v->kind != Value::Kind::sequence || item >= v->items->size())
      return error(Code::invalid_argument, "output %zu has no item %zu", index, item);
    return give_value(s, inner((*v->items)[item]), tensor);
  });
}

hone_status* hone_session_value(hone_session* s, const char* name, hone_tensor* tensor) {
  return guarded([&]() -> Status {
    if (!s->has_run) return error(Code::invalid_argument, "hone_session_value: run the session first");
    const auto& values = s->engine->program().program->values;
    for (size_t i = 0; i < values.size(); i++) {
      if (values[i].name != name) continue;
      HONE_TRY(s->value, s->session->copy_value(static_cast<int>(i)));
      return capi::give(describe(s->value.view(), s->value_texts), tensor);
    }
    return error(Code::not_found, "the engine has no value '%s'", name);
  });
}

hone_status* hone_session_memory(const hone_session* s, hone_memory* memory) {
  return guarded([&]() -> Status {
    const SessionMemory use = s->session->memory();
    hone_memory m{};
    m.arena_bytes = use.arena.peak;
    m.tensors_bytes = use.arena.sum;
    m.lower_bound_bytes = use.arena.lower_bound;
    m.weights_bytes = s->engine->constant_bytes();
    m.packed_bytes = s->engine->packed_bytes().made;
    m.prepacked_bytes = s->engine->packed_bytes().ready;
    return capi::give(m, memory);
  });
}

int hone_session_threads(const hone_session* s) { return s->session->threads(); }

size_t hone_session_step_count(hone_session* s) {
  try {
    s->steps = s->session->profile();
  } catch (...) { s->steps.clear(); }
  return s->steps.size();
}

hone_status* hone_session_step(hone_session* s, size_t index, hone_step* step) {
  return guarded([&]() -> Status {
    if (index >= s->steps.size())
      return error(Code::invalid_argument,
                   "step %zu of %zu (hone_session_step_count says how many there are)", index,
                   s->steps.size());
    const StepProfile& p = s->steps[index];
    hone_step out{};
    out.name = p.name.c_str();
    out.op = p.op.c_str();
    out.tactic = p.tactic.c_str();
    out.ms = p.ms;
    out.flops = p.flops;
    return capi::give(out, step);
  });
}

// A plugin whose operators do all that plugin.h offers, for plugin_test.cc.
#include <atomic>
#include <cctype>
#include <cstring>
#include <string>

#include "hone/plugin.h"

namespace {

using Call = hone_plugin_call;

template <class T>
const T* in(const Call* c, size_t i) {
  return static_cast<const T*>(c->inputs[i].data);
}
template <class T>
T* out(const Call* c, size_t i) {
  return static_cast<T*>(c->output_data[i]);
}

int same(Call* c) {
  for (size_t i = 0; i < c->output_count; i++) c->outputs[i] = c->inputs[0];
  return 0;
}
int scalar_i64(Call* c, size_t i, int64_t n) {
  c->outputs[i].dtype = HONE_I64;
  c->outputs[i].rank = 1;
  c->outputs[i].dims[0] = n;
  return 0;
}

// y = x * factor, of f32, f64 or i32.
template <class T>
void scale(const Call* c, double factor) {
  for (size_t k = 0; k < c->inputs[0].bytes / sizeof(T); k++)
    out<T>(c, 0)[k] = static_cast<T>(static_cast<double>(in<T>(c, 0)[k]) * factor);
}
int run_scale(Call* c) {
  float factor = 0;
  if (!c->host->attr_float(c, "factor", &factor)) return c->host->fail(c, "factor is absent");
  if (c->inputs[0].dtype == HONE_F32) scale<float>(c, factor);
  else if (c->inputs[0].dtype == HONE_F64) scale<double>(c, factor);
  else if (c->inputs[0].dtype == HONE_I32) scale<int32_t>(c, factor);
  else return c->host->fail(c, "element type %s", "unknown");
  return 0;
}

// Every kind of attribute as a text: "7 0.5 plain 1,2 0.25,0.5 a,b f32[2]:3,4".
int run_attributes(Call* c) {
  std::string s;
  int64_t i = 0;
  float f = 0;
  hone_text t{};
  const int64_t* ints = nullptr;
  const float* floats = nullptr;
  size_t n = 0;
  hone_tensor tensor{};
  const auto* h = c->host;
  s += h->attr_int(c, "i", &i) ? std::to_string(i) : "-";
  s += h->attr_float(c, "f", &f) ? " " + std::to_string(f).substr(0, 3) : " -";
  s += h->attr_text(c, "s", 0, &t) ? " " + std::string(t.data, t.size) : " -";
  s += h->attr_text(c, "s", 1, &t) ? " ?" : " ";
  if (h->attr_ints(c, "is", &ints, &n))
    for (size_t k = 0; k < n; k++) s += std::to_string(ints[k]) + ",";
  s += " ";
  if (h->attr_floats(c, "fs", &floats, &n))
    for (size_t k = 0; k < n; k++) s += std::to_string(floats[k]).substr(0, 4) + ",";
  s += " ";
  for (size_t k = 0; h->attr_text(c, "ss", k, &t); k++) s += std::string(t.data, t.size) + ",";
  s += " ";
  if (h->attr_tensor(c, "t", &tensor))
    s += std::to_string(tensor.rank) + ":" +
         std::to_string(static_cast<const float*>(tensor.data)[tensor.dims[0] - 1]).substr(0, 3);
  // Asked for as what they are not.
  if (h->attr_int(c, "f", &i) || h->attr_float(c, "nothing", &f) || h->attr_ints(c, "fs", &ints, &n))
    s += "!";
  return c->host->set_text(c, 0, 0, s.data(), s.size());
}
int infer_text(Call* c) {
  c->outputs[0].dtype = HONE_STRING;
  c->outputs[0].rank = 1;
  c->outputs[0].dims[0] = 1;
  return 0;
}

int run_upper(Call* c) {
  const auto* texts = in<hone_text>(c, 0);
  for (size_t k = 0; k < c->inputs[0].bytes / sizeof(hone_text); k++) {
    std::string s(texts[k].data, texts[k].size);
    for (char& x : s) x = static_cast<char>(std::toupper(static_cast<unsigned char>(x)));
    if (c->host->set_text(c, 0, k, s.data(), s.size())) return 1;
  }
  return 0;
}

// The positive elements, and where they stand: how many depends on the data.
int infer_positive(Call* c) {
  c->outputs[0] = c->inputs[0];
  c->outputs[0].rank = 1;
  c->outputs[0].dims[0] = -1;
  return c->output_count > 1 ? scalar_i64(c, 1, -1) : 0;
}
int run_positive(Call* c) {
  const auto* x = in<float>(c, 0);
  const size_t n = c->inputs[0].bytes / sizeof *x;
  int64_t count = 0;
  for (size_t k = 0; k < n; k++) count += x[k] > 0;
  auto* y = static_cast<float*>(c->host->make_output(c, 0, HONE_F32, 1, &count));
  auto* at =
      c->output_count > 1 ? static_cast<int64_t*>(c->host->make_output(c, 1, HONE_I64, 1, &count)) : nullptr;
  if (!y || (c->output_count > 1 && !at)) return 1;
  for (size_t k = 0, m = 0; k < n; k++) {
    if (!(x[k] > 0)) continue;
    if (at) at[m] = static_cast<int64_t>(k);
    y[m++] = x[k];
  }
  return 0;
}

// y[k] = x, as often as input 1 says: a shape that a constant makes static.
int infer_repeat(Call* c) {
  c->outputs[0].dtype = c->inputs[0].dtype;
  c->outputs[0].rank = 1;
  c->outputs[0].dims[0] = c->inputs[1].data ? *in<int64_t>(c, 1) : -1;
  return 0;
}
int run_repeat(Call* c) {
  const int64_t n = *in<int64_t>(c, 1);
  auto* y = static_cast<float*>(c->host->make_output(c, 0, HONE_F32, 1, &n));
  for (int64_t k = 0; y && k < n; k++) y[k] = *in<float>(c, 0);
  return y == nullptr;
}

// All inputs added.
int run_sum(Call* c) {
  for (size_t k = 0; k < c->outputs[0].bytes / sizeof(float); k++) {
    out<float>(c, 0)[k] = 0;
    for (size_t i = 0; i < c->input_count; i++) out<float>(c, 0)[k] += in<float>(c, i)[k];
  }
  return 0;
}

// Least and greatest: writes both, whether wanted or not.
int infer_extremes(Call* c) {
  for (size_t i = 0; i < c->output_count; i++) {
    c->outputs[i].dtype = c->inputs[0].dtype;
    c->outputs[i].rank = 0;
  }
  return 0;
}
int run_extremes(Call* c) {
  float low = 1e30f, high = -1e30f;
  for (size_t k = 0; k < c->inputs[0].bytes / sizeof(float); k++) {
    low = in<float>(c, 0)[k] < low ? in<float>(c, 0)[k] : low;
    high = in<float>(c, 0)[k] > high ? in<float>(c, 0)[k] : high;
  }
  *out<float>(c, 0) = low;
  *out<float>(c, 1) = high;
  return 0;
}

// States made and destroyed so far, and the runs of this one: i64[3].
std::atomic<int64_t> made, destroyed;
struct State {
  int64_t runs = 0;
  std::atomic<bool> busy = false;
};
int create_tally(Call*, void** state) {
  made++;
  *state = new State;
  return 0;
}
void destroy_tally(void* state) {
  destroyed++;
  delete static_cast<State*>(state);
}
int run_tally(Call* c) {
  auto* s = static_cast<State*>(c->state);
  if (s->busy.exchange(true)) return c->host->fail(c, "two threads in one state");
  out<int64_t>(c, 0)[0] = made;
  out<int64_t>(c, 0)[1] = destroyed;
  out<int64_t>(c, 0)[2] = ++s->runs;
  s->busy = false;
  return 0;
}

int run_wait(Call* c) {
  while (!c->host->cancelled(c)) {}
  return c->host->fail(c, "cancelled");
}

constexpr hone_plugin_attr scale_attrs[] = {
    {"factor", HONE_PLUGIN_FLOAT, HONE_PLUGIN_DEFAULTED, 0, 2, nullptr}};
constexpr hone_plugin_attr all_attrs[] = {{"i", HONE_PLUGIN_INT, HONE_PLUGIN_DEFAULTED, 7, 0, nullptr},
                                          {"f", HONE_PLUGIN_FLOAT, HONE_PLUGIN_REQUIRED, 0, 0, nullptr},
                                          {"s", HONE_PLUGIN_TEXT, HONE_PLUGIN_DEFAULTED, 0, 0, "plain"},
                                          {"is", HONE_PLUGIN_INTS, HONE_PLUGIN_OPTIONAL, 0, 0, nullptr},
                                          {"fs", HONE_PLUGIN_FLOATS, HONE_PLUGIN_OPTIONAL, 0, 0, nullptr},
                                          {"ss", HONE_PLUGIN_TEXTS, HONE_PLUGIN_OPTIONAL, 0, 0, nullptr},
                                          {"t", HONE_PLUGIN_TENSOR, HONE_PLUGIN_OPTIONAL, 0, 0, nullptr}};

constexpr hone_plugin_op op(const char* name, int max_inputs, int max_outputs, int (*infer)(Call*),
                            int (*run)(Call*)) {
  hone_plugin_op o{};
  o.domain = "test";
  o.name = name;
  o.since_version = 2;
  o.min_inputs = 1;
  o.max_inputs = max_inputs;
  o.min_outputs = 1;
  o.max_outputs = max_outputs;
  o.infer = infer;
  o.run = run;
  return o;
}

}  // namespace

const hone_plugin* hone_plugin_entry(void) {
  static hone_plugin_op ops[] = {
      op("Scale", 1, 1, same, run_scale),
      op("Attributes", 1, 1, infer_text, run_attributes),
      op("Upper", 1, 1, same, run_upper),
      op("Positive", 1, 2, infer_positive, run_positive),
      op("Repeat", 2, 1, infer_repeat, run_repeat),
      op("Sum", -1, 1, same, run_sum),
      op("Extremes", 1, 2, infer_extremes, run_extremes),
      op(
          "Tally", 1, 1, [](Call* c) { return scalar_i64(c, 0, 3); }, run_tally),
      op("Wait", 1, 1, same, run_wait),
      op("Add", 2, 1, same, run_sum),  // the name of another domain's operator is no one's
  };
  ops[0].attrs = scale_attrs;
  ops[0].attr_count = 1;
  ops[0].flags = HONE_PLUGIN_PURE;
  ops[1].attrs = all_attrs;
  ops[1].attr_count = 7;
  ops[4].min_inputs = 2;
  ops[6].min_outputs = 2;
  ops[7].create = create_tally;
  ops[7].destroy = destroy_tally;
  ops[9].min_inputs = 2;
  static const hone_plugin plugin{HONE_PLUGIN_ABI, "good", sizeof ops / sizeof *ops, ops};
  return &plugin;
}

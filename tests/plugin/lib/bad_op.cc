// A plugin with an operator for each way to misbehave while inferring, running or keeping a state, for plugin_test.cc.
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

#include "hone/plugin.h"

namespace {

using Call = hone_plugin_call;

int same(Call* c) {
  for (size_t i = 0; i < c->output_count; i++) c->outputs[i] = c->inputs[0];
  return 0;
}
int nothing(Call*) { return 0; }

template <int64_t first, int64_t second>
int dims(Call* c) {
  c->outputs[0].dtype = HONE_F32;
  c->outputs[0].rank = 2;
  c->outputs[0].dims[0] = first;
  c->outputs[0].dims[1] = second;
  return 0;
}
template <int rank>
int ranked(Call* c) {
  same(c);
  c->outputs[0].rank = rank;
  return 0;
}
template <int dtype>
int typed(Call* c) {
  same(c);
  c->outputs[0].dtype = static_cast<hone_dtype>(dtype);
  return 0;
}
template <int dtype, int rank, int64_t first, int64_t second>
int make(Call* c) {
  const int64_t d[] = {first, second};
  return c->host->make_output(c, 0, static_cast<hone_dtype>(dtype), rank, d) == nullptr;
}
int make_in_infer(Call* c) {
  same(c);
  const int64_t d = 1;
  c->host->make_output(c, 0, HONE_F32, 1, &d);
  return 0;
}
int make_beyond(Call* c) {
  const int64_t d = 1;
  c->host->make_output(c, 7, HONE_F32, 1, &d);
  return 0;  // the refusal counts all the same
}
int text_beyond(Call* c) { return c->host->set_text(c, 0, 0, "x", 1); }
int fails(Call* c) { return c->host->fail(c, "%s is not what I like", "this"); }
int silent(Call*) { return 7; }
int throws(Call*) { throw std::runtime_error("something broke"); }
int throws_int(Call*) { throw 42; }
int out_of_memory(Call*) { throw std::bad_alloc(); }
int more_outputs(Call* c) {
  same(c);
  c->output_count = 1000;
  return 0;
}
int lie_and_make(Call* c) {
  c->output_count = 1000;
  const int64_t d = 1;
  return c->host->make_output(c, 500, HONE_F32, 1, &d) == nullptr;
}
int lie_and_copy(Call* c) {
  c->input_count = 1 << 20;
  dims<-7, 3>(c);
  return 0;
}
int create_fails(Call* c, void**) { return c->host->fail(c, "no state today"); }
int create_throws(Call*, void**) { throw std::logic_error("state broke"); }
int create(Call*, void**) { return 0; }
void destroy(void*) {}
void destroy_throws(void*) { throw std::runtime_error("destroy broke"); }
int zero(Call* c) {
  for (size_t k = 0; k < c->outputs[0].bytes; k++) static_cast<char*>(c->output_data[0])[k] = 0;
  return 0;
}

hone_plugin_op op(const char* name, int (*infer)(Call*), int (*run)(Call*),
                  int (*create)(Call*, void**) = nullptr, void (*destroy)(void*) = nullptr) {
  hone_plugin_op o{};
  o.domain = "bad";
  o.name = name;
  o.since_version = o.min_inputs = o.max_inputs = o.min_outputs = o.max_outputs = 1;
  o.infer = infer;
  o.run = run;
  o.create = create;
  o.destroy = destroy;
  return o;
}

constexpr int64_t most = std::numeric_limits<int64_t>::max();

}  // namespace

const hone_plugin* hone_plugin_entry(void) {
  static hone_plugin_op ops[] = {
      op("InferFails", fails, zero),
      op("InferSilent", silent, zero),
      op("InferThrows", throws, zero),
      op("InferThrowsInt", throws_int, zero),
      op("InferUnset", nothing, zero),
      op("InferMinusTwo", dims<-2, 3>, zero),
      op("InferLeast", dims<std::numeric_limits<int64_t>::min(), 3>, zero),
      op("InferHuge", dims<most, 3>, zero),
      op("InferOverflow", dims<(int64_t{1} << 32), (int64_t{1} << 32)>, zero),
      op("InferRank13", ranked<13>, zero),
      op("InferRankMinus2", ranked<-2>, zero),
      op("InferType99", typed<99>, zero),
      op("InferMoreOutputs", more_outputs, zero),
      op("InferMakes", make_in_infer, zero),
      op("InferLies", lie_and_copy, zero),
      op("RunLies", same, lie_and_make),
      op("RunFails", same, fails),
      op("PureRunFails", same, fails),
      op("RunSilent", same, silent),
      op("RunThrows", same, throws),
      op("RunThrowsInt", same, throws_int),
      op("RunOutOfMemory", same, out_of_memory),
      op("RunMoreOutputs", same, more_outputs),
      op("RunMakesLess", dims<-1, 3>, nothing),
      op("RunOtherShape", dims<-1, 3>, make<HONE_F32, 2, 2, 4>),
      op("RunOtherRank", dims<-1, 3>, make<HONE_F32, 1, 3, 0>),
      op("RunOtherType", dims<-1, 3>, make<HONE_I64, 2, 2, 3>),
      op("RunKnownOtherwise", same, make<HONE_F32, 2, 5, 3>),
      op("RunNegative", dims<-1, 3>, make<HONE_F32, 2, -5, 3>),
      op("RunUnknown", dims<-1, 3>, make<HONE_F32, 2, -1, 3>),
      op("RunHuge", dims<-1, -1>, make<HONE_F32, 2, most, most>),
      op("RunRank13", ranked<-1>, make<HONE_F32, 13, 1, 1>),
      op("RunBeyond", same, make_beyond),
      op("RunTextBeyond", same, text_beyond),
      op("CreateFails", same, zero, create_fails, destroy),
      op("CreateThrows", same, zero, create_throws, destroy),
      op("DestroyThrows", same, zero, create, destroy_throws),
  };
  for (auto& o : ops)
    if (std::strncmp(o.name, "Pure", 4) == 0) o.flags = HONE_PLUGIN_PURE;
  static const hone_plugin plugin{HONE_PLUGIN_ABI, "bad", sizeof ops / sizeof *ops, ops};
  return &plugin;
}

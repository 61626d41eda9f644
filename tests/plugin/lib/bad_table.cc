// A plugin whose table is wrong in the way that the environment variable HONE_TEST_TABLE says, for plugin_test.cc.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "hone/plugin.h"

namespace {
int infer(hone_plugin_call* c) {
  c->outputs[0] = c->inputs[0];
  return 0;
}
int run(hone_plugin_call*) { return 0; }
int create(hone_plugin_call*, void**) { return 0; }
}  // namespace

const hone_plugin* hone_plugin_entry(void) {
  const char* given = std::getenv("HONE_TEST_TABLE");
  const std::string wrong = given ? given : "";
  static hone_plugin_attr attrs[2];
  static hone_plugin_op ops[2];
  static hone_plugin plugin;
  for (auto& a : attrs) a = {&a == attrs ? "a" : "b", HONE_PLUGIN_INT, HONE_PLUGIN_DEFAULTED, 1, 0, nullptr};
  for (auto& o : ops) {
    o = {};
    o.domain = "table";
    o.name = &o == ops ? "First" : "Second";
    o.since_version = o.min_inputs = o.max_inputs = o.min_outputs = o.max_outputs = 1;
    o.attrs = attrs;
    o.attr_count = 2;
    o.infer = infer;
    o.run = run;
  }
  plugin = {HONE_PLUGIN_ABI, "table", 2, ops};
  if (wrong == "abi") plugin.abi = HONE_PLUGIN_ABI + 1;
  if (wrong == "null") return nullptr;
  if (wrong == "throws") throw std::runtime_error("entry broke");
  if (wrong == "throws int") throw 42;
  if (wrong == "no ops") plugin.op_count = 0;
  if (wrong == "null ops") plugin.ops = nullptr;
  if (wrong == "many ops") plugin.op_count = ~size_t{0};
  if (wrong == "infer") ops[1].infer = nullptr;
  if (wrong == "run") ops[1].run = nullptr;
  if (wrong == "create") ops[1].create = create;
  if (wrong == "null name") ops[1].name = nullptr;
  if (wrong == "name") ops[1].name = "with space";
  if (wrong == "null domain") ops[1].domain = nullptr;
  if (wrong == "domain") ops[1].domain = "a/b";
  if (wrong == "standard") ops[1].domain = "", ops[1].name = "Relu";
  if (wrong == "standard alias") ops[1].domain = "ai.onnx", ops[1].name = "Relu";
  if (wrong == "standard new") ops[1].domain = "", ops[1].name = "Frobnicate";
  if (wrong == "standard ml") ops[1].domain = "ai.onnx.ml", ops[1].name = "Frobnicate";
  if (wrong == "internal") ops[1].domain = "hone", ops[1].name = "Frobnicate";
  if (wrong == "hone has it") ops[1].domain = "com.microsoft", ops[1].name = "QLinearAdd";
  if (wrong == "other has it") ops[1].domain = "test", ops[1].name = "Scale";
  if (wrong == "twice") ops[1].name = "First";
  if (wrong == "since") ops[1].since_version = 0;
  if (wrong == "inputs") ops[1].max_inputs = 0;
  if (wrong == "negative") ops[1].min_inputs = -5, ops[1].max_inputs = -1;
  if (wrong == "many inputs") ops[1].max_inputs = 1 << 30;
  if (wrong == "no outputs") ops[1].min_outputs = ops[1].max_outputs = 0;
  if (wrong == "flags") ops[1].flags = 6;
  if (wrong == "null attrs") ops[1].attrs = nullptr;
  if (wrong == "attr twice") attrs[1].name = "a";
  if (wrong == "attr name") attrs[1].name = nullptr;
  if (wrong == "attr type") attrs[1].type = static_cast<hone_plugin_attr_type>(99);
  if (wrong == "attr presence") attrs[1].presence = static_cast<hone_plugin_presence>(99);
  if (wrong == "attr default") attrs[1].type = HONE_PLUGIN_INTS;
  if (wrong == "attr text") attrs[1].type = HONE_PLUGIN_TEXT;
  return &plugin;
}

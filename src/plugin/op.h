// An operator of a plugin as an OpDef. What its functions do is checked as a stranger's input is: nothing they return or set
// is believed. What they write past the memory they are given cannot be seen.
#pragma once
#include <string>
#include <vector>

#include "hone/plugin.h"
#include "ops/op.h"

namespace hone {

// The texts and lists that OpDef points to are its own: the plugin's table is read once.
struct PluginOp : OpDef {
  hone_plugin_op table;
  std::string plugin;  // what messages call the library
  std::string domain_text, name_text, doc_text;
  std::vector<AttrDef> attr_list;
  std::vector<std::string> texts;  // names of attributes, and their defaults
  std::string where() const;       // "plugin 'acme.so', operator Scale of domain 'acme'"
};

// Checks an entry of a plugin's table. Errors name what is wrong with it, but neither plugin nor operator. `out` must be new
// and stay where it is.
Status make_op(const hone_plugin_op&, const std::string& plugin, PluginOp& out);

// Of every PluginOp: OpDef::infer and OpDef::reference.
Status infer_plugin(Infer&);
Status run_plugin(EvalContext&);

}  // namespace hone

#include <algorithm>
#include <cstring>

#include "base/enum_number.h"
#include "plugin/op.h"

namespace hone {
namespace {

constexpr int max_operands = 4096;  // that a table may ask for
constexpr size_t max_attrs = 1000, max_text = 200;

bool is_word(std::string_view s, std::string_view more) {
  return !s.empty() && s.size() <= max_text && std::all_of(s.begin(), s.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || more.find(c) != more.npos;
  });
}

Status check_counts(const char* what, int least, int most) {
  if (least >= 0 && least <= max_operands && most <= max_operands && (most >= least || most == -1)) return {};
  return error(Code::invalid_argument, "%d to %d %s are impossible", least, most, what);
}

Status read_attr(const hone_plugin_attr& a, PluginOp& op) {
  if (!a.name || !*a.name || std::strlen(a.name) > max_text)
    return error(Code::invalid_argument, "attribute %zu has no name, or one of more than %zu bytes",
                 op.attr_list.size(), max_text);
  const int type = enum_number(a.type), presence = enum_number(a.presence);
  if (type < HONE_PLUGIN_INT || type > HONE_PLUGIN_TENSOR)
    return error(Code::invalid_argument, "attribute '%s' is of type %d, which is none", a.name, type);
  if (presence < HONE_PLUGIN_OPTIONAL || presence > HONE_PLUGIN_DEFAULTED)
    return error(Code::invalid_argument, "attribute '%s' has presence %d, which is none", a.name, presence);
  if (presence == HONE_PLUGIN_DEFAULTED &&
      (type > HONE_PLUGIN_TEXT || (type == HONE_PLUGIN_TEXT && !a.default_text)))
    return error(Code::invalid_argument, "attribute '%s' has no default: only numbers and texts can have one",
                 a.name);
  for (const AttrDef& other : op.attr_list)
    if (std::strcmp(other.name, a.name) == 0)
      return error(Code::invalid_argument, "attribute '%s' is listed twice", a.name);
  static constexpr AttrType types[] = {AttrType::i,      AttrType::f,       AttrType::s,     AttrType::ints,
                                       AttrType::floats, AttrType::strings, AttrType::tensor};
  AttrDef d{nullptr, types[type - HONE_PLUGIN_INT]};
  d.presence = static_cast<AttrDef::Presence>(presence);
  d.i = a.default_int;
  d.f = a.default_float;
  op.texts.emplace_back(a.name);
  d.name = op.texts.back().c_str();
  op.texts.emplace_back(presence == HONE_PLUGIN_DEFAULTED && type == HONE_PLUGIN_TEXT ? a.default_text : "");
  d.s = op.texts.back().c_str();
  op.attr_list.push_back(d);
  return {};
}

static_assert(HONE_PLUGIN_OPTIONAL == static_cast<int>(AttrDef::optional) &&
              HONE_PLUGIN_REQUIRED == static_cast<int>(AttrDef::required) &&
              HONE_PLUGIN_DEFAULTED == static_cast<int>(AttrDef::defaulted));

}  // namespace

std::string PluginOp::where() const {
  return "plugin '" + plugin + "', operator " + name_text + " of domain '" + domain_text + "'";
}

Status make_op(const hone_plugin_op& t, const std::string& plugin, PluginOp& out) {
  out.table = t;
  out.plugin = plugin;
  if (!t.name || !is_word(t.name, ""))
    return error(Code::invalid_argument, "its name must be of letters, digits, '_' and '-'");
  out.name_text = t.name;
  if (!t.domain || (*t.domain && !is_word(t.domain, ".")))
    return error(Code::invalid_argument, "its domain must be of letters, digits, '_', '-' and '.'");
  out.domain_text = t.domain;
  out.doc_text = t.doc ? t.doc : "";
  if (t.since_version < 1)
    return error(Code::invalid_argument, "its since_version is %d; domains begin with version 1",
                 t.since_version);
  HONE_CHECK(check_counts("inputs", t.min_inputs, t.max_inputs));
  HONE_CHECK(check_counts("outputs", t.min_outputs, t.max_outputs));
  if (t.max_outputs == 0) return error(Code::invalid_argument, "it has no outputs");
  if (t.attr_count > max_attrs || (t.attr_count && !t.attrs))
    return error(Code::invalid_argument, "it claims %zu attributes%s; at most %zu are allowed", t.attr_count,
                 t.attrs ? "" : " but lists none", max_attrs);
  out.texts.reserve(2 * t.attr_count);  // AttrDef points into it
  for (size_t i = 0; i < t.attr_count; i++) HONE_CHECK(read_attr(t.attrs[i], out));
  if (t.flags & ~uint32_t{HONE_PLUGIN_PURE})
    return error(Code::unsupported, "its flags are %#x; known is %#x (HONE_PLUGIN_PURE)", t.flags,
                 static_cast<unsigned>(HONE_PLUGIN_PURE));
  if (!t.infer) return error(Code::invalid_argument, "its function infer is NULL");
  if (!t.run) return error(Code::invalid_argument, "its function run is NULL");
  if (!t.create != !t.destroy)
    return error(Code::invalid_argument, "its function %s is NULL; give both create and destroy, or neither",
                 t.create ? "destroy" : "create");
  out.name = out.name_text.c_str();
  out.domain = out.domain_text.c_str();
  out.doc = out.doc_text.c_str();
  out.min_inputs = t.min_inputs;
  out.max_inputs = t.max_inputs;
  out.min_outputs = t.min_outputs;
  out.max_outputs = t.max_outputs;
  out.attrs = out.attr_list;
  out.since = t.since_version;
  out.infer = infer_plugin;
  out.reference = run_plugin;
  out.pure = t.flags & HONE_PLUGIN_PURE;
  return {};
}

}  // namespace hone

#include "ir/match.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "ir/equal.h"
#include "ir/numbers.h"

namespace hone::ir {

struct Binding {
  std::unordered_map<const Value*, Value*> values;
  std::unordered_map<const Node*, Node*> nodes;
  std::map<std::string, const AttrValue*> attrs;  // null: absent
};

namespace {

bool about(double a, double b) {
  return a == b || std::abs(a - b) <= 2e-5 * std::max(std::abs(a), std::abs(b));
}

bool same_constant(const Tensor& pattern, const Tensor& t) {
  if (is_float(pattern.dtype()) != is_float(t.dtype())) return false;
  if (pattern.elements() != t.elements()) return false;
  if (pattern.elements() != 1 && pattern.shape() != t.shape()) return false;
  const auto a = numbers(pattern), b = numbers(t);
  return a && b && std::equal(a->begin(), a->end(), b->begin(), about);
}

bool same_attr(const AttrValue* pattern, const AttrValue* given) {
  if (!pattern || !given) return pattern == given;
  const auto *a = std::get_if<float>(pattern), *b = std::get_if<float>(given);
  return a && b ? about(*a, *b) : equal(*pattern, *given);
}

Status bad(const Rule& rule, const char* what) {
  return error(Code::internal, "rule %s: %s", rule.name, what);
}

}  // namespace

Result<Rewriter> Rewriter::compile(const Rule& rule) {
  Rewriter r;
  r.rule_ = &rule;
  const std::string text = rule.text;
  const size_t arrow = text.find("=>");
  if (arrow == text.npos) return bad(rule, "no => in its text").take_error();
  std::vector<AttrCapture> captures, other;
  auto pattern = parse_statements(text.substr(0, arrow), {.captures = &captures, .free_names = true});
  if (!pattern) return in(std::string("pattern of rule ") + rule.name, pattern.take_error());
  r.pattern_ = *pattern;
  r.replacement_ = text.substr(arrow + 2);
  auto replacement = parse_statements(r.replacement_, {.captures = &other, .free_names = true});
  if (!replacement) return in(std::string("replacement of rule ") + rule.name, replacement.take_error());
  for (const AttrCapture& c : captures) r.captures_[c.node][c.attr] = c.name;
  const auto nodes = r.pattern_->nodes();
  if (nodes.empty()) return bad(rule, "its pattern has no node").take_error();
  r.root_ = nodes.back();
  for (const Node* n : nodes)
    if (n->op->commutative) r.commutative_.push_back(n);
  if (r.commutative_.size() > 8)
    return bad(rule, "its pattern has more than 8 commutative nodes").take_error();
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it)
    for (const Value* v : (*it)->outputs)
      if (v && (*replacement)->find(v->name) && (*replacement)->find(v->name)->producer)
        r.replaced_.push_back(v->name);
  if (r.replaced_.empty() || r.pattern_->find(r.replaced_[0])->producer != r.root_)
    return bad(rule, "its replacement does not define what its pattern's last statement does").take_error();
  return r;
}

bool Rewriter::match_value(const Value* pattern, Value* v, unsigned flips, Binding& b) const {
  if (!pattern || !v) return !pattern && !v;
  auto [it, is_new] = b.values.emplace(pattern, v);
  if (!is_new) return it->second == v;
  if (pattern->is_input) return true;
  if (pattern->is_constant()) return v->is_constant() && same_constant(pattern->constant, v->constant);
  return v->producer && v->output_index == pattern->output_index &&
         match_node(pattern->producer, v->producer, flips, b);
}

bool Rewriter::match_node(const Node* pattern, Node* n, unsigned flips, Binding& b) const {
  auto [it, is_new] = b.nodes.emplace(pattern, n);
  if (!is_new) return it->second == n;
  if (n->op != pattern->op || n->graph != b.nodes.at(root_)->graph) return false;
  const auto captures = captures_.find(pattern);
  for (const AttrDef& d : n->op->attrs) {
    const AttrValue* given = n->attrs.find(d.name);
    if (captures != captures_.end()) {
      if (auto c = captures->second.find(d.name); c != captures->second.end()) {
        auto [at, first] = b.attrs.emplace(c->second, given);
        if (!first && !same_attr(at->second, given)) return false;
        continue;
      }
    }
    if (!same_attr(pattern->attrs.find(d.name), given)) return false;
  }
  const size_t count = std::max(pattern->inputs.size(), n->inputs.size());
  const auto position = std::find(commutative_.begin(), commutative_.end(), pattern) - commutative_.begin();
  const bool flip = position < static_cast<ptrdiff_t>(commutative_.size()) && (flips >> position & 1);
  for (size_t i = 0; i < count; i++) {
    const size_t j = flip && i < 2 ? 1 - i : i;
    if (!match_value(i < pattern->inputs.size() ? pattern->inputs[i] : nullptr,
                     j < n->inputs.size() ? n->inputs[j] : nullptr, flips, b))
      return false;
  }
  for (size_t i = 0; i < n->outputs.size(); i++)
    if (n->outputs[i] && !n->outputs[i]->dead() && (i >= pattern->outputs.size() || !pattern->outputs[i]))
      return false;
  return true;
}

std::optional<Match> Rewriter::match(Node* root) const {
  if (root->erased || root->op != root_->op) return std::nullopt;
  for (unsigned flips = 0; flips < 1u << commutative_.size(); flips++) {
    Binding b;
    if (!match_node(root_, root, flips, b)) continue;
    bool closed = b.nodes.size() == pattern_->nodes().size();
    std::vector<Node*> matched;
    for (const Node* p : pattern_->nodes())
      if (b.nodes.count(p)) matched.push_back(b.nodes.at(p));
    for (const auto& [pattern, v] : b.values) {
      if (!pattern->producer || std::count(replaced_.begin(), replaced_.end(), pattern->name)) continue;
      closed = closed && v->outputs == 0 && std::all_of(v->uses.begin(), v->uses.end(), [&](const Use& u) {
                 return std::find(matched.begin(), matched.end(), u.node) != matched.end();
               });
    }
    if (!closed) continue;
    Match m;
    m.nodes = std::move(matched);
    for (const auto& [pattern, v] : b.values) m.values[pattern->name] = v;
    for (const Value* v : root_->outputs)
      if (v) m.values[v->name] = root->outputs[static_cast<size_t>(v->output_index)];
    for (const auto& [name, value] : b.attrs)
      if (value) m.attrs.set(name, *value);
    if (!rule_->where || rule_->where(m)) return m;
  }
  return std::nullopt;
}

Result<int> Rewriter::apply(Graph& g, Log* log) const {
  int count = 0;
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  for (Node* n : order) {
    auto m = match(n);
    if (!m) continue;
    Patch p(g, rule_->name, "matched its pattern");
    if (rule_->build) HONE_CHECK(rule_->build(p, *m));
    auto body = parse_statements(replacement_, {.bindings = &m->attrs, .free_names = true});
    if (!body) return in(std::string("replacement of rule ") + rule_->name, body.take_error());
    std::vector<Value*> args, wanted;
    for (const Value* v : (*body)->inputs()) {
      args.push_back(m->value(v->name));
      if (!args.back())
        return error(Code::internal, "rule %s: %%%s is bound by nothing", rule_->name, v->name.c_str());
    }
    for (const std::string& name : replaced_) wanted.push_back((*body)->find(name));
    // Constants written in a replacement are float32: it stands for nothing else.
    const bool float_constants = std::ranges::any_of((*body)->values(), [](const Value* v) {
      return v->is_constant() && v->constant.dtype() == DType::f32;
    });
    if (float_constants && m->value(replaced_[0])->type.dtype != DType::f32) continue;
    const std::vector<Value*> made = p.add_graph(**body, args, wanted);
    for (size_t i = 0; i < made.size(); i++) p.replace(m->value(replaced_[i]), made[i]);
    if (!p.check()) continue;
    HONE_CHECK(p.apply(log));
    count++;
  }
  return count;
}

}  // namespace hone::ir

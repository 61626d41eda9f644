// The one text syntax of graphs: dumps, golden tests, rewrite rules and operator bodies.
//
//   graph @name(%x: f32[1,3,N,224], %k: i64[2]) -> (%y) {
//     meta "producer" = "pytorch"
//     %w = const f32[2,2] {1, 2, 3, 4}
//     %big = const f32[64,3,7,7] @0                         // elided: element 0 of a table given beside the
//     text %y: f32[1,2] = Conv(%x, %w, _) {strides=[2,2], auto_pad="VALID", activation_alpha=0.5} "node name"
//     by "rule;rule" %a, _ = Split(%y) {axis=1} %z = If(%c) {else_branch=graph @e() -> (%p) { ... },
//     then_branch=graph @t() -> (%q) { ... }}
//   }
//
// _ is an absent input or an output that nobody wants. A name with other characters than letters, digits and
// ._/- is quoted:
// %"a b". Dimensions: a number, ? (unknown), a symbol's name; [*] is an unranked shape. Types: f32[2],
// seq(f32[?]), opt(i64[]), ? (not known). Attributes that equal their default are not printed. Operators of
// other domains carry it: com.microsoft.QLinearAdd. Elements of types that C++ lacks are hexadecimal bit
// patterns. // begins a comment. Values stand before their uses.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace hone::ir {

struct PrintOptions {
  int64_t max_elements = 32;             // constants with more are elided
  std::vector<Tensor>* table = nullptr;  // receives the elided ones
};
// Parsing the text gives a graph that prints the same (elided constants: with the table). Needs an acyclic
// graph; the nodes of a cyclic one come in order of insertion.
std::string print(const Graph&, const PrintOptions& = {});
std::string print(const Node&, const PrintOptions& = {});  // one statement

// An attribute written as $name.
struct AttrCapture {
  Node* node;
  std::string attr, name;
};
struct ParseOptions {
  std::span<const Tensor> table = {};
  const Attrs* bindings = nullptr;  // what $name stands for (an absent one leaves the attribute absent)
  std::vector<AttrCapture>* captures = nullptr;  // or: $name is recorded here and left unbound
  bool free_names = false;  // a name that is not defined becomes an input of the (outermost) graph
};
// Any text is safe to parse. Errors begin with line:column. The result is structurally sound (verify() the
// rest), its attributes are bound, its types are those written: call infer() for the others.
Result<std::shared_ptr<Graph>> parse_graph(std::string_view text, const ParseOptions& = {});
// Statements alone, without the "graph @name(...)" around them; the graph gets no outputs.
Result<std::shared_ptr<Graph>> parse_statements(std::string_view text, const ParseOptions& = {});

}  // namespace hone::ir

#include "import/onnx/order.h"

#include <functional>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "import/onnx/library.h"

namespace hone::onnx {
namespace {

// Names that a nested graph takes from outside.
void free_names(const GraphP& g, std::vector<Text>& out) {
  std::unordered_set<Text> own;
  for (const auto& v : g.inputs) own.insert(v.name);
  for (const auto& t : g.initializers) own.insert(t.name);
  for (const auto& t : g.sparse_initializers) own.insert(t.values.name);
  for (const auto& n : g.nodes) own.insert(n.outputs.begin(), n.outputs.end());
  const auto take = [&](Text name) {
    if (!name.empty() && !own.contains(name)) out.push_back(name);
  };
  for (const auto& n : g.nodes) {
    for (const Text name : n.inputs) take(name);
    for (const auto& a : n.attributes) {
      if (!a.g) continue;
      std::vector<Text> inner;
      free_names(*a.g, inner);
      for (const Text name : inner) take(name);
    }
  }
  for (const auto& v : g.outputs) take(v.name);
}

}  // namespace

Result<std::vector<size_t>> build_order(const std::vector<NodeP>& nodes, bool& reordered) {
  std::unordered_map<Text, size_t> maker;
  for (size_t i = 0; i < nodes.size(); i++)
    for (const Text name : nodes[i].outputs)
      if (!name.empty()) maker.emplace(name, i);  // a second one is refused when it is built

  std::vector<std::vector<size_t>> needs(nodes.size());
  reordered = false;
  for (size_t i = 0; i < nodes.size(); i++) {
    std::vector<Text> names = nodes[i].inputs;
    for (const auto& a : nodes[i].attributes)
      if (a.g) free_names(*a.g, names);
    for (const Text name : names) {
      const auto it = maker.find(name);
      if (it == maker.end()) continue;
      needs[i].push_back(it->second);
      reordered = reordered || it->second >= i;
    }
  }
  std::vector<size_t> order;
  if (!reordered) {
    for (size_t i = 0; i < nodes.size(); i++) order.push_back(i);
    return order;
  }

  std::vector<std::vector<size_t>> users(nodes.size());
  std::vector<size_t> missing(nodes.size());
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>>
      ready;  // the file's order wherever it is free
  for (size_t i = 0; i < nodes.size(); i++) {
    for (const size_t n : needs[i]) users[n].push_back(i);
    missing[i] = needs[i].size();
    if (!missing[i]) ready.push(i);
  }
  while (!ready.empty()) {
    const size_t i = ready.top();
    ready.pop();
    order.push_back(i);
    for (const size_t user : users[i])
      if (--missing[user] == 0) ready.push(user);
  }
  if (order.size() == nodes.size()) return order;

  // What is left is in a cycle or behind one: going back from any of it ends in a cycle.
  size_t at = 0;
  while (!missing[at]) at++;
  for (size_t step = 0; step < nodes.size(); step++)
    for (const size_t n : needs[at])
      if (missing[n]) {
        at = n;
        break;
      }
  return error(Code::corrupt, "node %s depends on its own output: the graph has a cycle",
               label(nodes[at]).c_str());
}

}  // namespace hone::onnx

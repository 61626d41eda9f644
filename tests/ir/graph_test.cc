#include "ir/graph.h"

#include <gtest/gtest.h>

namespace hone::ir {
namespace {

Node* relu(Graph& g, Value* x, std::string name = "") {
  return g.add_node(*find_op("Relu"), {x}, {}, 1, std::move(name));
}

const ValueType f32_13(DType::f32, Shape{1, 3});

TEST(Graph, NamesAreUniqueAcrossTheModel) {
  Graph g;
  Value* x = g.add_input("x", f32_13);
  Value* y = g.add_input("x", f32_13);
  EXPECT_EQ(x->name, "x");
  EXPECT_NE(y->name, "x");
  auto nested = std::make_shared<Graph>();
  Value* inner = nested->add_input("x", f32_13);
  nested->add_output(inner);
  Attrs attrs;
  attrs.set("body", SubgraphPtr(nested));
  g.add_node(*find_op("Relu"), {x}, attrs);
  EXPECT_NE(inner->name, "x");
  EXPECT_EQ(nested->find(inner->name), inner);
  EXPECT_EQ(nested->parent, &g);
}

TEST(Graph, ReplaceUsesMovesUsesAndOutputs) {
  Graph g;
  Value* x = g.add_input("x", f32_13);
  Value* a = relu(g, x)->outputs[0];
  Node* second = relu(g, a);
  g.add_output(a);
  Value* b = relu(g, x)->outputs[0];
  g.replace_uses(a, b);
  EXPECT_TRUE(a->dead());
  EXPECT_EQ(second->inputs[0], b);
  EXPECT_EQ(g.outputs()[0], b);
  EXPECT_EQ(b->outputs, 1);
  g.erase(a->producer);
  EXPECT_EQ(g.nodes().size(), 2u);
  EXPECT_TRUE(g.compact());
  EXPECT_EQ(g.values().size(), 3u);
}

TEST(Graph, SortedPutsProducersFirstAndNamesACycle) {
  Graph g;
  Value* x = g.add_input("x", f32_13);
  Node* a = relu(g, x, "a");
  Node* b = relu(g, x, "b");
  g.set_input(a, 0, b->outputs[0]);
  auto order = g.sorted();
  ASSERT_TRUE(order);
  EXPECT_EQ(*order, (std::vector<Node*>{b, a}));
  g.set_input(b, 0, a->outputs[0]);
  auto cycle = g.sorted();
  ASSERT_FALSE(cycle);
  EXPECT_NE(cycle.error().message.find("cycle"), std::string::npos);
}

TEST(Graph, ALongChainIsSortedWithoutRecursion) {
  Graph g;
  Value* v = g.add_input("x", f32_13);
  for (int i = 0; i < 100000; i++) v = relu(g, v)->outputs[0];
  g.add_output(v);
  auto order = g.sorted();
  ASSERT_TRUE(order);
  EXPECT_EQ(order->size(), 100000u);
}

TEST(Graph, CapturesAreFoundClonedAndDroppedWithTheirNode) {
  Graph g;
  Value* x = g.add_input("x", f32_13);
  auto nested = std::make_shared<Graph>();
  nested->parent = &g;
  Value* y = relu(*nested, x)->outputs[0];
  nested->add_output(y);
  Attrs attrs;
  attrs.set("body", SubgraphPtr(nested));
  Node* n = g.add_node(*find_op("Relu"), {}, attrs);
  EXPECT_EQ(captures(*n), std::vector<Value*>{x});
  EXPECT_EQ(x->uses.size(), 1u);

  auto copy = g.clone();
  Value* copy_x = copy->find("x");
  ASSERT_TRUE(copy_x);
  EXPECT_EQ(captures(*copy->nodes()[0]), std::vector<Value*>{copy_x});
  EXPECT_EQ(x->uses.size(), 1u);

  g.erase(n);
  EXPECT_TRUE(x->dead());
}

TEST(Graph, InliningTakesArgumentsForInputs) {
  Graph body;
  Value* p = body.add_input("p", f32_13);
  body.add_output(relu(body, relu(body, p, "one")->outputs[0], "two")->outputs[0]);
  Graph g;
  Value* x = g.add_input("p", f32_13);
  auto out = g.inline_graph(body, std::vector<Value*>{x}, "f.");
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0]->graph, &g);
  EXPECT_EQ(out[0]->producer->name, "f.two");
  EXPECT_EQ(out[0]->producer->inputs[0]->producer->inputs[0], x);
}

TEST(Infer, FillsTypesAndNamesTheContradiction) {
  Graph g;
  Value* x = g.add_input("x", f32_13);
  Node* n = relu(g, x, "r");
  n->outputs[0]->type = ValueType(DType::f32, Shape{unknown_dim, 3});
  ASSERT_TRUE(infer(g));
  EXPECT_EQ(n->outputs[0]->type, f32_13);
  n->outputs[0]->type = ValueType(DType::f32, Shape{2, 3});
  auto bad = infer(g);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("Relu 'r'"), std::string::npos);
}

TEST(Merge, KnownBeatsSymbolBeatsNothing) {
  const Dim s0 = symbol_dim(0);
  auto m = merge(ValueType(DType::none, Shape{unknown_dim, s0, 3}),
                 ValueType(DType::f32, Shape{s0, 5, unknown_dim}));
  ASSERT_TRUE(m);
  EXPECT_EQ(*m, ValueType(DType::f32, Shape{s0, 5, 3}));
  EXPECT_FALSE(merge(ValueType(DType::i64, Shape{}), ValueType(DType::f32, Shape{})));
}

}  // namespace
}  // namespace hone::ir

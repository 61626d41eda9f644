#include "ir/eval.h"

#include <gtest/gtest.h>

namespace hone::ir {
namespace {

hone::Value floats(std::initializer_list<float> v) { return hone::Value(Tensor::of<float>(DType::f32, v)); }
std::vector<float> list(const hone::Value& v) {
  return {v.tensor.data<float>(), v.tensor.data<float>() + v.tensor.elements()};
}
Node* relu(Graph& g, Value* x, std::string name = "") {
  return g.add_node(*find_op("Relu"), {x}, {}, 1, std::move(name));
}
const ValueType f32_2(DType::f32, Shape{2});

// Operators that exist only to try the executor.
Status negate(EvalContext& c) {
  HONE_TRY(const TensorView y, c.output(0, DType::f32, c.input(0).shape));
  for (int64_t i = 0; i < y.elements(); i++) y.data<float>()[i] = -c.input(0).data<float>()[i];
  return {};
}
Status says_scalar(Infer& c) {
  c.set(0, DType::f32, Shape{});
  return {};
}
Status run_body(EvalContext& c) {
  std::vector<hone::Value> args;
  for (size_t i = 0; i < c.inputs(); i++) args.push_back(c.in(i));
  HONE_TRY(std::vector<hone::Value> out, c.run_graph("body", args));
  return c.set_output(0, out.at(0));
}
Status does_nothing(EvalContext&) { return {}; }
const AttrDef body_attr[] = {AttrDef::req("body", AttrType::graph)};
const OpDef negate_op{.name = "Negate", .infer = same_as_first, .reference = negate};
const OpDef liar_op{.name = "Liar", .infer = says_scalar, .reference = negate};
const OpDef lazy_op{.name = "Lazy", .infer = same_as_first, .reference = does_nothing};
const OpDef call_op{
    .name = "Call", .min_inputs = 0, .max_inputs = -1, .attrs = body_attr, .reference = run_body};

TEST(Evaluate, RunsNodesInOrderOfDependence) {
  Graph g;
  Value* x = g.add_input("x", f32_2);
  Node* last = relu(g, x);
  Node* first = g.add_node(negate_op, {x}, {});
  g.set_input(last, 0, first->outputs[0]);
  g.add_output(last->outputs[0]);
  g.add_output(x);
  auto out = evaluate(g, std::vector{floats({-1, 2})});
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(list((*out)[0]), (std::vector<float>{1, 0}));
  EXPECT_EQ(list((*out)[1]), (std::vector<float>{-1, 2}));
}

TEST(Evaluate, RefusesInputsThatContradictTheGraph) {
  Graph g;
  const Dim n = symbol_dim(g.symbol("N"));
  Value* x = g.add_input("x", ValueType(DType::f32, Shape{n}));
  g.add_input("y", ValueType(DType::f32, Shape{n}));
  g.add_output(relu(g, x)->outputs[0]);
  auto out = evaluate(g, std::vector{floats({1}), floats({1, 2})});
  ASSERT_FALSE(out);
  EXPECT_NE(out.error().message.find("N = 2"), std::string::npos) << out.error().message;
  EXPECT_FALSE(evaluate(g, std::vector{floats({1})}));
  EXPECT_FALSE(evaluate(g, std::vector{floats({1}), hone::Value(Tensor::of<int32_t>(DType::i32, {1}))}));
}

TEST(Evaluate, AContradictionBetweenInferAndReferenceIsOurBugAndNamed) {
  Graph g;
  Value* x = g.add_input("x", f32_2);
  g.add_output(g.add_node(liar_op, {x}, {}, 1, "it")->outputs[0]);
  auto out = evaluate(g, std::vector{floats({1, 2})});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::internal);
  EXPECT_NE(out.error().message.find("Liar 'it'"), std::string::npos);
}

TEST(Evaluate, AReferenceThatForgetsItsOutputIsNamed) {
  Graph g;
  g.add_output(g.add_node(lazy_op, {g.add_input("x", f32_2)}, {})->outputs[0]);
  auto out = evaluate(g, std::vector{floats({1, 2})});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::internal);
}

TEST(Evaluate, ADeclaredTypeThatIsWrongIsReportedAsTheModelsFault) {
  Graph g;
  Node* n = relu(g, g.add_input("x", ValueType(DType::f32, Shape{unknown_dim})));
  n->outputs[0]->type = ValueType(DType::f32, Shape{7});
  g.add_output(n->outputs[0]);
  auto out = evaluate(g, std::vector{floats({1, 2})});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::corrupt);
}

TEST(Evaluate, NestedGraphsSeeOuterValuesAtEveryDepth) {
  Graph g;
  Value* x = g.add_input("x", f32_2);
  Value* minus = g.add_node(negate_op, {x}, {})->outputs[0];
  auto middle = std::make_shared<Graph>();
  middle->parent = &g;
  auto inner = std::make_shared<Graph>();
  inner->parent = middle.get();
  inner->add_output(relu(*inner, minus)->outputs[0]);
  Attrs a;
  a.set("body", SubgraphPtr(inner));
  middle->add_output(middle->add_node(call_op, {}, a)->outputs[0]);
  Attrs b;
  b.set("body", SubgraphPtr(middle));
  Value* called = g.add_node(call_op, {}, b)->outputs[0];
  g.add_output(called);
  g.add_output(minus);
  auto out = evaluate(g, std::vector{floats({-3, 4})});
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(list((*out)[0]), (std::vector<float>{3, 0}));
}

TEST(Evaluate, ValuesAreFreedAfterTheirLastUse) {
  Graph g;
  Value* v = g.add_input("x", f32_2);
  for (int i = 0; i < 100; i++) v = relu(g, v)->outputs[0];
  g.add_output(v);
  EXPECT_TRUE(evaluate(g, std::vector{floats({1, 2})}, {.memory_limit = 16}));
  auto out = evaluate(g, std::vector{floats({1, 2})}, {.memory_limit = 15});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::limit);
}

TEST(Evaluate, StopsWhenToldTo) {
  Graph g;
  g.add_output(relu(g, g.add_input("x", f32_2))->outputs[0]);
  auto out = evaluate(g, std::vector{floats({1, 2})}, {.cancelled = [] { return true; }});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::cancelled);
}

TEST(Evaluate, ShowsEachNodeToTheObserver) {
  Graph g;
  Value* v = relu(g, g.add_input("x", f32_2), "a")->outputs[0];
  g.add_output(relu(g, v, "b")->outputs[0]);
  std::string seen;
  auto observe = [&](const Node& n, std::span<const hone::Value> out) {
    seen += n.name + std::to_string(out[0].tensor.elements());
  };
  EXPECT_TRUE(evaluate(g, std::vector{floats({1, 2})}, {.observe = observe}));
  EXPECT_EQ(seen, "a2b2");
}

TEST(Evaluate, RunsOneNodeOnConstants) {
  Graph g;
  Node* n = relu(g, g.add_input("x", f32_2));
  auto out = evaluate(*n, std::vector{floats({-1, 5})});
  ASSERT_TRUE(out);
  EXPECT_EQ(list((*out)[0]), (std::vector<float>{0, 5}));
}

}  // namespace
}  // namespace hone::ir

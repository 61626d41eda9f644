#include "ir/verify.h"

#include <gtest/gtest.h>

#include <map>

namespace hone::ir {
namespace {

const ValueType f32_2(DType::f32, Shape{2});
const AttrDef body_attr[] = {AttrDef::opt("body", AttrType::graph)};
const OpDef call_op{.name = "Call", .min_inputs = 0, .max_inputs = -1, .attrs = body_attr};

// A small valid graph with a nested one: x -> Relu r -> Relu q, and a call whose body captures r.
struct Sample {
  Graph g;
  Value* x = g.add_input("x", f32_2);
  Value* c = g.add_constant(Tensor::of<float>(DType::f32, {1, 2}), "c");
  Node* r = g.add_node(*find_op("Relu"), {x}, {}, 1, "r");
  Node* q = g.add_node(*find_op("Relu"), {r->outputs[0]}, {}, 1, "q");
  Node* call;
  std::shared_ptr<Graph> body = std::make_shared<Graph>();
  Sample() {
    body->parent = &g;
    body->add_output(body->add_node(*find_op("Relu"), {r->outputs[0]}, {})->outputs[0]);
    Attrs attrs;
    attrs.set("body", SubgraphPtr(body));
    call = g.add_node(call_op, {}, attrs);
    g.add_output(q->outputs[0]);
    g.add_output(call->outputs[0]);
    EXPECT_TRUE(infer(g));
    EXPECT_TRUE(infer(*body));
  }
};

// One way to break each law.
const std::map<std::string, void (*)(Sample&)>& breakers() {
  static const std::map<std::string, void (*)(Sample&)> table = {
      {"single_assignment", [](Sample& s) { s.q->outputs[0]->producer = s.r; }},
      {"scope",
       [](Sample& s) {
         Value* inner = s.body->outputs()[0];
         s.g.set_input(s.q, 0, inner);
       }},
      {"uses_agree", [](Sample& s) { s.q->inputs[0] = s.x; }},
      {"nested_owned", [](Sample& s) { s.g.add_node(call_op, {}, s.call->attrs); }},
      {"acyclic", [](Sample& s) { s.g.set_input(s.r, 0, s.q->outputs[0]); }},
      {"counts", [](Sample& s) { s.g.set_input(s.q, 1, s.c); }},
      {"attributes_bound", [](Sample& s) { s.q->attrs.set("axis", int64_t{1}); }},
      {"names_unique", [](Sample& s) { s.q->outputs[0]->name = "x"; }},
      {"symbols_known",
       [](Sample& s) { s.call->outputs[0]->type = ValueType(DType::f32, Shape{symbol_dim(3)}); }},
      {"constants_typed", [](Sample& s) { s.c->type = ValueType(DType::i32, Shape{2}); }},
      {"types_inferred",
       [](Sample& s) { s.q->outputs[0]->type = ValueType(DType::f32, Shape{unknown_dim}); }},
  };
  return table;
}

TEST(Verify, AcceptsAValidGraph) {
  Sample s;
  auto ok = verify(s.g);
  EXPECT_TRUE(ok) << ok.error().message;
}

TEST(Verify, EveryLawIsBrokenBySomethingAndNamed) {
  for (const Law& law : laws()) {
    auto breaker = breakers().find(law.name);
    ASSERT_NE(breaker, breakers().end()) << law.name << " has no test";
    Sample s;
    breaker->second(s);
    auto ok = verify(s.g);
    ASSERT_FALSE(ok) << law.name;
    EXPECT_NE(ok.error().message.find(std::string("the law ") + law.name), std::string::npos)
        << ok.error().message;
  }
}

TEST(Verify, LooksIntoNestedGraphs) {
  Sample s;
  s.body->outputs()[0]->type = ValueType(DType::f32, Shape{3});
  auto ok = verify(s.g);
  ASSERT_FALSE(ok);
  EXPECT_NE(ok.error().message.find("types_inferred"), std::string::npos);
}

}  // namespace
}  // namespace hone::ir

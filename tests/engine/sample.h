// An engine that has one of everything the format can hold.
#pragma once
#include "engine/program.h"

namespace hone {

inline EngineData sample_engine() {
  EngineData e;
  e.meta = {{"name", "sample"}, {"producer", "by hand"}, {"precision", "fp32"}, {"empty", ""}};
  e.symbols = {"batch", "height"};
  e.constants.push_back(Tensor::of<float>(DType::f32, {1.5f, -2.0f, 0.25f}));
  e.constants.push_back(Tensor::of<int64_t>(DType::i64, {7, -7}));
  e.constants.push_back(*Tensor::allocate(DType::string, Shape{2, 2}));
  const char* texts[] = {"", "short", "a text that is longer than any small-string buffer", "\xff not UTF-8"};
  for (size_t i = 0; i < 4; i++) e.constants[2].data<std::string>()[i] = texts[i];
  e.constants.push_back(*Tensor::allocate(DType::i4, Shape{5}));
  for (int i = 0; i < 3; i++) e.constants[3].data<uint8_t>()[i] = static_cast<uint8_t>(0x21 + 0x11 * i);
  e.constants.push_back(Tensor::of<float>(DType::f32, {1.5f, -2.0f, 0.25f}));  // equals constant 0
  e.constants.push_back(*Tensor::allocate(DType::f32, Shape{0, 3}));
  e.constants.push_back(Tensor::scalar<float>(DType::f32, 4.0f));
  e.constants.push_back(*Tensor::allocate(DType::string, Shape{0}));

  const ValueType image(DType::f32, Shape{symbol_dim(0), 3});
  auto body = std::make_shared<Program>();
  body->name = "then";
  body->values = {{"outer_x", image, ProgramValue::Kind::capture, 0},
                  {"k", {DType::f32, Shape{3}}, ProgramValue::Kind::constant, 0},
                  {"sum", image, ProgramValue::Kind::intermediate, -1}};
  body->steps.push_back({.op = "Add", .name = "inner", .in = {0, 1}, .out = {2}});
  body->outputs = {2};
  auto other = std::make_shared<Program>(*body);
  other->name = "else";

  auto p = std::make_shared<Program>();
  p->name = "main";
  p->values = {
      {"x", image, ProgramValue::Kind::input, -1},
      {"cond", {DType::boolean, Shape{}}, ProgramValue::Kind::input, -1},
      {"y", image, ProgramValue::Kind::intermediate, -1},
      {"seq", ValueType::of(Value::Kind::sequence, image), ProgramValue::Kind::intermediate, -1},
      {"opt", ValueType::of(Value::Kind::optional, ValueType::of(Value::Kind::sequence, ValueType())),
       ProgramValue::Kind::intermediate, -1},
      {"untyped", {}, ProgramValue::Kind::intermediate, -1},
      {"unranked", {DType::f16, Shape::unranked()}, ProgramValue::Kind::intermediate, -1},
      {"shape", {DType::i64, Shape{2}}, ProgramValue::Kind::constant, 1}};
  ProgramStep branch{.op = "If", .name = "choose", .in = {1}, .out = {2}};
  branch.attrs.set("then_branch", SubgraphPtr(body));
  branch.attrs.set("else_branch", SubgraphPtr(other));
  p->steps.push_back(branch);
  ProgramStep all{.op = "Everything", .domain = "test.hone", .name = "attrs", .tactic = "reference"};
  all.in = {0, -1, 7};
  all.out = {3, -1, 4, 5, 6};
  all.attrs.set("i", int64_t{-5});
  all.attrs.set("f", 0.5f);
  all.attrs.set("s", std::string("text\0with zero", 14));
  all.attrs.set("ints", std::vector<int64_t>{1, -1, INT64_MAX});
  all.attrs.set("floats", std::vector<float>{1.0f, -0.0f});
  all.attrs.set("strings", std::vector<std::string>{"a", "", "c"});
  all.attrs.set("tensor", Tensor::of<float>(DType::f32, {1.5f, -2.0f, 0.25f}));
  all.attrs.set("type", ValueType::of(Value::Kind::optional, image));
  all.attrs.set("no_ints", std::vector<int64_t>{});
  p->steps.push_back(all);
  p->inputs = {0, 1};
  p->outputs = {2, 3};
  e.portable = p;
  auto tuned = std::make_shared<Program>(*p);
  tuned->steps[0].tactic = "fast";
  e.plans = {{"generic", tuned}, {"x86-64-avx2", p}};
  TestVector test;
  test.inputs = {Tensor::of<float>(DType::f32, {1, 2, 3}).reshaped(Shape{1, 3}),
                 Tensor::scalar<bool8>(DType::boolean, true)};
  test.outputs = {Tensor::of<float>(DType::f32, {2.5f, 0, 3.25f}).reshaped(Shape{1, 3}), Tensor()};
  e.tests.push_back(test);
  return e;
}

// The same with packed constants in its second plan: version 1.1 of the format.
inline EngineData packed_sample_engine() {
  EngineData e = sample_engine();
  for (uint8_t i = 0; i < 2; i++) {
    PackedConstants p;
    p.layout = i ? "second" : "first 1 avx2 x16";
    p.constants = i ? std::vector<int>{0} : std::vector<int>{-1, 6, 0};
    p.bytes = *Tensor::allocate(DType::u8, Shape{128 + i});
    for (int k = 0; k < 128 + i; k++) p.bytes.data<uint8_t>()[k] = static_cast<uint8_t>(k + i);
    e.plans[1].packed.push_back(std::move(p));
  }
  return e;
}

}  // namespace hone

// Runs one operator's reference on given values.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "ir/eval.h"
#include "ir/graph.h"

namespace hone {

// An error of binding, inference or running is returned.
inline Result<std::vector<Value>> run_op(const char* name, Attrs attrs, const std::vector<Value>& in,
                                         size_t outputs = 1, const char* domain = "") {
  const OpDef* op = find_op(name, domain);
  if (!op) return error(Code::not_found, "no operator %s", name);
  HONE_CHECK(bind_attrs(*op, attrs, true));
  ir::Graph g;
  std::vector<ir::Value*> inputs;
  for (size_t i = 0; i < in.size(); i++)
    inputs.push_back(in[i] ? g.add_input("x" + std::to_string(i), type_of(in[i])) : nullptr);
  ir::Node* n = g.add_node(*op, inputs, attrs, outputs);
  for (ir::Value* v : n->outputs) g.add_output(v);
  return ir::evaluate(*n, in);
}

// What the operator says against these inputs; empty if it accepts them.
inline std::string refusal(const char* name, Attrs attrs, const std::vector<Value>& in, size_t outputs = 1,
                           const char* domain = "") {
  auto r = run_op(name, std::move(attrs), in, outputs, domain);
  return r ? "" : r.error().message;
}

class Numbers {
 public:
  Numbers() {
    const char* s = std::getenv("HONE_SEED");
    seed_ = s ? static_cast<uint32_t>(std::strtoul(s, nullptr, 10)) : std::random_device()();
    engine_.seed(seed_);
    ::testing::Test::RecordProperty("seed", std::to_string(seed_));
    std::printf("HONE_SEED=%u\n", seed_);
  }
  Tensor floats(const Shape& s, float low = -1, float high = 1) {
    Tensor t = *Tensor::allocate(DType::f32, s);
    std::uniform_real_distribution<float> d(low, high);
    for (int64_t i = 0; i < t.elements(); i++) t.data<float>()[i] = d(engine_);
    return t;
  }
  Tensor bytes(DType type, const Shape& s) {  // u8 or i8
    Tensor t = *Tensor::allocate(type, s);
    for (int64_t i = 0; i < t.elements(); i++) t.data<uint8_t>()[i] = static_cast<uint8_t>(engine_());
    return t;
  }
  int upto(int n) { return std::uniform_int_distribution<int>(0, n)(engine_); }

 private:
  uint32_t seed_ = 0;
  std::mt19937 engine_;
};

inline Attrs attrs_of(std::initializer_list<Attrs::Item> items) {
  Attrs a;
  for (const auto& [name, value] : items) a.set(name, value);
  return a;
}
using Ints = std::vector<int64_t>;

}  // namespace hone

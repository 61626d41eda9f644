// Runs tactics against the reference of their operator.
//
//   Case c{.op = "Relu", .in = {random_f32(rng, {2, 3})}};
//   EXPECT_GE(check(c), 1);
//
// check() computes the reference's outputs, then runs each tactic that accepts the case: on each instruction
// set of the machine, with 1, 2 and 3 threads (the bits must agree), plain, with unaligned and pitched
// operands, and in place where the tactic says that it may. Everything around inputs and between their rows
// is NaN; everything around outputs must keep its bytes.
#pragma once
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "kernels/tactic.h"

namespace hone::test {

struct Case {
  std::string op;
  Attrs attrs = {};                    // defaults are put in place by check()
  std::vector<Tensor> in;              // an empty tensor is an absent input
  std::vector<size_t> constants = {};  // inputs that are known when preparing
  size_t outputs = 1;
  float absolute = 1e-6f, relative = 1e-5f;  // a float passes within absolute + relative * |expected|; from a
                                             // tactic with an error_bound, within absolute + that bound
  std::string only = {};                     // one tactic, by name
  Tensor scale =
      {};  // if set (f32, of output 0's shape): relative * scale[i] in place of relative * |expected|
};

// The seed is HONE_SEED or random; it is printed once.
std::mt19937& rng();
Tensor random_f32(const Shape&, float from = -2, float to = 2);
Tensor random_ints(DType, const Shape&, int64_t from, int64_t to);  // any integer or boolean type
Tensor f32(const Shape&, std::vector<float>);
Tensor i64s(std::vector<int64_t>);  // 1-D
Tensor scalar_f32(float);
Attrs attrs(std::vector<Attrs::Item>);

// The outputs of the reference.
Result<std::vector<Tensor>> reference(const Case&);
// Number of tactics that accepted the case and ran. Failures are reported through gtest.
int check(const Case&);
// The reason for which the tactic refuses the case; empty if it accepts.
std::string refusal(const Case&, const std::string& tactic);

}  // namespace hone::test

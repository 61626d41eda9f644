// Text graph -> Engine -> Session, and the reference executor beside it.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "build/lower.h"
#include "ir/eval.h"
#include "ir/text.h"
#include "runtime/session.h"

namespace hone {

inline unsigned test_seed() {
  const char* text = std::getenv("HONE_SEED");
  return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : 1;
}

inline std::shared_ptr<ir::Graph> graph_of(const std::string& text) {
  auto graph = ir::parse_graph(text);
  if (!graph) {
    ADD_FAILURE() << graph.error().message << "\n" << text;
    return nullptr;
  }
  if (auto s = ir::infer(**graph); !s) {
    ADD_FAILURE() << s.error().message << "\n" << text;
    return nullptr;
  }
  return *graph;
}

inline std::shared_ptr<const Engine> engine_of(const ir::Graph& graph) {
  ConstantTable constants;
  auto program = lower(graph, constants);
  if (!program) {
    ADD_FAILURE() << program.error().message;
    return nullptr;
  }
  EngineData data;
  data.portable = *program;
  data.plans.push_back({"generic", *program});
  data.constants = constants.take();
  auto engine = Engine::load(std::move(data));
  if (!engine) {
    ADD_FAILURE() << engine.error().message;
    return nullptr;
  }
  return *engine;
}

inline std::unique_ptr<Session> session_of(std::shared_ptr<const Engine> engine, int threads = 2) {
  if (!engine) return nullptr;
  auto session = Session::create(std::move(engine), {.threads = threads});
  if (!session) {
    ADD_FAILURE() << session.error().message;
    return nullptr;
  }
  return *std::move(session);
}

template <class Random>
Tensor random_tensor(DType d, const Shape& s, Random& random) {
  Tensor t = *Tensor::allocate(d, s);
  for (int64_t i = 0, n = t.elements(); i < n; i++) {
    const double x = static_cast<double>(random() % 2001) / 1000 - 1;
    switch (d) {
      case DType::f32:
        t.data<float>()[i] = static_cast<float>(x);
        break;
      case DType::i64:
        t.data<int64_t>()[i] = static_cast<int64_t>(x * 5);
        break;
      case DType::boolean:
        t.data<bool8>()[i] = x > 0;
        break;
      default:
        ADD_FAILURE() << "no random values of type " << dtype_name(d);
    }
  }
  return t;
}

// Equal types and shapes; floats within `tolerance` of the largest magnitude, other elements exactly.
inline void expect_equal(const Value& got, const Value& want, double tolerance, const std::string& what) {
  ASSERT_EQ(got.kind, want.kind) << what;
  if (want.kind == Value::Kind::sequence || want.kind == Value::Kind::optional) {
    ASSERT_EQ(got.items ? got.items->size() : 0, want.items ? want.items->size() : 0) << what;
    for (size_t i = 0; want.items && i < want.items->size(); i++)
      expect_equal((*got.items)[i], (*want.items)[i], tolerance, what + " item " + std::to_string(i));
    return;
  }
  if (want.kind != Value::Kind::tensor) return;
  const Tensor &g = got.tensor, &w = want.tensor;
  ASSERT_EQ(dtype_name(g.dtype()), dtype_name(w.dtype())) << what;
  ASSERT_EQ(g.shape().str(), w.shape().str()) << what;
  if (w.dtype() == DType::f32) {
    double largest = 1e-30;
    for (int64_t i = 0; i < w.elements(); i++)
      largest = std::max(largest, std::fabs(double{w.data<float>()[i]}));
    for (int64_t i = 0; i < w.elements(); i++)
      ASSERT_LE(std::fabs(double{g.data<float>()[i]} - w.data<float>()[i]), tolerance * largest)
          << what << " element " << i << ": got " << g.data<float>()[i] << ", want " << w.data<float>()[i];
  } else if (w.dtype() == DType::string) {
    for (int64_t i = 0; i < w.elements(); i++)
      ASSERT_EQ(g.data<std::string>()[i], w.data<std::string>()[i]) << what;
  } else {
    ASSERT_EQ(std::memcmp(g.bytes(), w.bytes(), static_cast<size_t>(w.byte_size())), 0) << what;
  }
}

// Runs the session twice on the inputs (the second run must not see leftovers of the first) and compares with
// the reference executor.
inline void expect_session_matches(const ir::Graph& graph, Session& session, std::span<const Value> inputs,
                                   double tolerance = 1e-5) {
  auto want = ir::evaluate(graph, inputs);
  ASSERT_TRUE(want) << want.error().message;
  for (int round = 0; round < 2; round++) {
    auto status = session.run(inputs);
    ASSERT_TRUE(status) << status.error().message;
    ASSERT_EQ(session.outputs(), want->size());
    for (size_t i = 0; i < want->size(); i++)
      expect_equal(session.output(i), (*want)[i], tolerance,
                   "round " + std::to_string(round) + " output " + std::to_string(i));
  }
}

inline std::vector<Value> random_inputs(const ir::Graph& graph, std::mt19937& random) {
  std::vector<Value> inputs;
  for (const ir::Value* v : graph.inputs())
    inputs.push_back(random_tensor(v->type.dtype, v->type.shape, random));
  return inputs;
}

}  // namespace hone

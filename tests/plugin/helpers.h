// What the tests of plugins share: the libraries of lib/, loaded, and small graphs run with them.
#pragma once
#include "build/harness.h"
#include "onnx_builder.h"
#include "plugin/plugin.h"

namespace hone {

inline std::string library(const std::string& name) { return HONE_BINARY_DIR "/lib/plugin_" + name + ".so"; }

inline Tensor f32(const Shape& s, std::initializer_list<float> values) {
  Tensor t = *Tensor::allocate(DType::f32, s);
  std::copy(values.begin(), values.end(), t.data<float>());
  return t;
}
inline std::vector<float> floats(const Value& v) {
  return {v.tensor.data<float>(), v.tensor.data<float>() + v.tensor.elements()};
}
inline std::vector<int64_t> ints(const Value& v) { return *v.tensor.as_ints(); }

inline void expect_error(const Status& s, std::initializer_list<const char*> texts) {
  ASSERT_FALSE(s);
  for (const char* t : texts) EXPECT_NE(s.error().message.find(t), std::string::npos) << s.error().message;
}
template <class T>
void expect_error(Result<T> r, std::initializer_list<const char*> texts) {
  ASSERT_FALSE(r);
  expect_error(Status(r.take_error()), texts);
}

class Plugin : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const char* name : {"good", "bad_op"}) {
      auto ok = load_plugin(library(name));
      ASSERT_TRUE(ok) << ok.error().message;
    }
  }
};

// Outputs of the graph by the reference executor, and by a session of its engine, which must agree.
inline std::vector<Value> run_both(const std::string& text, const std::vector<Value>& inputs) {
  auto graph = graph_of(text);
  if (!graph) return {};
  auto want = ir::evaluate(*graph, inputs);
  EXPECT_TRUE(want) << want.error().message;
  auto session = session_of(engine_of(*graph));
  if (!want || !session) return {};
  expect_session_matches(*graph, *session, inputs, 0);
  return *want;
}

}  // namespace hone

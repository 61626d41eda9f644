#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>

#include "ir/eval.h"
#include "ir/verify.h"
#include "onnx_builder.h"

namespace hone::test {

// A folder that goes away with the test.
struct TempFolder {
  std::string path;
  TempFolder() {
    std::string name = testing::TempDir() + "hone_import_XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, std::string_view bytes) const {
    const std::string file = path + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }
};

template <class T>
void expect_error(const Result<T>& r, Code code, std::initializer_list<const char*> parts) {
  ASSERT_FALSE(r) << "expected an error containing '" << *parts.begin() << "'";
  EXPECT_EQ(static_cast<int>(r.error().code), static_cast<int>(code)) << r.error().message;
  for (const char* part : parts)
    EXPECT_NE(r.error().message.find(part), std::string::npos)
        << "no '" << part << "' in: " << r.error().message;
  EXPECT_EQ(r.error().message.find('\n'), std::string::npos) << "not one line: " << r.error().message;
}

inline std::shared_ptr<ir::Graph> must_import(const ModelMessage& m, const ImportOptions& options = {}) {
  auto graph = import_message(m, options);
  EXPECT_TRUE(graph) << graph.error().message;
  if (!graph) return std::make_shared<ir::Graph>();
  const Status lawful = ir::verify(**graph);
  EXPECT_TRUE(lawful) << lawful.error().message;
  return *graph;
}

inline std::vector<Value> must_run(const ir::Graph& g, const std::vector<Value>& inputs) {
  auto out = ir::evaluate(g, inputs);
  EXPECT_TRUE(out) << out.error().message;
  return out ? *out : std::vector<Value>(g.outputs().size());
}

inline Tensor f32(const Shape& shape, const std::vector<float>& v) {
  Tensor t = *Tensor::allocate(DType::f32, shape);
  std::copy(v.begin(), v.end(), t.data<float>());
  return t;
}
template <class T>
std::vector<T> elements(const Tensor& t) {
  return {t.data<T>(), t.data<T>() + t.elements()};
}
inline std::vector<float> floats(const Value& v) { return elements<float>(v.tensor); }

}  // namespace hone::test

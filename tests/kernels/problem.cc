#include "problem.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include "ops/conv.h"
#include "ops/work.h"

namespace hone::test {
namespace {

using Fields = std::map<std::string, std::string>;

std::vector<int64_t> numbers(const std::string& text, char separator) {
  std::vector<int64_t> v;
  std::stringstream s(text);
  for (std::string item; std::getline(s, item, separator);) v.push_back(std::atoll(item.c_str()));
  return v;
}
Shape shape(const std::string& text) { return Shape(std::span<const Dim>(numbers(text, 'x'))); }

Tensor magnitudes(const Tensor& t) {
  if (!t) return t;
  Tensor m = *Tensor::allocate(DType::f32, t.shape());
  for (int64_t i = 0; i < t.elements(); i++) m.data<float>()[i] = std::abs(t.data<float>()[i]);
  return m;
}

Result<Shape> output_shape(const Case& c) {
  const OpDef* op = find_op(c.op);
  if (!op) return error(Code::not_found, "no operator %s", c.op.c_str());
  std::vector<ValueType> in;
  for (const Tensor& t : c.in) in.push_back(t ? ValueType(t.dtype(), t.shape()) : ValueType());
  Attrs a = c.attrs;
  HONE_CHECK(bind_attrs(*op, a, true));
  Infer infer{*op, a, in, c.in, {}};
  infer.out.resize(1);
  HONE_CHECK(infer_types(infer));
  return infer.out[0].shape;
}

void set_activation(Case& c, const Fields& f) {
  const auto act = f.find("act");
  if (act == f.end()) return;
  c.attrs.set("activation", act->second);
  const bool clip = act->second == "Clip";
  c.attrs.set("activation_alpha", clip ? -0.4f : 0.3f);
  c.attrs.set("activation_beta", clip ? 0.9f : 0.5f);
}

Status convolution(Case& c, Fields& f) {
  const Shape x = shape(f["x"]);
  const std::vector<int64_t> kernel = numbers(f["k"], 'x');
  if (static_cast<int>(kernel.size()) + 2 != x.rank())
    return error(Code::invalid_argument, "k does not fit x");
  const size_t rank = kernel.size();
  const auto list = [&](const char* name, const char* attr, char separator, size_t count) {
    if (!f.count(name)) return;
    std::vector<int64_t> v = numbers(f[name], separator);
    if (v.size() == 1) v.assign(count, v[0]);
    c.attrs.set(attr, v);
  };
  list("s", "strides", 'x', rank);
  list("d", "dilations", 'x', rank);
  list("p", "pads", ',', 2 * rank);
  list("op", "output_padding", ',', rank);
  const int64_t groups = f.count("g") ? std::atoll(f["g"].c_str()) : 1, oc = std::atoll(f["oc"].c_str());
  c.attrs.set("group", groups);
  c.attrs.set("channels_last", int64_t{1});
  const bool planar = f["planar"] == "1";
  if (planar) c.attrs.set("planar_input", int64_t{1});
  const int64_t ic = planar ? x[1] : x.back();
  Shape w = c.op == "Conv" ? Shape{oc, ic / groups} : Shape{ic, oc / groups};
  for (int64_t k : kernel) w.push_back(k);
  c.in = {random_f32(x, -1, 1), random_f32(w, -1, 1)};
  c.constants = {1, 2};
  c.in.push_back(f["bias"] == "0" ? Tensor() : random_f32({oc}, -1, 1));
  if (f["res"] == "1") {
    HONE_TRY(const Shape out, output_shape(c));
    c.in.push_back(random_f32(out, -1, 1));
  }
  return {};
}

Status product(Case& c, Fields& f) {
  c.in = {random_f32(shape(f["a"]), -1, 1), random_f32(shape(f["b"]), -1, 1)};
  if (f.count("c")) c.in.push_back(random_f32(f["c"] == "-" ? Shape{} : shape(f["c"]), -1, 1));
  if (f["res"] == "1") {
    c.in.resize(3);
    HONE_TRY(const Shape out, output_shape(c));
    c.in.push_back(random_f32(out, -1, 1));
  }
  if (f["const"] == "1") c.constants = {1};
  if (f["const"] == "1" && c.in.size() > 2) c.constants.push_back(2);
  for (const char* name : {"transA", "transB"})
    if (f.count(name)) c.attrs.set(name, static_cast<int64_t>(std::atoll(f[name].c_str())));
  for (const char* name : {"alpha", "beta"})
    if (f.count(name)) c.attrs.set(name, static_cast<float>(std::atof(f[name].c_str())));
  return {};
}

}  // namespace

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  return lines;
}

Result<Case> parse_problem(const std::string& line, bool with_scale) {
  std::stringstream words(line);
  Case c;
  words >> c.op;
  Fields f;
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos)
      return error(Code::invalid_argument, "'%s' is not name=value", word.c_str());
    f[word.substr(0, equals)] = word.substr(equals + 1);
  }
  HONE_CHECK(f.count("x") ? convolution(c, f) : product(c, f));
  if (with_scale) {
    Case m = c;
    for (Tensor& t : m.in) t = magnitudes(t);
    for (const char* name : {"alpha", "beta"})
      if (m.attrs.has(name)) m.attrs.set(name, std::abs(m.attrs.f(name)));
    HONE_TRY(auto sums, reference(m));
    c.scale = sums[0];
    c.absolute = 1e-6f;
    c.relative = 2e-6f;
  }
  set_activation(c, f);
  return c;
}

double flops(const Case& c) {
  const auto out = output_shape(c);
  if (!out) return 0;
  std::vector<ValueType> in;
  for (const Tensor& t : c.in) in.push_back(t ? ValueType(t.dtype(), t.shape()) : ValueType());
  const std::vector<ValueType> outputs = {ValueType(DType::f32, *out)};
  return 2 * multiply_adds(*find_op(c.op), in, outputs, c.attrs);
}

}  // namespace hone::test

#include "check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <sstream>

#include "ir/eval.h"
#include "ir/numbers.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace hone::opt {

uint64_t test_seed() {
  static const uint64_t seed = [] {
    const char* given = std::getenv("HONE_SEED");
    const uint64_t s = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::printf("HONE_SEED=%llu\n", static_cast<unsigned long long>(s));
    return s;
  }();
  return seed;
}

std::vector<hone::Value> random_inputs(const ir::Graph& g, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<hone::Value> out;
  for (const ir::Value* v : g.inputs()) {
    Shape shape = v->type.shape;
    if (!shape.ranked()) shape = Shape{2, 3};
    for (size_t i = 0; i < shape.size(); i++)
      if (!known(shape[i])) shape[i] = symbolic(shape[i]) ? 3 : 2;
    const DType d = v->type.dtype;
    Tensor t;
    if (is_float(d)) {
      std::vector<double> values(static_cast<size_t>(shape.elements()));
      std::uniform_real_distribution<double> magnitude(0.05, 2);
      for (double& x : values) x = magnitude(random) * (random() & 1 ? 1 : -1);
      t = *ir::float_tensor(d, shape, values);
    } else {
      t = *Tensor::allocate(d, shape);
      auto* bytes = static_cast<uint8_t*>(t.bytes());
      std::fill_n(bytes, t.byte_size(), 0);
      const int64_t size = std::max(1, dtype_bits(d) / 8);
      for (int64_t i = 0; i < t.elements(); i++)
        bytes[i * size] = static_cast<uint8_t>(random() % (d == DType::boolean ? 2 : 5));
    }
    out.emplace_back(std::move(t));
  }
  return out;
}

std::string difference(const std::vector<hone::Value>& a, const std::vector<hone::Value>& b,
                       double tolerance) {
  if (a.size() != b.size()) return "another number of outputs";
  for (size_t i = 0; i < a.size(); i++) {
    const Tensor &x = a[i].tensor, &y = b[i].tensor;
    if (x.dtype() != y.dtype() || x.shape() != y.shape())
      return strf("output %zu: %s became %s", i, type_of(a[i]).str().c_str(), type_of(b[i]).str().c_str());
    const auto p = ir::numbers(x), q = ir::numbers(y);
    if (!p || !q) continue;
    double largest = 0;
    for (double v : *p)
      if (std::isfinite(v)) largest = std::max(largest, std::abs(v));
    const double allowed = is_float(x.dtype()) ? tolerance * largest : 0;
    for (size_t k = 0; k < p->size(); k++) {
      const double u = (*p)[k], v = (*q)[k];
      if (u == v || (std::isnan(u) && std::isnan(v)) || std::abs(u - v) <= allowed) continue;
      return strf("output %zu, element %zu: %.9g became %.9g", i, k, u, v);
    }
  }
  return "";
}

std::shared_ptr<ir::Graph> parse(const std::string& text) {
  auto g = ir::parse_graph(text);
  if (!g) {
    ADD_FAILURE() << g.error().message << "\n" << text;
    return std::make_shared<ir::Graph>();
  }
  if (auto ok = ir::infer(**g); !ok) ADD_FAILURE() << ok.error().message << "\n" << text;
  if (auto ok = ir::verify(**g); !ok) ADD_FAILURE() << ok.error().message << "\n" << text;
  return *g;
}

namespace {
Result<int> run_named(const std::string& names, ir::Graph& g) {
  std::istringstream list(names);
  std::string name;
  OptOptions options;
  options.verify = true;
  for (const Pass& p : passes()) options.disable.push_back(p.name);
  while (list >> name) std::erase(options.disable, name);
  OptReport report;
  HONE_CHECK(optimise(g, options, &report));
  int changes = 0;
  for (const PassReport& p : report.passes) changes += p.changes;
  return changes;
}
}  // namespace

std::string after(const std::string& names, const std::string& text, bool once) {
  auto g = parse(text);
  const auto before = g->clone();
  if (auto ok = run_named(names, *g); !ok) return "error: " + ok.error().message;
  const auto inputs = random_inputs(*before, test_seed());
  auto a = ir::evaluate(*before, inputs);
  auto b = ir::evaluate(*g, inputs);
  if (!a || !b) return "error: " + (a ? b : a).error().message + "\n" + ir::print(*g);
  EXPECT_EQ(difference(*a, *b), "") << ir::print(*g);
  const std::string result = ir::print(*g);
  if (once) {
    auto again = run_named(names, *g);
    EXPECT_TRUE(again) << again.error().message;
    EXPECT_EQ(again ? *again : 0, 0) << "running it again changed something:\n" << result << ir::print(*g);
  }
  return result;
}

std::string graph_text(const std::string& signature, const std::vector<std::string>& lines) {
  std::string text = "graph @t" + signature + " {\n";
  for (const std::string& line : lines) text += "  " + line + "\n";
  return text + "}\n";
}

std::string statements(const std::string& text) {
  std::istringstream lines(text);
  std::string line, out;
  while (std::getline(lines, line)) {
    if (line.starts_with("graph @t") || line == "}") continue;
    const size_t from = line.find_first_not_of(' ');
    if (from == line.npos) continue;
    // The origin is not part of what is compared.
    const size_t by = line.find(" by \"");
    out += (out.empty() ? "" : "\n") + line.substr(from, by == line.npos ? by : by - from);
  }
  return out;
}

}  // namespace hone::opt

// Derivatives against central differences, for each operator that has a rule, and what is refused.
#include "import/onnx/gradient.h"

#include <cmath>
#include <random>
#include <set>

#include "helpers.h"
#include "ir/text.h"

namespace hone::test {
namespace {

struct Case {
  const char* op;
  const char* inputs;      // differentiated by; after them comes %w, of y's shape
  const char* statements;  // that make %y
  const char* shape;       // of y
  double low = -2, high = 2;
};

// "f64[2,3]" and "f64[3]" broadcast to the first, and so on.
const Case cases[] = {
    {"Abs", "%a: f64[2,3]", "%y = Abs(%a)", "2,3"},
    {"Acos", "%a: f64[3]", "%y = Acos(%a)", "3", -0.9, 0.9},
    {"Acosh", "%a: f64[3]", "%y = Acosh(%a)", "3", 1.2, 3},
    {"Add", "%a: f64[2,3], %b: f64[3]", "%y = Add(%a, %b)", "2,3"},
    {"Add", "%a: f64[2,1], %b: f64[]", "%y = Add(%a, %b)", "2,1"},
    {"Asin", "%a: f64[3]", "%y = Asin(%a)", "3", -0.9, 0.9},
    {"Asinh", "%a: f64[3]", "%y = Asinh(%a)", "3"},
    {"Atan", "%a: f64[3]", "%y = Atan(%a)", "3"},
    {"Atanh", "%a: f64[3]", "%y = Atanh(%a)", "3", -0.9, 0.9},
    {"Cast", "%a: f64[3]", "%y = Cast(%a) {to=11}", "3"},
    {"CastLike", "%a: f64[3], %b: f64[1]", "%y = CastLike(%a, %b)", "3"},
    {"Ceil", "%a: f64[3]", "%y = Ceil(%a)", "3"},
    {"Clip", "%a: f64[6]", "%k = const f64[] {-1} %l = const f64[] {1} %y = Clip(%a, %k, %l)", "6"},
    {"Clip", "%a: f64[6]", "%y = Clip(%a)", "6"},
    {"Concat", "%a: f64[2,3], %b: f64[2,2]", "%y = Concat(%a, %b, %a) {axis=-1}", "2,8"},
    {"Cos", "%a: f64[3]", "%y = Cos(%a)", "3"},
    {"Cosh", "%a: f64[3]", "%y = Cosh(%a)", "3"},
    {"Div", "%a: f64[2,3], %b: f64[2,1]", "%y = Div(%a, %b)", "2,3", 0.5, 2},
    {"Elu", "%a: f64[6]", "%y = Elu(%a) {alpha=1.5}", "6"},
    {"Erf", "%a: f64[3]", "%y = Erf(%a)", "3"},
    {"Exp", "%a: f64[3]", "%y = Exp(%a)", "3"},
    {"Expand", "%a: f64[3,1]", "%k = const i64[3] {2,3,4} %y = Expand(%a, %k)", "2,3,4"},
    {"Flatten", "%a: f64[2,3,2]", "%y = Flatten(%a) {axis=2}", "6,2"},
    {"Floor", "%a: f64[3]", "%y = Floor(%a)", "3"},
    {"Gemm", "%a: f64[2,3], %b: f64[3,4], %c: f64[4]", "%y = Gemm(%a, %b, %c) {alpha=0.5,beta=2.0}", "2,4"},
    {"Gemm", "%a: f64[3,2], %b: f64[3,4], %c: f64[2,1]", "%y = Gemm(%a, %b, %c) {transA=1}", "2,4"},
    {"Gemm", "%a: f64[2,3], %b: f64[4,3]", "%y = Gemm(%a, %b) {transB=1,alpha=0.5}", "2,4"},
    {"Gemm", "%a: f64[3,2], %b: f64[4,3]", "%y = Gemm(%a, %b) {transA=1,transB=1}", "2,4"},
    {"HardSigmoid", "%a: f64[6]", "%y = HardSigmoid(%a) {alpha=0.4,beta=0.5}", "6"},
    {"Identity", "%a: f64[3]", "%y = Identity(%a)", "3"},
    {"LeakyRelu", "%a: f64[6]", "%y = LeakyRelu(%a) {alpha=0.1}", "6"},
    {"Log", "%a: f64[3]", "%y = Log(%a)", "3", 0.5, 2},
    {"LogSoftmax", "%a: f64[2,3,2]", "%y = LogSoftmax(%a) {axis=1}", "2,3,2"},
    {"MatMul", "%a: f64[2,3], %b: f64[3,4]", "%y = MatMul(%a, %b)", "2,4"},
    {"MatMul", "%a: f64[2,1,2,3], %b: f64[5,3,2]", "%y = MatMul(%a, %b)", "2,5,2,2"},
    {"Max", "%a: f64[2,3], %b: f64[3], %c: f64[]", "%y = Max(%a, %b, %c)", "2,3"},
    {"Mean", "%a: f64[2,3], %b: f64[3]", "%y = Mean(%a, %b, %b)", "2,3"},
    {"Min", "%a: f64[2,3], %b: f64[3]", "%y = Min(%a, %b)", "2,3"},
    {"Mul", "%a: f64[2,3], %b: f64[4,1,3]", "%y = Mul(%a, %b)", "4,2,3"},
    {"Mul", "%a: f64[3]", "%y = Mul(%a, %a)", "3"},
    {"Neg", "%a: f64[3]", "%y = Neg(%a)", "3"},
    {"Pow", "%a: f64[2,3], %b: f64[3]", "%y = Pow(%a, %b)", "2,3", 0.5, 2},
    {"Pow", "%a: f64[3]", "%k = const i64[] {3} %y = Pow(%a, %k)", "3"},
    {"Reciprocal", "%a: f64[3]", "%y = Reciprocal(%a)", "3", 0.5, 2},
    {"ReduceL1", "%a: f64[2,3]", "%k = const i64[1] {1} %y = ReduceL1(%a, %k)", "2,1"},
    {"ReduceL2", "%a: f64[2,3]", "%k = const i64[1] {-1} %y = ReduceL2(%a, %k) {keepdims=0}", "2"},
    {"ReduceLogSum", "%a: f64[2,3]", "%y = ReduceLogSum(%a) {keepdims=0}", "", 0.5, 2},
    {"ReduceLogSumExp", "%a: f64[2,3]", "%k = const i64[1] {0} %y = ReduceLogSumExp(%a, %k) {keepdims=0}",
     "3"},
    {"ReduceMean", "%a: f64[2,3,2]", "%k = const i64[2] {0,2} %y = ReduceMean(%a, %k) {keepdims=0}", "3"},
    {"ReduceMean", "%a: f64[2,3]", "%y = ReduceMean(%a)", "1,1"},
    {"ReduceSum", "%a: f64[2,3]", "%k = const i64[1] {0} %y = ReduceSum(%a, %k) {keepdims=0}", "3"},
    {"ReduceSumSquare", "%a: f64[2,3]", "%y = ReduceSumSquare(%a) {keepdims=0}", ""},
    {"Relu", "%a: f64[6]", "%y = Relu(%a)", "6"},
    {"Reshape", "%a: f64[2,3]", "%k = const i64[2] {3,-1} %y = Reshape(%a, %k)", "3,2"},
    {"Round", "%a: f64[3]", "%y = Round(%a)", "3"},
    {"Sigmoid", "%a: f64[3]", "%y = Sigmoid(%a)", "3"},
    {"Sign", "%a: f64[3]", "%y = Sign(%a)", "3"},
    {"Sin", "%a: f64[3]", "%y = Sin(%a)", "3"},
    {"Sinh", "%a: f64[3]", "%y = Sinh(%a)", "3"},
    {"Softmax", "%a: f64[2,3]", "%y = Softmax(%a)", "2,3"},
    {"Softplus", "%a: f64[3]", "%y = Softplus(%a)", "3"},
    {"Softsign", "%a: f64[3]", "%y = Softsign(%a)", "3"},
    {"Sqrt", "%a: f64[3]", "%y = Sqrt(%a)", "3", 0.5, 2},
    {"Squeeze", "%a: f64[2,1,3]", "%k = const i64[1] {1} %y = Squeeze(%a, %k)", "2,3"},
    {"Sub", "%a: f64[3], %b: f64[2,3]", "%y = Sub(%a, %b)", "2,3"},
    {"Sum", "%a: f64[2,3], %b: f64[3], %c: f64[2,1]", "%y = Sum(%a, %b, %c)", "2,3"},
    {"Tan", "%a: f64[3]", "%y = Tan(%a)", "3", -1, 1},
    {"Tanh", "%a: f64[3]", "%y = Tanh(%a)", "3"},
    {"Transpose", "%a: f64[2,3,4]", "%y = Transpose(%a) {perm=[2,0,1]}", "4,2,3"},
    {"Transpose", "%a: f64[2,3]", "%y = Transpose(%a)", "3,2"},
    {"Unsqueeze", "%a: f64[3]", "%k = const i64[1] {0} %y = Unsqueeze(%a, %k)", "1,3"},
    {"Where", "%a: f64[2,3], %b: f64[3]", "%k = const boolean[3] {1,0,1} %y = Where(%k, %a, %b)", "2,3"},
};

std::shared_ptr<ir::Graph> graph_of(const Case& c) {
  auto g = ir::parse_graph(std::string("graph @t(") + c.inputs + ", %w: f64[" + c.shape + "]) -> (%z) {\n" +
                           c.statements + "\n%z = Mul(%y, %w)\n}");
  EXPECT_TRUE(g) << g.error().message;
  if (!g) return nullptr;
  const Status inferred = ir::infer(**g);
  EXPECT_TRUE(inferred) << inferred.error().message;
  return *g;
}

double sum(const Value& v) {
  double s = 0;
  for (const double x : elements<double>(v.tensor)) s += x;
  return s;
}

Result<std::vector<ir::Value*>> derivatives(ir::Graph& g, size_t wanted) {
  int64_t charged = 0;
  return onnx::differentiate({.graph = g,
                              .leaves = g.inputs(),
                              .given = g.inputs(),
                              .wanted = wanted,
                              .y = g.outputs()[0],
                              .prefix = "d",
                              .charge = [&](int64_t n) -> Status {
                                charged += n;
                                return {};
                              }});
}

TEST(Gradient, AgreesWithDifferencesForEveryRule) {
  const char* given = std::getenv("HONE_SEED");
  const unsigned seed = given ? static_cast<unsigned>(std::atoi(given)) : 7;
  std::mt19937 random(seed);
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.statements) + ", HONE_SEED=" + std::to_string(seed));
    const auto plain = graph_of(c), with = graph_of(c);
    ASSERT_TRUE(plain && with);
    const size_t wanted = with->inputs().size() - 1;
    const auto made = derivatives(*with, wanted);
    ASSERT_TRUE(made) << made.error().message;
    for (ir::Value* v : *made) with->add_output(v);
    const Status lawful = ir::verify(*with);
    ASSERT_TRUE(lawful) << lawful.error().message;

    std::vector<Value> inputs;
    for (const ir::Value* v : plain->inputs()) {
      Tensor t = *Tensor::allocate(DType::f64, v->type.shape);
      std::uniform_real_distribution<double> draw(c.low, c.high);
      for (int64_t i = 0; i < t.elements(); i++) t.data<double>()[i] = draw(random);
      inputs.emplace_back(t);
    }
    const std::vector<Value> out = must_run(*with, inputs);
    for (size_t k = 0; k < wanted; k++) {
      ASSERT_EQ(type_of(out[1 + k]), type_of(inputs[k]));
      const auto derivative = elements<double>(out[1 + k].tensor);
      for (size_t i = 0; i < derivative.size(); i++) {
        double& x = inputs[k].tensor.data<double>()[i];
        const double at = x, step = 1e-6;
        x = at + step;
        const double above = sum(must_run(*plain, inputs)[0]);
        x = at - step;
        const double below = sum(must_run(*plain, inputs)[0]);
        x = at;
        const double expected = (above - below) / (2 * step);
        ASSERT_NEAR(derivative[i], expected, 1e-6 * (1 + std::fabs(expected)))
            << "input " << k << ", element " << i;
      }
    }
  }
}

TEST(Gradient, HasACaseForEveryRule) {
  std::set<std::string> tested;
  for (const Case& c : cases) tested.insert(c.op);
#define GRADIENT(op, inputs, results, statements) EXPECT_TRUE(tested.contains(#op)) << #op;
#define REDUCTION(op, results, statements) EXPECT_TRUE(tested.contains(#op)) << #op;
#include "import/onnx/gradient.def"
#undef GRADIENT
#undef REDUCTION
}

const std::string training = "ai.onnx.preview.training";
Message attr_strings(std::string_view name, const Names& list) { return attribute(name, 8).texts(9, list); }
Message gradient(const Names& inputs, const Names& outputs, const Names& xs, const char* y,
                 const Names& zs = {}) {
  NodeExtra extra{.attributes = {attr_strings("xs", xs), attr("y", std::string_view(y))},
                  .name = "grad",
                  .domain = training};
  if (!zs.empty()) extra.attributes.push_back(attr_strings("zs", zs));
  return node("Gradient", inputs, outputs, extra);
}
ModelMessage model(std::vector<Message> nodes, std::vector<Message> inputs, const Names& outputs,
                   const std::vector<DimSpec>& dims = {2}) {
  ModelMessage m{{std::move(nodes), std::move(inputs), {}, {}}};
  for (const std::string& name : outputs) m.graph.outputs.push_back(f32_info(name, dims));
  m.opsets = {opset("", 17), opset(training, 1)};
  return m;
}

TEST(Gradient, IsTakenWhereItIsAskedFor) {
  // z = a * b + b; leaves of another value: at a = c the derivative by b is c + 1.
  const std::vector<Message> inputs{f32_info("a", {2}), f32_info("b", {2}), f32_info("c", {2})};
  const std::vector<Message> forward{node("Mul", {"a", "b"}, {"p"}), node("Add", {"p", "b"}, {"z"})};
  auto nodes = forward;
  nodes.push_back(gradient({"a", "b"}, {"da", "db"}, {"a", "b"}, "z"));
  nodes.push_back(gradient({"b", "c"}, {"at_c"}, {"b"}, "z", {"a"}));
  const auto g = must_import(model(nodes, inputs, {"z", "da", "db", "at_c"}));
  const auto out = must_run(*g, {f32({2}, {2, 3}), f32({2}, {5, 7}), f32({2}, {10, 20})});
  EXPECT_EQ(floats(out[0]), (std::vector<float>{15, 28}));
  EXPECT_EQ(floats(out[1]), (std::vector<float>{5, 7}));
  EXPECT_EQ(floats(out[2]), (std::vector<float>{3, 4}));
  EXPECT_EQ(floats(out[3]), (std::vector<float>{11, 21}));
}

TEST(Gradient, IsZeroForWhatDoesNotMatter) {
  const auto g =
      must_import(model({node("Neg", {"a"}, {"y"}), gradient({"a", "b"}, {"da", "db"}, {"a", "b"}, "y")},
                        {f32_info("a", {2}), f32_info("b", {2})}, {"da", "db"}));
  const auto out = must_run(*g, {f32({2}, {2, 3}), f32({2}, {5, 7})});
  EXPECT_EQ(floats(out[0]), (std::vector<float>{-1, -1}));
  EXPECT_EQ(floats(out[1]), (std::vector<float>{0, 0}));
}

TEST(Gradient, MayBeTakenTwice) {
  const auto g = must_import(model({node("Mul", {"a", "a"}, {"s"}), node("Mul", {"s", "a"}, {"y"}),
                                    gradient({"a"}, {"d"}, {"a"}, "y"), gradient({"a"}, {"dd"}, {"a"}, "d")},
                                   {f32_info("a", {2})}, {"d", "dd"}));
  const auto out = must_run(*g, {f32({2}, {2, 3})});
  EXPECT_EQ(floats(out[0]), (std::vector<float>{12, 27}));
  EXPECT_EQ(floats(out[1]), (std::vector<float>{12, 18}));
}

TEST(Gradient, NamesWhatCannotBeDifferentiated) {
  const auto refuse = [](std::vector<Message> nodes, std::initializer_list<const char*> parts,
                         Code code = Code::unsupported) {
    nodes.push_back(gradient({"a"}, {"d"}, {"a"}, "y"));
    expect_error(import_message(model(nodes, {f32_info("a", {2})}, {"d"})), code, parts);
  };
  refuse(
      {
          node("Cos", {"a"}, {"c"}),
          node("CumSum", {"c", "k"}, {"y"}),
      },
      {"'k'"}, Code::corrupt);
  refuse({node("Celu", {"a"}, {"y"}, {.name = "bend"})}, {"grad", "Celu 'bend'", "no derivative"});
  refuse({node("MatMul", {"a", "a"}, {"y"})}, {"MatMul", "two or more dimensions"});
  refuse({node("Shape", {"a"}, {"y"})}, {"'y'", "floats"});
  expect_error(import_message(model({node("Mul", {"a", "b"}, {"y"}), gradient({"a"}, {"d"}, {"a"}, "y")},
                                    {f32_info("a", {"n"}), f32_info("b", {"m"})}, {"d"}, {""})),
               Code::unsupported, {"'a'", "--shape"});
}

TEST(Gradient, RefusesDamagedNodes) {
  const auto refuse = [](const Message& bad, std::initializer_list<const char*> parts) {
    expect_error(import_message(model({node("Neg", {"a"}, {"y"}), bad}, {f32_info("a", {2})}, {"d"})),
                 Code::corrupt, parts);
  };
  refuse(gradient({"a"}, {"d"}, {}, "y"), {"grad", "xs and y"});
  refuse(gradient({"a", "a"}, {"d"}, {"a"}, "y"), {"2 inputs"});
  refuse(gradient({"a"}, {"d", "e"}, {"a"}, "y"), {"2 outputs"});
  refuse(gradient({"a"}, {"d"}, {"nothing"}, "y"), {"'nothing'"});
  refuse(gradient({"a"}, {"d"}, {"a"}, "nothing"), {"'nothing'"});
}

}  // namespace
}  // namespace hone::test

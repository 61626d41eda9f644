// Nodes of older opsets, for every change of meaning in ONNX's change log that its test cases do not exercise:
// each is brought to the newest definition and gives what its own version said.
#include <cmath>

#include "helpers.h"

namespace hone::test {
namespace {

using Floats = std::vector<float>;

// A value as an ONNX initializer where it is to be known, otherwise as an input.
struct In {
  Tensor value;
  bool constant = true;
};
Tensor i64s(const Dims& v) { return Tensor::of_ints(v); }

Result<std::vector<Value>> run_old(int opset_version, const char* op, const std::vector<In>& in,
                                   const std::vector<Message>& attributes, size_t outputs = 1,
                                   const char* domain = "") {
  ModelMessage m;
  m.ir_version = opset_version < 9 ? 3 : 8;
  m.opsets = {opset("", *domain ? 12 : opset_version)};
  if (*domain) m.opsets.push_back(opset(domain, opset_version));
  Names names, made;
  std::vector<Value> values;
  for (size_t i = 0; i < in.size(); i++) {
    const Tensor& t = in[i].value;
    names.push_back(t ? "x" + std::to_string(i) : "");
    if (!t) continue;
    const Dims dims(t.shape().begin(), t.shape().end());
    std::vector<DimSpec> specs;
    for (const int64_t d : dims) specs.push_back(static_cast<int>(d));
    const Message info = value_info(names.back(), tensor_type(t.dtype(), specs));
    if (in[i].constant) {
      m.graph.initializers.push_back(
          tensor_raw(names.back(), dims, t.dtype(),
                     {static_cast<const char*>(t.bytes()), static_cast<size_t>(t.byte_size())}));
      if (m.ir_version < 4) m.graph.inputs.push_back(info);
    } else {
      m.graph.inputs.push_back(info);
      values.emplace_back(t);
    }
  }
  for (size_t i = 0; i < outputs; i++) {
    made.push_back("y" + std::to_string(i));
    m.graph.outputs.push_back(Message().text(1, made.back()));
  }
  m.graph.nodes = {node(op, names, made, {attributes, "old", domain})};
  HONE_TRY(const auto graph, import_message(m));
  HONE_CHECK(ir::verify(*graph));
  // What stands in the place of an initializer may still be given as an input (IR version 3).
  std::vector<Value> inputs;
  size_t next = 0;
  for (const ir::Value* v : graph->inputs()) {
    inputs.push_back(next < values.size() ? values[next] : Value());
    next++;
    (void)v;
  }
  return ir::evaluate(*graph, inputs);
}
In data(const Shape& s, const Floats& v) { return {f32(s, v), false}; }

void expect_floats(const Result<std::vector<Value>>& r, const Shape& shape, const Floats& want,
                   size_t output = 0) {
  ASSERT_TRUE(r) << r.error().message;
  const Tensor& t = (*r)[output].tensor;
  ASSERT_EQ(t.dtype(), DType::f32);
  ASSERT_EQ(t.shape().str(), shape.str());
  for (size_t i = 0; i < want.size(); i++) EXPECT_NEAR(t.data<float>()[i], want[i], 1e-5) << "element " << i;
}
void expect_refused(const Result<std::vector<Value>>& r, const char* part) {
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().message.find("'old'"), std::string::npos) << r.error().message;
  EXPECT_NE(r.error().message.find(part), std::string::npos) << r.error().message;
}

TEST(Opset, BelowSevenASecondOperandLiesWhereItsAxisSays) {
  const In x = data({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const auto along = [&](const char* op, int64_t axis, const Shape& s, const Floats& v) {
    return run_old(6, op, {x, {f32(s, v)}}, {attr("axis", axis), attr("broadcast", int64_t{1})});
  };
  expect_floats(along("Add", 1, {3}, {10, 20, 30}), {2, 3, 2},
                {10, 11, 22, 23, 34, 35, 16, 17, 28, 29, 40, 41});
  expect_floats(along("Mul", 0, {2}, {1, 2}), {2, 3, 2}, {0, 1, 2, 3, 4, 5, 12, 14, 16, 18, 20, 22});
  expect_floats(along("Sub", -1, {2}, {1, 2}), {2, 3, 2}, {-1, -1, 1, 1, 3, 3, 5, 5, 7, 7, 9, 9});
  expect_floats(run_old(6, "Div", {x, {f32({}, {2})}}, {attr("broadcast", int64_t{1})}), {2, 3, 2},
                {0, 0.5f, 1, 1.5f, 2, 2.5f, 3, 3.5f, 4, 4.5f, 5, 5.5f});
  expect_floats(along("Pow", 1, {3}, {1, 2, 0}), {2, 3, 2}, {0, 1, 4, 9, 1, 1, 6, 7, 64, 81, 1, 1});
  expect_floats(run_old(6, "Gemm", {data({1, 2}, {1, 2}), {f32({2, 2}, {1, 0, 0, 1})}, {f32({2}, {5, 6})}},
                        {attr("broadcast", int64_t{1})}),
                {1, 2}, {6, 8});
}

TEST(Opset, BelowSevenASlopeIsOfChannels) {
  expect_floats(run_old(6, "PRelu", {data({1, 2, 2}, {-1, 1, -1, 2}), {f32({2}, {0.5f, 0.1f})}}, {}),
                {1, 2, 2}, {-0.5f, 1, -0.1f, 2});
  expect_floats(run_old(6, "PRelu", {data({1, 2, 2}, {-1, 1, -1, 2}), {f32({1}, {0.5f})}}, {}), {1, 2, 2},
                {-0.5f, 1, -0.5f, 2});
}

TEST(Opset, BelowSixNodesMayConsumeTheirInputs) {
  const Message consumed = attr("consumed_inputs", Dims{0});
  expect_floats(run_old(5, "Relu", {data({2}, {-1, 2})}, {consumed}), {2}, {0, 2});
  expect_floats(
      run_old(5, "Add", {data({2}, {-1, 2}), {f32({2}, {1, 1})}}, {attr("consumed_inputs", Dims{0, 0})}), {2},
      {0, 3});
  expect_floats(run_old(5, "Clip", {data({3}, {-1, 2, 9})}, {attr("min", 0.0f), attr("max", 6.0f), consumed}),
                {3}, {0, 2, 6});
  expect_floats(run_old(1, "Selu", {data({1}, {2})}, {consumed}), {1}, {2 * 1.0507f});
  expect_refused(run_old(6, "Relu", {data({2}, {-1, 2})}, {consumed}), "consumed_inputs");
}

TEST(Opset, BatchNormalizationTestsOnlyWhereItIsToldTo) {
  const std::vector<In> in = {
      data({2, 1}, {1, 3}), {f32({1}, {2})}, {f32({1}, {1})}, {f32({1}, {0})}, {f32({1}, {1})}};
  const Message epsilon = attr("epsilon", 0.0f);
  expect_floats(run_old(6, "BatchNormalization", in, {epsilon, attr("is_test", int64_t{1})}), {2, 1}, {3, 7});
  expect_floats(run_old(6, "BatchNormalization", in, {epsilon}), {2, 1},
                {-1, 3});  // of the batch: mean 2, variance 1
  expect_floats(run_old(7, "BatchNormalization", in, {epsilon}), {2, 1}, {3, 7});
  expect_floats(run_old(8, "BatchNormalization", in, {epsilon, attr("spatial", int64_t{1})}), {2, 1}, {3, 7});
  expect_refused(run_old(8, "BatchNormalization", in, {epsilon, attr("spatial", int64_t{0})}), "spatial=0");
  expect_refused(run_old(9, "BatchNormalization", in, {epsilon}, 3), "training");
}

TEST(Opset, DropoutDropsNothingFromSevenOnAndItsMaskIsOfTheDataBelowTen) {
  const In x = data({4}, {1, 2, 3, 4});
  for (const int version : {6, 7, 9, 10, 11}) {
    std::vector<Message> attributes = {attr("ratio", 0.9f)};
    if (version < 7) attributes.push_back(attr("is_test", int64_t{1}));
    const auto r = run_old(version, "Dropout", {x}, attributes, 2);
    expect_floats(r, {4}, {1, 2, 3, 4});
    ASSERT_TRUE(r);
    EXPECT_EQ((*r)[1].tensor.dtype(), version < 10 ? DType::f32 : DType::boolean) << version;
    if (version < 10) expect_floats(r, {4}, {1, 1, 1, 1}, 1);
  }
  const auto trained = run_old(6, "Dropout", {x}, {attr("ratio", 0.5f)}, 2);
  ASSERT_TRUE(trained) << trained.error().message;
  for (int i = 0; i < 4; i++)
    EXPECT_EQ((*trained)[0].tensor.data<float>()[i],
              2 * (*trained)[1].tensor.data<float>()[i] * static_cast<float>(i + 1));
}

TEST(Opset, BelowThirteenSoftmaxIsOfAllAxesFromItsOwnOn) {
  const In x = data({1, 2, 2}, {0, 0, 0, 0});
  expect_floats(run_old(11, "Softmax", {x}, {}), {1, 2, 2}, {0.25f, 0.25f, 0.25f, 0.25f});
  expect_floats(run_old(11, "Softmax", {x}, {attr("axis", int64_t{-1})}), {1, 2, 2},
                {0.5f, 0.5f, 0.5f, 0.5f});
  expect_floats(run_old(13, "Softmax", {x}, {attr("axis", int64_t{1})}), {1, 2, 2}, {0.5f, 0.5f, 0.5f, 0.5f});
  const float log4 = -std::log(4.0f);
  expect_floats(run_old(7, "LogSoftmax", {x}, {}), {1, 2, 2}, {log4, log4, log4, log4});
  expect_floats(run_old(7, "Hardmax", {data({1, 2, 2}, {0, 3, 9, 1})}, {}), {1, 2, 2}, {0, 0, 1, 0});
}

TEST(Opset, AxesWereAttributesOfSqueezeUnsqueezeAndReductions) {
  const In x = data({1, 2, 2}, {1, 2, 3, 4});
  expect_floats(run_old(11, "Squeeze", {x}, {attr("axes", Dims{0})}), {2, 2}, {1, 2, 3, 4});
  expect_floats(run_old(12, "Unsqueeze", {x}, {attr("axes", Dims{1, 4})}), {1, 1, 2, 2, 1}, {1, 2, 3, 4});
  struct Case {
    const char* op;
    int last;  // opset with the attribute
    Floats want;
  };
  const float e = std::exp(1.0f);
  for (const Case& c : std::vector<Case>{
           {"ReduceSum", 12, {4, 6}},
           {"ReduceMean", 17, {2, 3}},
           {"ReduceMax", 17, {3, 4}},
           {"ReduceMin", 17, {1, 2}},
           {"ReduceProd", 17, {3, 8}},
           {"ReduceL1", 17, {4, 6}},
           {"ReduceL2", 17, {std::sqrt(10.0f), std::sqrt(20.0f)}},
           {"ReduceSumSquare", 17, {10, 20}},
           {"ReduceLogSum", 17, {std::log(4.0f), std::log(6.0f)}},
           {"ReduceLogSumExp", 17, {std::log(e + e * e * e), std::log(e * e + e * e * e * e)}}}) {
    SCOPED_TRACE(c.op);
    for (const int version : {7, 11, c.last})
      expect_floats(run_old(version, c.op, {x}, {attr("axes", Dims{1}), attr("keepdims", int64_t{0})}),
                    {1, 2}, c.want);
    expect_refused(run_old(c.last + 1, c.op, {x}, {attr("axes", Dims{1})}), "axes");
  }
}

TEST(Opset, SliceTopKPadSplitAndClipTookAttributes) {
  const In x = data({4}, {3, 1, 4, 2});
  expect_floats(run_old(9, "Slice", {x}, {attr("starts", Dims{1}), attr("ends", Dims{-1})}), {2}, {1, 4});
  expect_floats(
      run_old(7, "Slice", {x}, {attr("axes", Dims{0}), attr("starts", Dims{-2}), attr("ends", Dims{1000})}),
      {2}, {4, 2});
  expect_floats(run_old(9, "TopK", {x}, {attr("k", int64_t{2})}, 2), {2}, {4, 3});
  expect_floats(run_old(10, "TopK", {x, {i64s({2})}}, {}, 2), {2}, {4, 3});
  expect_floats(run_old(10, "Pad", {x}, {attr("pads", Dims{1, 0}), attr("value", 9.0f)}), {5},
                {9, 3, 1, 4, 2});
  expect_floats(run_old(2, "Pad", {x}, {attr("pads", Dims{0, 1}), attr("mode", std::string_view("edge"))}),
                {5}, {3, 1, 4, 2, 2});
  expect_floats(run_old(1, "Pad", {x}, {attr("paddings", Dims{0, 1})}), {5}, {3, 1, 4, 2, 0});
  for (const int version : {2, 11})
    expect_floats(run_old(version, "Split", {x}, {attr("split", Dims{1, 3})}, 2), {3}, {1, 4, 2}, 1);
  expect_floats(run_old(13, "Split", {x}, {}, 2), {2}, {4, 2}, 1);
  for (const int version : {6, 10})
    expect_floats(run_old(version, "Clip", {x}, {attr("max", 2.5f)}), {4}, {2.5f, 1, 2.5f, 2});
  expect_floats(run_old(11, "Clip", {x, {}, {f32({}, {2.5f})}}, {}), {4}, {2.5f, 1, 2.5f, 2});
}

TEST(Opset, UpsampleAndResizeOfTenRepeatAsymmetrically) {
  const In x = data({1, 1, 1, 2}, {1, 3});
  const Floats nearest = {1, 1, 3, 3}, linear = {1, 2, 3, 3};
  expect_floats(run_old(1, "Upsample", {x}, {attr("width_scale", 2.0f), attr("height_scale", 1.0f)}),
                {1, 1, 1, 4}, nearest);
  expect_floats(run_old(7, "Upsample", {x}, {attribute("scales", 6).reals(7, Floats{1, 1, 1, 2})}),
                {1, 1, 1, 4}, nearest);
  for (const char* op : {"Upsample", "Resize"}) {
    const int version = *op == 'U' ? 9 : 10;
    const In scales{f32({4}, {1, 1, 1, 2})};
    expect_floats(run_old(version, op, {x, scales}, {}), {1, 1, 1, 4}, nearest);
    expect_floats(run_old(version, op, {x, scales}, {attr("mode", std::string_view("linear"))}), {1, 1, 1, 4},
                  linear);
  }
  expect_floats(run_old(11, "Resize", {x, {f32({0}, {})}, {f32({4}, {1, 1, 1, 2})}},
                        {attr("coordinate_transformation_mode", std::string_view("tf_half_pixel_for_nn")),
                         attr("nearest_mode", std::string_view("floor"))}),
                {1, 1, 1, 4}, nearest);
}

TEST(Opset, TypesWereWordsAndStringsCameWithNine) {
  const In x = data({2}, {1.5f, -2});
  const auto cast = run_old(1, "Cast", {x}, {attr("to", std::string_view("INT32"))});
  ASSERT_TRUE(cast) << cast.error().message;
  EXPECT_EQ((*cast)[0].tensor.dtype(), DType::i32);
  EXPECT_EQ((*cast)[0].tensor.data<int32_t>()[0], 1);
  expect_refused(run_old(1, "Cast", {x}, {attr("to", std::string_view("FLOAT128"))}), "FLOAT128");
  const auto text = run_old(9, "Cast", {x}, {attr("to", int64_t{8})});
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ((*text)[0].tensor.data<std::string>()[0], "1.5");
}

TEST(Opset, EarlyNodesHadOtherDefaultsAndNames) {
  const In x = data({1, 2}, {1, 2});
  expect_floats(run_old(1, "Concat", {x, x}, {}), {1, 4}, {1, 2, 1, 2});
  expect_refused(run_old(4, "Concat", {x, x}, {}), "axis");
  expect_floats(run_old(1, "Reshape", {x}, {attr("shape", Dims{2, -1})}), {2, 1}, {1, 2});
  expect_floats(run_old(1, "GlobalLpPool", {data({1, 1, 2}, {3, 4})}, {attr("p", 2.0f)}), {1, 1, 1}, {5});
  expect_floats(
      run_old(1, "LpPool", {data({1, 1, 2}, {3, 4})}, {attr("p", 1.0f), attr("kernel_shape", Dims{2})}),
      {1, 1, 1}, {7});
  expect_refused(run_old(1, "GlobalLpPool", {data({1, 1, 2}, {3, 4})}, {attr("p", 2.5f)}), "2.5");
}

TEST(Opset, RecurrentCellsHadAFlagForTheirFirstOutput) {
  const std::vector<In> in = {data({1, 1, 1}, {1}), {f32({1, 1, 1}, {1})}, {f32({1, 1, 1}, {1})}};
  const auto r =
      run_old(6, "RNN", in, {attr("hidden_size", int64_t{1}), attr("output_sequence", int64_t{1})});
  expect_floats(r, {1, 1, 1, 1}, {std::tanh(1.0f)});
  expect_refused(
      run_old(7, "RNN", in, {attr("hidden_size", int64_t{1}), attr("output_sequence", int64_t{1})}),
      "output_sequence");
  expect_refused(run_old(13, "RNN", in, {attr("hidden_size", int64_t{1}), attr("layout", int64_t{2})}),
                 "layout");
}

TEST(Opset, GroupNormalizationScaledGroupsBelowTwentyOne) {
  // Two groups of two channels of one pixel: each becomes -1, 1.
  const In x = data({1, 4, 1}, {1, 3, 5, 9});
  const std::vector<Message> attributes = {attr("num_groups", int64_t{2}), attr("epsilon", 0.0f)};
  expect_floats(run_old(18, "GroupNormalization", {x, {f32({2}, {1, 10})}, {f32({2}, {0, 100})}}, attributes),
                {1, 4, 1}, {-1, 1, 90, 110});
  expect_floats(run_old(21, "GroupNormalization",
                        {x, {f32({4}, {1, 2, 10, 20})}, {f32({4}, {0, 0, 100, 100})}}, attributes),
                {1, 4, 1}, {-1, 2, 90, 120});
}

TEST(Opset, TransformsTookTheirAxisAsAnAttribute) {
  // The axis of 17 is 1 where none is given, that of 20 the last but one.
  const In x = data({1, 2, 1, 1}, {1, 3});
  expect_floats(run_old(17, "DFT", {x}, {}), {1, 2, 1, 2}, {4, 0, -2, 0});
  expect_floats(run_old(17, "DFT", {x}, {attr("axis", int64_t{2})}), {1, 2, 1, 2}, {1, 0, 3, 0});
  expect_floats(run_old(20, "DFT", {x}, {}), {1, 2, 1, 2}, {1, 0, 3, 0});
}

TEST(Opset, SamplersHadOtherNames) {
  const In x = data({1, 1, 1, 2}, {1, 3});
  const In grid{f32({1, 1, 1, 2}, {0, 0}), false};
  expect_floats(run_old(16, "GridSample", {x, grid}, {attr("mode", std::string_view("bilinear"))}),
                {1, 1, 1, 1}, {2});
  // Regions of 10 begin at pixels' corners, those of 16 at their middles unless told otherwise.
  const std::vector<In> in = {data({1, 1, 2, 2}, {1, 2, 3, 4}), {f32({1, 4}, {0, 0, 1, 1})}, {i64s({0})}};
  const auto corner = run_old(10, "RoiAlign", in, {}), middle = run_old(16, "RoiAlign", in, {}),
             told = run_old(16, "RoiAlign", in,
                            {attr("coordinate_transformation_mode", std::string_view("output_half_pixel"))});
  ASSERT_TRUE(corner && middle && told);
  const auto number = [](const auto& r) { return (*r)[0].tensor.template data<float>()[0]; };
  EXPECT_EQ(number(corner), number(told));
  EXPECT_NE(number(corner), number(middle));
}

TEST(Opset, ScatterIsScatterElementsAndLabelsWereOneList) {
  expect_floats(run_old(9, "Scatter", {data({3}, {1, 2, 3}), {i64s({2})}, {f32({1}, {9})}}, {}), {3},
                {1, 2, 9});
  Tensor places = i64s({1, 0, 7});
  const auto r = run_old(1, "LabelEncoder", {{places, false}},
                         {attribute("classes_strings", 8).text(9, "no").text(9, "yes")}, 1, "ai.onnx.ml");
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ((*r)[0].tensor.data<std::string>()[0], "yes");
  EXPECT_EQ((*r)[0].tensor.data<std::string>()[2], "_Unused");
}

TEST(Opset, PoolsCountNoPaddingBelowSevenAndKeepTheirIndicesFromEightOn) {
  const In x = data({1, 1, 2}, {2, 4});
  const std::vector<Message> attributes = {attr("kernel_shape", Dims{2}), attr("pads", Dims{1, 0})};
  expect_floats(run_old(1, "AveragePool", {x}, attributes), {1, 1, 2}, {2, 3});
  auto counted = attributes;
  counted.push_back(attr("count_include_pad", int64_t{1}));
  expect_floats(run_old(7, "AveragePool", {x}, counted), {1, 1, 2}, {1, 3});
  const auto r = run_old(8, "MaxPool", {x}, attributes, 2);
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ((*r)[1].tensor.data<int64_t>()[1], 1);
}

}  // namespace
}  // namespace hone::test

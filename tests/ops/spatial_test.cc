// Operators over N, C and spatial dimensions: both layouts, fused activation and residual, refusals.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "ops/run_op.h"

namespace hone {
namespace {

// N,C,spatial... <-> N,spatial...,C, for elements of one or four bytes.
Tensor transposed(const Tensor& t, bool to_last) {
  const Shape& s = t.shape();
  Shape out{s[0]};
  if (!to_last) out.push_back(s.back());
  for (size_t i = to_last ? 2 : 1; i < s.size() - (to_last ? 0 : 1); i++) out.push_back(s[i]);
  if (to_last) out.push_back(s[1]);
  Tensor y = *Tensor::allocate(t.dtype(), out);
  const Dim channels = to_last ? s[1] : s.back(), pixels = t.elements() / std::max<Dim>(s[0] * channels, 1);
  const auto bytes = static_cast<size_t>(dtype_bits(t.dtype()) / 8);
  for (Dim n = 0; n < s[0]; n++)
    for (Dim c = 0; c < channels; c++)
      for (Dim p = 0; p < pixels; p++) {
        const Dim first = (n * channels + c) * pixels + p, last = (n * pixels + p) * channels + c;
        std::memcpy(y.data<char>() + static_cast<size_t>(to_last ? last : first) * bytes,
                    t.data<char>() + static_cast<size_t>(to_last ? first : last) * bytes, bytes);
      }
  return y;
}

void expect_equal(const Tensor& a, const Tensor& b, const std::string& what) {
  ASSERT_EQ(a.dtype(), b.dtype()) << what;
  ASSERT_EQ(a.shape(), b.shape()) << what;
  if (a.dtype() != DType::f32) {
    EXPECT_EQ(std::memcmp(a.bytes(), b.bytes(), static_cast<size_t>(a.byte_size())), 0) << what;
    return;
  }
  for (int64_t i = 0; i < a.elements(); i++)
    ASSERT_NEAR(a.data<float>()[i], b.data<float>()[i], 1e-5 * (1 + std::fabs(b.data<float>()[i])))
        << what << " at " << i;
}

struct SpatialCase {
  const char* op;
  Attrs attrs;
  std::vector<Value> in;  // input 0 channels first; so is the residual
  int residual = -1;      // its index
};

std::vector<SpatialCase> spatial_cases(Numbers& r) {
  const auto scalar = [](float v) { return Tensor::scalar(DType::f32, v); };
  const auto zero8 = [](int v) { return Tensor::scalar(DType::u8, static_cast<uint8_t>(v)); };
  const Tensor x = r.floats({2, 6, 7, 5}), x1 = r.floats({2, 4, 9}), x3 = r.floats({1, 4, 5, 4, 3});
  const Attrs window =
      attrs_of({{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 1, 1}}});
  Attrs ceiling = window;
  ceiling.set("ceil_mode", int64_t{1});
  Attrs counting = ceiling;
  counting.set("count_include_pad", int64_t{1});
  Attrs dilated = window;
  dilated.set("dilations", Ints{2, 3});
  const Tensor q = r.bytes(DType::u8, {2, 6, 7, 5}), qw = r.bytes(DType::i8, {4, 3, 3, 2});
  Attrs grouped = window;
  grouped.set("group", int64_t{2});
  return {
      {"Conv", window, {x, r.floats({4, 6, 3, 2}), r.floats({4})}},
      {"Conv", dilated, {x, r.floats({4, 6, 3, 2})}},
      {"Conv", grouped, {x, r.floats({4, 3, 3, 2})}},
      {"Conv",
       attrs_of({{"group", int64_t{6}}, {"auto_pad", std::string("SAME_UPPER")}}),
       {x, r.floats({6, 1, 3, 3})}},
      {"Conv",
       attrs_of({{"activation", std::string("Relu")}}),
       {x, r.floats({3, 6, 1, 1}), r.floats({3}), r.floats({2, 3, 7, 5})},
       3},
      {"Conv", attrs_of({{"pads", Ints{1, 1}}}), {x1, r.floats({2, 4, 3})}},
      {"Conv", attrs_of({{"strides", Ints{2, 1, 1}}}), {x3, r.floats({2, 4, 2, 2, 2})}},
      {"ConvTranspose", grouped, {x, r.floats({6, 2, 3, 2}), r.floats({4})}},
      {"ConvTranspose",
       attrs_of({{"strides", Ints{2, 3}}, {"output_padding", Ints{1, 2}}}),
       {x, r.floats({6, 3, 3, 2})}},
      {"MaxPool", window, {x}},
      {"MaxPool", ceiling, {x}},
      {"MaxPool", dilated, {x}},
      {"AveragePool", ceiling, {x}},
      {"AveragePool", counting, {x}},
      {"LpPool", window, {x}},
      {"GlobalAveragePool", {}, {x}},
      {"GlobalMaxPool", {}, {x3}},
      {"GlobalLpPool", {}, {x1}},
      {"BatchNormalization", {}, {x, r.floats({6}), r.floats({6}), r.floats({6}), r.floats({6}, 0.1f, 2)}},
      {"BatchNormalization",
       attrs_of({{"training_mode", int64_t{1}}}),
       {x, r.floats({6}), r.floats({6}), r.floats({6}), r.floats({6}, 0.1f, 2)}},
      {"InstanceNormalization", {}, {x, r.floats({6}), r.floats({6})}},
      {"GroupNormalization", attrs_of({{"num_groups", int64_t{3}}}), {x, r.floats({6}), r.floats({6})}},
      {"LRN", attrs_of({{"size", int64_t{3}}}), {x}},
      {"Resize",
       attrs_of({{"mode", std::string("linear")}}),
       {x, {}, Tensor::of<float>(DType::f32, {1, 1, 1.7f, 0.6f})}},
      {"Resize",
       attrs_of({{"mode", std::string("cubic")}, {"antialias", int64_t{1}}}),
       {x, {}, {}, Tensor::of_ints(std::vector<int64_t>{2, 6, 3, 8})}},
      {"Resize", attrs_of({{"axes", Ints{3, 2}}}), {x, {}, {}, Tensor::of_ints(std::vector<int64_t>{9, 4})}},
      {"DepthToSpace", attrs_of({{"blocksize", int64_t{2}}}), {r.floats({2, 8, 3, 5})}},
      {"DepthToSpace",
       attrs_of({{"blocksize", int64_t{2}}, {"mode", std::string("CRD")}}),
       {r.floats({2, 8, 3, 5})}},
      {"SpaceToDepth", attrs_of({{"blocksize", int64_t{2}}}), {r.floats({2, 3, 4, 6})}},
      {"QLinearConv",
       grouped,
       {q, scalar(0.02f), zero8(7), qw, r.floats({4}, 0.01f, 0.02f),
        Tensor::of<int8_t>(DType::i8, {0, 1, -3, 0}), scalar(1.5f), zero8(100),
        Tensor::of<int32_t>(DType::i32, {1, -2000, 3000, 0})}},
      {"ConvInteger",
       window,
       {q, r.bytes(DType::u8, {3, 6, 3, 2}), zero8(3), Tensor::of<uint8_t>(DType::u8, {1, 2, 3})}},
  };
}

TEST(Spatial, ChannelsLastIsTheTransposeOfChannelsFirst) {
  Numbers r;
  std::set<std::string> covered;
  for (const SpatialCase& c : spatial_cases(r)) {
    covered.insert(c.op);
    auto first = run_op(c.op, c.attrs, c.in);
    ASSERT_TRUE(first) << first.error().message;
    std::vector<Value> in = c.in;
    in[0] = transposed(c.in[0].tensor, true);
    if (c.residual >= 0)
      in[static_cast<size_t>(c.residual)] = transposed(c.in[static_cast<size_t>(c.residual)].tensor, true);
    Attrs attrs = c.attrs;
    attrs.set("channels_last", int64_t{1});
    auto last = run_op(c.op, attrs, in);
    ASSERT_TRUE(last) << last.error().message;
    expect_equal(transposed((*last)[0].tensor, false), (*first)[0].tensor, c.op);
  }
  for (const OpDef* op : all_ops()) {
    if (op->layout != Layout::spatial) continue;
    EXPECT_TRUE(covered.count(op->name)) << op->name << " has no case here";
  }
}

TEST(Spatial, ConvAddsTheResidualAndThenActivates) {
  Numbers r;
  const Tensor x = r.floats({1, 4, 5, 5}), w = r.floats({6, 4, 3, 3}), b = r.floats({6}),
               z = r.floats({1, 6, 3, 3});
  const Tensor plain = (*run_op("Conv", {}, {x, w, b}))[0].tensor;
  struct {
    const char* name;
    float alpha, beta;
    float (*f)(float x);
  } const activations[] = {
      {"Relu", 0, 0, [](float v) { return std::max(v, 0.0f); }},
      {"Clip", -0.5f, 0.25f, [](float v) { return std::clamp(v, -0.5f, 0.25f); }},
      {"LeakyRelu", 0.1f, 0, [](float v) { return v < 0 ? 0.1f * v : v; }},
      {"HardSigmoid", 0.2f, 0.5f, [](float v) { return std::clamp(0.2f * v + 0.5f, 0.0f, 1.0f); }},
  };
  for (const auto& a : activations) {
    const Attrs attrs = attrs_of(
        {{"activation", std::string(a.name)}, {"activation_alpha", a.alpha}, {"activation_beta", a.beta}});
    const Tensor got = (*run_op("Conv", attrs, {x, w, b, z}))[0].tensor;
    for (int64_t i = 0; i < got.elements(); i++)
      ASSERT_NEAR(got.data<float>()[i], a.f(plain.data<float>()[i] + z.data<float>()[i]), 1e-5) << a.name;
  }
}

TEST(Spatial, GemmAndMatMulActivate) {
  Numbers r;
  const Tensor a = r.floats({3, 4}), b = r.floats({4, 5});
  for (const char* op : {"Gemm", "MatMul"}) {
    const Tensor plain = (*run_op(op, {}, {a, b}))[0].tensor;
    const Tensor got = (*run_op(op, attrs_of({{"activation", std::string("Tanh")}}), {a, b}))[0].tensor;
    for (int64_t i = 0; i < got.elements(); i++)
      ASSERT_NEAR(got.data<float>()[i], std::tanh(plain.data<float>()[i]), 1e-6);
  }
}

// Fractions of 1/256 and few products: exact in f16 too.
TEST(Spatial, HalfPrecisionRoundsOnce) {
  const Tensor x =
      Tensor::of<uint16_t>(DType::f16, {0x3c00, 0x4000, 0x4200, 0x4400}).reshaped({1, 1, 2, 2});  // 1 2 3 4
  const Tensor w =
      Tensor::of<uint16_t>(DType::f16, {0x3800, 0x3c00, 0x4000, 0xbc00}).reshaped({1, 1, 2, 2});  // .5 1 2 -1
  const Tensor y = (*run_op("Conv", {}, {x, w}))[0].tensor;
  ASSERT_EQ(y.dtype(), DType::f16);
  EXPECT_EQ(y.data<uint16_t>()[0], 0x4480);  // 4.5
}

TEST(Spatial, RefusalsNameTheValue) {
  Numbers r;
  const Tensor x = r.floats({1, 4, 5, 5}), w = r.floats({6, 4, 3, 3});
  const auto says = [&](const char* op, Attrs a, std::vector<Value> in, const char* part) {
    const std::string message = refusal(op, std::move(a), in);
    EXPECT_NE(message.find(part), std::string::npos)
        << op << " said '" << message << "', expected '" << part << "' in it";
  };
  says("Conv", attrs_of({{"strides", Ints{0, 1}}}), {x, w}, "strides' holds 0");
  says("Conv", attrs_of({{"pads", Ints{-1, 0, 0, 0}}}), {x, w}, "pads' holds -1");
  says("Conv", attrs_of({{"pads", Ints{int64_t{1} << 60, 0, 0, 0}}}), {x, w}, "1152921504606846976");
  says("Conv", attrs_of({{"dilations", Ints{9, 1}}}), {x, w}, "spans 19");
  says("Conv", attrs_of({{"group", int64_t{0}}}), {x, w}, "group is 0");
  says("Conv", attrs_of({{"group", int64_t{3}}}), {x, w}, "group=3");
  says("Conv", attrs_of({{"strides", Ints{1, 1, 1}}}), {x, w}, "3 values");
  says("Conv", attrs_of({{"auto_pad", std::string("SAME")}}), {x, w}, "'SAME'");
  says("Conv", attrs_of({{"kernel_shape", Ints{3, 4}}}), {x, w}, "kernel_shape says 4");
  says("Conv", attrs_of({{"activation", std::string("Magic")}}), {x, w}, "'Magic'");
  says("Conv", {}, {x, r.floats({6, 3, 3, 3})}, "channels");
  says("Conv", {}, {x, w, r.floats({5})}, "[5]");
  says("Conv", {}, {x, w, {}, r.floats({1, 6, 3, 2})}, "residual");
  says("Conv", {}, {r.floats({1, 4}), r.floats({6, 4})}, "rank");
  says("Conv", {}, {{}, w}, "missing");
  says("Conv", {}, {x, Tensor::of<uint8_t>(DType::u8, {1})}, "u8");
  says("ConvTranspose", attrs_of({{"group", int64_t{4}}}), {x, r.floats({3, 2, 3, 3})}, "channels");
  says("ConvTranspose", attrs_of({{"output_shape", Ints{-3, 4}}}), {x, r.floats({4, 2, 3, 3})}, "-3");
  says("ConvTranspose", attrs_of({{"pads", Ints{99, 0, 0, 0}}}), {x, r.floats({4, 2, 3, 3})}, "99");
  says("MaxPool", attrs_of({{"kernel_shape", Ints{0, 1}}}), {x}, "is 0");
  says("MaxPool", attrs_of({{"kernel_shape", Ints{9, 1}}}), {x}, "spans 9");
  says("MaxPool", attrs_of({{"kernel_shape", Ints{2, 2}}, {"storage_order", int64_t{2}}}), {x},
       "storage_order is 2");
  says("LpPool", attrs_of({{"kernel_shape", Ints{2, 2}}, {"p", int64_t{0}}}), {x}, "p is 0");
  says("GroupNormalization", attrs_of({{"num_groups", int64_t{3}}}), {x, r.floats({4}), r.floats({4})},
       "num_groups is 3");
  says("LRN", attrs_of({{"size", int64_t{0}}}), {x}, "size is 0");
  says("MatMul", {}, {r.floats({2, 3}), r.floats({4, 2})}, "3 columns against 4 rows");
  says("MatMul", {}, {r.floats({}), r.floats({4, 2})}, "scalars");
  says("Gemm", {}, {r.floats({2, 3}), r.floats({3, 2}), r.floats({3})}, "[3]");
  says("Resize", {}, {x}, "neither scales nor sizes");
  says("Resize", {}, {x, {}, Tensor::of<float>(DType::f32, {1, 1, 0, 1})}, "scales holds 0");
  says("Resize", {}, {x, {}, Tensor::of<float>(DType::f32, {1, 1, 2})}, "3 values");
  says("Resize", {}, {x, {}, {}, Tensor::of_ints(Ints{1, 4, -5, 5})}, "-5");
  says("Resize", attrs_of({{"mode", std::string("area")}}), {x, {}, {}, Tensor::of_ints(Ints{1, 4, 5, 5})},
       "'area'");
  says("QuantizeLinear", {}, {x, r.floats({5})}, "[5]");
  says("QuantizeLinear", attrs_of({{"block_size", int64_t{3}}}), {x, r.floats({1, 3, 5, 5})}, "blocks of 3");
  says("QuantizeLinear", attrs_of({{"block_size", int64_t{-3}}}), {x, r.floats({1, 3, 5, 5})}, "-3");
  says("BatchNormalization", {}, {x, r.floats({4}), r.floats({4}), r.floats({3}), r.floats({4})}, "[3]");
}

// A kernel far larger than the padded map would otherwise cost as many steps as it has elements.
TEST(Spatial, HugeWindowsCostNoMoreThanWhatTheyTouch) {
  Numbers r;
  const Tensor x = r.floats({1, 1, 3, 3});
  const int64_t huge = int64_t{1} << 29;
  const Attrs a = attrs_of(
      {{"kernel_shape", Ints{huge, huge}}, {"pads", Ints{huge / 2, huge / 2, huge / 2 - 3, huge / 2 - 3}}});
  const Tensor y = (*run_op("MaxPool", a, {x}))[0].tensor;
  ASSERT_EQ(y.shape(), (Shape{1, 1, 1, 1}));
  EXPECT_EQ(y.data<float>()[0], *std::max_element(x.data<float>(), x.data<float>() + 9));
}

TEST(Spatial, EmptyBatchesAreFine) {
  Numbers r;
  EXPECT_EQ((*run_op("Conv", {}, {r.floats({0, 4, 5, 5}), r.floats({6, 4, 3, 3})}))[0].tensor.shape(),
            (Shape{0, 6, 3, 3}));
  EXPECT_EQ(
      (*run_op("Conv", {}, {r.floats({1, 0, 5, 5}), r.floats({2, 0, 3, 3})}))[0].tensor.data<float>()[0], 0);
  EXPECT_EQ((*run_op("MatMul", {}, {r.floats({2, 0}), r.floats({0, 3})}))[0].tensor.data<float>()[5], 0);
  EXPECT_EQ((*run_op("MatMul", {}, {r.floats({0, 2, 0}), r.floats({0, 3})}))[0].tensor.shape(),
            (Shape{0, 2, 3}));
  EXPECT_EQ(
      (*run_op("MaxPool", attrs_of({{"kernel_shape", Ints{2}}}), {r.floats({0, 3, 4})}))[0].tensor.shape(),
      (Shape{0, 3, 3}));
}

// --- inference ---

Shape inferred(const char* op, Attrs attrs, std::vector<ValueType> in, std::vector<Tensor> values = {}) {
  const OpDef* def = find_op(op);
  EXPECT_TRUE(bind_attrs(*def, attrs, true));
  Infer c{*def, attrs, in, values, std::vector<ValueType>(1)};
  auto ok = infer_types(c);
  EXPECT_TRUE(ok) << (ok ? "" : ok.error().message);
  return c.out[0].shape;
}

TEST(SpatialInference, KeepsWhatItCanOfUnknownDimensions) {
  const Dim s = symbol_dim(0), t = symbol_dim(1);
  const ValueType x(DType::f32, {s, 3, t, 32}), w(DType::f32, {8, 3, 3, 3});
  EXPECT_EQ(inferred("Conv", attrs_of({{"pads", Ints{1, 1, 1, 1}}}), {x, w}), (Shape{s, 8, t, 32}));
  EXPECT_EQ(inferred("Conv", {}, {x, w}), (Shape{s, 8, unknown_dim, 30}));
  EXPECT_EQ(
      inferred("Conv", attrs_of({{"strides", Ints{2, 2}}, {"auto_pad", std::string("SAME_UPPER")}}), {x, w}),
      (Shape{s, 8, unknown_dim, 16}));
  EXPECT_EQ(inferred("Conv", attrs_of({{"channels_last", int64_t{1}}, {"pads", Ints{1, 1, 1, 1}}}),
                     {ValueType(DType::f32, {s, t, 32, 3}), w}),
            (Shape{s, t, 32, 8}));
  EXPECT_EQ(inferred("Conv", {}, {ValueType(DType::f32, Shape::unranked()), w}),
            (Shape{unknown_dim, 8, unknown_dim, unknown_dim}));
  EXPECT_EQ(inferred("ConvTranspose", attrs_of({{"strides", Ints{2, 2}}}),
                     {x, ValueType(DType::f32, {3, 8, 2, 2})}),
            (Shape{s, 8, unknown_dim, 64}));
  EXPECT_EQ(inferred("MaxPool", attrs_of({{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}}), {x}),
            (Shape{s, 3, t, 32}));
  EXPECT_EQ(inferred("GlobalAveragePool", {}, {x}), (Shape{s, 3, 1, 1}));
  EXPECT_EQ(inferred("MatMul", {}, {ValueType(DType::f32, {s, t, 4}), ValueType(DType::f32, {4, 5})}),
            (Shape{s, t, 5}));
  EXPECT_EQ(inferred("Gemm", attrs_of({{"transB", int64_t{1}}}),
                     {ValueType(DType::f32, {s, 4}), ValueType(DType::f32, {5, 4})}),
            (Shape{s, 5}));
  const ValueType scales(DType::f32, {4});
  EXPECT_EQ(inferred("Resize", {}, {x, {}, scales}, {{}, {}, Tensor::of<float>(DType::f32, {1, 1, 2, 2})}),
            (Shape{s, 3, unknown_dim, 64}));
  EXPECT_EQ(inferred("Resize", {}, {x, {}, scales}), Shape::of_rank(4));
}

}  // namespace
}  // namespace hone

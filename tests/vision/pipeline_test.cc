#include "vision/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "../onnx_builder.h"

namespace hone::vision {
namespace {
using namespace hone::test;

api::Engine engine_of(const ModelMessage& m) {
  const std::string bytes = m.bytes();
  return std::move(api::build(std::as_bytes(std::span(bytes))).value());
}

// Greatest of 4 x 4 pixels, so the decision is at stride 4.
ModelMessage pooled(int height, int width) {
  return {{{node("MaxPool", {"x"}, {"y"},
                 {.attributes = {attr("kernel_shape", Dims{4, 4}), attr("strides", Dims{4, 4})}})},
           {f32_info("x", {1, 3, height, width})},
           {f32_info("y", {1, 3, height / 4, width / 4})},
           {}}};
}

// Probabilities of the channels, of any input type and layout.
ModelMessage classifier(DType type, bool channels_last, const std::vector<DimSpec>& dims) {
  GraphMessage g;
  g.nodes = {node("Cast", {"x"}, {"real"}, {.attributes = {attr("to", int64_t{1})}})};
  if (channels_last)
    g.nodes.push_back(
        node("Transpose", {"real"}, {"planes"}, {.attributes = {attr("perm", Dims{0, 3, 1, 2})}}));
  g.nodes.push_back(node("GlobalAveragePool", {channels_last ? "planes" : "real"}, {"mean"}));
  g.nodes.push_back(node("Flatten", {"mean"}, {"flat"}));
  g.nodes.push_back(node("Identity", {"flat"}, {"y"}));
  g.inputs = {value_info("x", tensor_type(type, dims))};
  g.outputs = {f32_info("y", {1, 3})};
  return {g};
}

Image random_picture(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  Image image = *Image::allocate(width, height, PixelFormat::rgb8);
  for (int i = 0; i < width * height * 3; i++) image.row(0)[i] = static_cast<uint8_t>(random());
  return image;
}
Image plain_picture(int width, int height, Rgb colour) {
  Image image = *Image::allocate(width, height, PixelFormat::rgb8);
  for (int i = 0; i < width * height * 3; i++) image.row(0)[i] = colour[static_cast<size_t>(i % 3)];
  return image;
}

Task task_of_kind(TaskKind kind, const char* decoder, Fit fit = Fit::stretch) {
  Task t;
  t.kind = kind;
  t.head.decoder = decoder;
  t.input.fit = fit;
  t.labels = {"red", "green", "blue"};
  return t;
}

// Every pixel has the class of the element of the network's map under its centre, wherever padding begins.
TEST(Pipeline, cuts_the_padding_from_segmentations_exactly) {
  const api::Engine engine = engine_of(pooled(32, 32));
  unsigned seed = 1;
  for (const auto& [width, height] :
       {std::pair(32, 20), {32, 16}, {20, 32}, {64, 40}, {17, 50}, {100, 100}, {31, 7}, {5, 3}, {200, 3}})
    for (const Anchor anchor : {Anchor::center, Anchor::top_left}) {
      Task task = task_of_kind(TaskKind::segment, "segment", Fit::letterbox);
      task.input.anchor = anchor;
      auto pipeline = Pipeline::make(engine, task);
      ASSERT_TRUE(pipeline.ok()) << pipeline.error().message;
      const Image picture = random_picture(width, height, seed++);
      const auto results = pipeline->run(picture);
      ASSERT_TRUE(results.ok()) << results.error().message;
      const auto outputs = pipeline->outputs(picture);
      ASSERT_TRUE(outputs.ok());
      const float* scores = (*outputs)[0].tensor.data<float>();
      const Placement at = *place(pipeline->task().input, width, height);
      const auto labels = at_picture_size(results->segmentation, width, height);
      ASSERT_EQ(labels.size(), static_cast<size_t>(width * height));
      for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
          const int mx = static_cast<int>(std::floor((x + 0.5) * at.scale_x + at.offset_x + 1e-9)) / 4;
          const int my = static_cast<int>(std::floor((y + 0.5) * at.scale_y + at.offset_y + 1e-9)) / 4;
          int best = 0;
          for (int c = 1; c < 3; c++)
            if (scores[c * 64 + my * 8 + mx] > scores[best * 64 + my * 8 + mx]) best = c;
          ASSERT_EQ(labels[static_cast<size_t>(y * width + x)], best)
              << width << " x " << height << " at " << x << ", " << y;
        }
    }
}

TEST(Pipeline, keeps_the_network_s_resolution_where_no_padding_cuts_it) {
  const api::Engine engine = engine_of(pooled(32, 32));
  auto pipeline = *Pipeline::make(engine, task_of_kind(TaskKind::segment, "segment", Fit::letterbox));
  EXPECT_EQ(pipeline.run(plain_picture(64, 64, {1, 2, 3}))->segmentation.width, 8);
  EXPECT_EQ(pipeline.run(plain_picture(64, 32, {1, 2, 3}))->segmentation.height,
            4);  // 8 rows above: 2 elements
  EXPECT_EQ(pipeline.run(plain_picture(64, 40, {1, 2, 3}))->segmentation.height, 20);
}

TEST(Pipeline, feeds_inputs_of_every_type_and_layout) {
  for (const DType type : {DType::f32, DType::f16, DType::u8, DType::i8})
    for (const bool last : {false, true}) {
      const std::vector<DimSpec> dims =
          last ? std::vector<DimSpec>{1, 6, 8, 3} : std::vector<DimSpec>{1, 3, 6, 8};
      const api::Engine engine = engine_of(classifier(type, last, dims));
      Task task = task_of_kind(TaskKind::classify, "classify");
      task.head.activation = "none";
      if (type == DType::i8) task.input.mean = {128, 128, 128};
      auto pipeline = Pipeline::make(engine, task);
      ASSERT_TRUE(pipeline.ok()) << pipeline.error().message;
      const auto results = pipeline->run(plain_picture(20, 10, {10, 200, 30}));
      ASSERT_TRUE(results.ok()) << results.error().message;
      ASSERT_EQ(results->classes.size(), 3u);
      EXPECT_EQ(results->classes[0].label, 1) << dtype_name(type) << last;
      EXPECT_NEAR(results->classes[0].score, type == DType::i8 ? 72 : 200, 0.51);
      EXPECT_EQ(results->picture_width, 20);
    }
}

TEST(Pipeline, chooses_a_size_only_where_the_engine_leaves_it_open) {
  const api::Engine open = engine_of(classifier(DType::f32, false, {"n", 3, "h", "w"}));
  Task task = task_of_kind(TaskKind::classify, "classify");
  const auto none = Pipeline::make(open, task);
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("size"), std::string::npos) << none.error().message;
  task.input.width = 12;
  task.input.height = 10;
  auto pipeline = Pipeline::make(open, task);
  ASSERT_TRUE(pipeline.ok()) << pipeline.error().message;
  EXPECT_EQ(pipeline->run(plain_picture(5, 5, {1, 2, 30}))->classes[0].label, 2);
  EXPECT_EQ(pipeline->input().shape, (Shape{1, 3, 10, 12}));
  EXPECT_FALSE(Pipeline::make(engine_of(classifier(DType::f32, false, {1, 3, 8, 8})), task).ok());
}

TEST(Pipeline, takes_tensors_made_elsewhere) {
  const api::Engine engine = engine_of(classifier(DType::f32, false, {1, 3, 4, 4}));
  auto pipeline = *Pipeline::make(engine, task_of_kind(TaskKind::classify, "classify"));
  const Image red = plain_picture(9, 9, {250, 0, 0});
  const Placement at = *place(pipeline.task().input, 9, 9);
  Tensor blue = *Tensor::allocate(DType::f32, Shape{1, 3, 4, 4});
  for (int i = 0; i < 48; i++) blue.data<float>()[i] = i < 32 ? 0.0f : 100.0f;
  EXPECT_EQ(pipeline.run(red)->classes[0].label, 0);
  EXPECT_EQ(pipeline.run(blue.view(), at)->classes[0].label, 2);
  EXPECT_EQ(pipeline.run(red)->classes[0].label, 0);
  const auto wrong = pipeline.run(Tensor::allocate(DType::f32, Shape{1, 3, 4, 5})->view(), at);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message, "the tensor is f32[1,3,4,5], the engine takes f32[1,3,4,4]");
}

TEST(Pipeline, refuses_what_cannot_be) {
  const api::Engine engine = engine_of(pooled(32, 32));
  EXPECT_FALSE(Pipeline::make(engine, task_of_kind(TaskKind::segment, "segment", Fit::crop)).ok());
  EXPECT_FALSE(Pipeline::make(engine, task_of_kind(TaskKind::segment, "nonsense")).ok());
  const auto none = vision::task_of(engine);
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("--preset"), std::string::npos);
}

TEST(EngineInfo, names_what_made_an_output_behind_rearrangement) {
  const auto info = info_of(engine_of({{{node("Softmax", {"x"}, {"s"}), node("Flatten", {"s"}, {"y"})},
                                        {f32_info("x", {"n", 3, 1, 1})},
                                        {f32_info("y", {"n", 3})},
                                        {}}}));
  ASSERT_TRUE(info.ok());
  ASSERT_EQ(info->inputs.size(), 1u);
  EXPECT_EQ(info->inputs[0].name, "x");
  EXPECT_EQ(info->inputs[0].type, DType::f32);
  EXPECT_EQ(info->inputs[0].dims, (std::vector<int64_t>{-1, 3, 1, 1}));
  ASSERT_EQ(info->outputs.size(), 1u);
  EXPECT_EQ(info->outputs[0].made_by, "Softmax");
  EXPECT_NE(std::find(info->operators.begin(), info->operators.end(), "Softmax"), info->operators.end());
}

}  // namespace
}  // namespace hone::vision

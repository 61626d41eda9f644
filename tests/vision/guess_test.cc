#include "vision/guess.h"

#include <gtest/gtest.h>

namespace hone::vision {
namespace {

using Dims = std::vector<int64_t>;
using Ops = std::vector<std::string>;

PortInfo port(const char* name, Dims dims, DType type = DType::f32, const char* made_by = "") {
  return {name, type, true, std::move(dims), made_by};
}

EngineInfo engine(Dims input, std::vector<PortInfo> outputs, Ops operators = {}) {
  return {{port("images", std::move(input))}, std::move(outputs), std::move(operators)};
}

EngineInfo engine(Dims input, Dims output, Ops operators = {}, const char* made_by = "") {
  return engine(std::move(input), {port("output", std::move(output), DType::f32, made_by)},
                std::move(operators));
}

Guess guessed(const EngineInfo& e) {
  auto g = guess_task(e);
  EXPECT_TRUE(g) << (g ? "" : g.error().message);
  if (!g) return {};
  EXPECT_FALSE(g->reasons.empty());
  EXPECT_FALSE(g->open.empty()) << "no graph says how its pictures were made";
  // What is guessed can be carried by an engine.
  const std::string text = print_task(g->task);
  auto again = parse_task(text);
  EXPECT_TRUE(again) << (again ? "" : again.error().message) << text;
  if (again) { EXPECT_EQ(print_task(*again), text); }
  return *g;
}

std::string refused(const EngineInfo& e) {
  auto g = guess_task(e);
  EXPECT_FALSE(g) << g->task.head.decoder;
  if (g) return "";
  EXPECT_NE(g.error().message.find("--preset NAME"), std::string::npos);
  EXPECT_NE(g.error().message.find("--task FILE.toml"), std::string::npos);
  return g.error().message;
}

bool says(const std::vector<std::string>& lines, const char* part) {
  for (const std::string& line : lines)
    if (line.find(part) != std::string::npos) return true;
  return false;
}

#define EXPECT_SAYS(lines, part) \
  EXPECT_TRUE(says(lines, part)) << "no '" << (part) << "' in: " << testing::PrintToString(lines)
#define EXPECT_IN(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

// ---- the models of the data folder and of the benchmarks

TEST(Guess, knows_yolox_by_its_cells) {
  const Guess g =
      guessed(engine({1, 3, 416, 416}, {1, 3549, 85}, {"Conv", "Sigmoid", "Transpose"}, "Transpose"));
  EXPECT_EQ(g.task.kind, TaskKind::detect);
  EXPECT_EQ(g.task.head.decoder, "yolox");
  EXPECT_EQ(g.task.head.box_format, "");
  EXPECT_EQ(g.task.input.width, 416);
  EXPECT_EQ(g.task.input.height, 416);
  EXPECT_EQ(g.task.input.layout, Layout::nchw);
  EXPECT_EQ(g.task.input.channels, Channels::bgr);
  EXPECT_EQ(g.task.labels.size(), 80u);
  EXPECT_SAYS(g.reasons,
              "output 'output' is f32[1,3549,85]: 3549 cells are those of strides 8, 16 and 32 on 416x416");
  EXPECT_SAYS(g.reasons, "80 classes");
  EXPECT_SAYS(g.open, "channels: bgr");
  EXPECT_SAYS(g.open, "mean and scale: (pixel - [0, 0, 0]) * [1, 1, 1]");
  EXPECT_SAYS(g.open, "labels: the usual ones of 80 classes, from \"person\" to \"toothbrush\"");
}

TEST(Guess, knows_yolox_of_other_sizes_classes_and_decoded) {
  EXPECT_EQ(guessed(engine({1, 3, 320, 640}, {1, 40 * 80 + 20 * 40 + 10 * 20, 9})).task.head.decoder,
            "yolox");
  const Guess own = guessed(engine({1, 3, 416, 416}, {1, 3549, 45}));
  EXPECT_TRUE(own.task.labels.empty());
  EXPECT_SAYS(own.open, "labels: none for 40 classes");
  const Guess decoded = guessed(engine({1, 3, 416, 416}, {1, 3549, 85}, {"Exp"}));
  EXPECT_EQ(decoded.task.head.box_format, "cxcywh");
  EXPECT_SAYS(decoded.reasons, "Exp is among the operators");
  const Guess p6 = guessed(engine({1, 3, 1280, 1280}, {1, 160 * 160 + 80 * 80 + 40 * 40 + 20 * 20, 85}));
  EXPECT_EQ(p6.task.head.strides, (std::vector<int>{8, 16, 32, 64}));
  // YOLOv6 has the same shape and decodes with Sub and Add.
  EXPECT_IN(refused(engine({1, 3, 416, 416}, {1, 3549, 85}, {"Sub"})), "does the graph decode the boxes");
  EXPECT_IN(refused(engine({1, 3, 416, 416}, {1, 3550, 85})), "of no shape that says it");
}

TEST(Guess, knows_yolov8_and_whether_its_boxes_are_decoded) {
  const Guess decoded = guessed(engine({1, 3, 640, 640}, {1, 84, 8400}, {"Softmax", "Conv"}));
  EXPECT_EQ(decoded.task.head.decoder, "yolov8");
  EXPECT_EQ(decoded.task.head.reg_max, 0);
  EXPECT_EQ(decoded.task.labels.size(), 80u);
  EXPECT_EQ(decoded.task.input.channels, Channels::rgb);
  EXPECT_NEAR(decoded.task.input.scale[0], 1 / 255.0f, 1e-7f);
  for (const int64_t side : {320, 640}) {  // the benchmarks' export leaves the distributions
    const int64_t cells = side * side * 21 / 1024;
    const Guess raw = guessed(engine({1, 3, side, side}, {1, 144, cells}, {"Conv", "Sigmoid"}, "Concat"));
    EXPECT_EQ(raw.task.head.decoder, "yolov8");
    EXPECT_EQ(raw.task.head.reg_max, 15);
    EXPECT_EQ(raw.task.labels.size(), 80u);
    EXPECT_SAYS(raw.open, "activation");
  }
  EXPECT_EQ(guessed(engine({1, 3, 640, 640}, {1, 7, 8400})).task.head.decoder, "yolov8");
  EXPECT_IN(refused(engine({1, 3, 640, 640}, {1, 84, 8400})),
            "80 classes and boxes, or with 20 and distributions");
  EXPECT_IN(refused(engine({1, 3, 640, 640}, {1, 56, 8400}, {"Softmax"})),
            "17 keypoints or YOLOv8's with 52 classes");
}

TEST(Guess, knows_yolov5_by_three_boxes_to_a_cell) {
  const Guess g = guessed(engine({1, 3, 640, 640}, {1, 25200, 85}));
  EXPECT_EQ(g.task.head.decoder, "yolov5");
  EXPECT_SAYS(g.reasons, "8400 cells");
  EXPECT_EQ(guessed(engine({1, 3, 1280, 1280}, {1, 102000, 85})).task.head.decoder, "yolov5");
}

TEST(Guess, knows_nanodet_by_its_usual_classes_and_activation) {
  EXPECT_EQ(guessed(engine({1, 3, 416, 416}, {1, 3598, 112})).task.head.decoder, "nanodet");
  EXPECT_EQ(guessed(engine({1, 3, 320, 320}, {1, 2125, 112})).task.head.decoder, "nanodet");
  EXPECT_EQ(guessed(engine({1, 3, 416, 416}, {1, 3549, 112})).task.head.decoder, "nanodet");
  EXPECT_IN(refused(engine({1, 3, 416, 416}, {1, 3549, 45}, {"LeakyRelu"})),
            "NanoDet's with 13 classes or YOLOX's with 40");
}

TEST(Guess, knows_yolov3_but_not_its_anchors) {
  const auto maps = [](int64_t c) {
    return std::vector<PortInfo>{port("a", {1, c, 13, 13}), port("b", {1, c, 26, 26}),
                                 port("c", {1, c, 52, 52})};
  };
  const Guess g = guessed(engine({1, 3, 416, 416}, maps(255)));
  EXPECT_EQ(g.task.head.decoder, "yolov3");
  EXPECT_EQ(g.task.head.anchors.size(), 18u);
  EXPECT_SAYS(g.open, "anchors");
  EXPECT_IN(refused(engine({1, 3, 416, 416}, maps(75))), "maps of three boxes of 20 classes");
  const Guess last =
      guessed({{port("x", {1, 416, 416, 3})},
               {port("a", {1, 13, 13, 255}), port("b", {1, 26, 26, 255}), port("c", {1, 52, 52, 255})},
               {}});
  EXPECT_EQ(last.task.input.layout, Layout::nhwc);
}

TEST(Guess, knows_ultraface_by_its_priors) {
  const auto faces = [](Dims input, int64_t rows, Ops ops) {
    return engine(std::move(input),
                  {port("scores", {1, rows, 2}, DType::f32, "Softmax"), port("boxes", {1, rows, 4})},
                  std::move(ops));
  };
  const Guess g = guessed(faces({1, 3, 240, 320}, 4420, {"Exp"}));
  EXPECT_EQ(g.task.head.decoder, "ultraface");
  EXPECT_EQ(g.task.input.width, 320);
  EXPECT_EQ(g.task.input.height, 240);
  EXPECT_EQ(g.task.labels, (std::vector<std::string>{"face"}));
  EXPECT_SAYS(g.open, "mean and scale: (pixel - [127, 127, 127]) * [0.007812, 0.007812, 0.007812]");
  EXPECT_EQ(guessed(faces({1, 3, 480, 640}, 17640, {"Exp"})).task.head.decoder, "ultraface");
  EXPECT_IN(refused(faces({1, 3, 240, 320}, 4420, {})), "are the boxes decoded");
  EXPECT_IN(refused(faces({1, 3, 240, 320}, 4421, {"Exp"})), "neither priors nor boxes");
}

TEST(Guess, knows_torchvisions_ssds_by_their_priors) {
  const auto ssd = [](int64_t side, int64_t rows, Ops ops) {
    return engine({1, 3, side, side},
                  {port("out0", {1, rows, 4}), port("out1", {1, rows, 91}, DType::f32, "Softmax")},
                  std::move(ops));
  };
  const Guess lite = guessed(ssd(320, 3234, {"Softmax"}));
  EXPECT_EQ(lite.task.head.decoder, "ssd");
  EXPECT_EQ(lite.task.labels.size(), 91u);
  EXPECT_EQ(guessed(ssd(300, 8732, {"Softmax"})).task.head.decoder, "ssd");
  EXPECT_IN(refused(ssd(320, 3234, {"Exp"})), "neither priors nor boxes");
  EXPECT_IN(refused(ssd(320, 3230, {})), "SSD");
}

TEST(Guess, knows_detr_by_its_hundred_queries) {
  const auto detr = [](int64_t n, const char* boxes, const char* made_by) {
    return engine({1, 3, 800, 800},
                  {port("logits", {1, n, 92}), port(boxes, {1, n, 4}, DType::f32, made_by)});
  };
  EXPECT_EQ(guessed(detr(100, "boxes", "Sigmoid")).task.head.decoder, "detr");
  const Guess named = guessed(detr(100, "pred_boxes", ""));
  EXPECT_EQ(named.task.head.decoder, "detr");
  EXPECT_EQ(named.task.labels.size(), 91u);
  refused(detr(300, "pred_boxes", "Sigmoid"));
  refused(detr(100, "boxes", ""));
}

TEST(Guess, knows_boxes_that_are_chosen_in_the_graph) {
  EXPECT_EQ(guessed(engine({1, 3, 640, 640}, {1, 300, 6}, {"TopK"})).task.head.decoder, "boxes");
  EXPECT_EQ(guessed(engine({1, 3, 640, 640}, {-1, 7}, {"NonMaxSuppression"})).task.head.decoder, "boxes");
  refused(engine({1, 3, 640, 640}, {1, 300, 6}));
  const std::vector<PortInfo> torchvision = {port("boxes", {-1, 4}), port("labels", {-1}, DType::i64),
                                             port("scores", {-1})};
  EXPECT_EQ(guessed(engine({1, 3, 320, 320}, torchvision, {"NonMaxSuppression"})).task.head.decoder, "boxes");
  refused(engine({1, 3, 320, 320}, torchvision, {}));
  const std::vector<PortInfo> tensorflow = {port("detection_boxes", {1, 100, 4}),
                                            port("detection_classes", {1, 100}),
                                            port("detection_scores", {1, 100}), port("num_detections", {1})};
  EXPECT_EQ(guessed(engine({1, 300, 300, 3}, tensorflow, {"NonMaxSuppression"})).task.head.decoder, "boxes");
}

TEST(Guess, knows_classifiers_and_whether_softmax_is_in_the_graph) {
  const Guess squeezenet = guessed(engine({1, 3, 227, 227}, {1, 1000}, {"Softmax"}, "Softmax"));
  EXPECT_EQ(squeezenet.task.head.decoder, "classify");
  EXPECT_EQ(squeezenet.task.head.activation, "none");
  EXPECT_EQ(squeezenet.task.input.width, 227);
  const Guess resnet = guessed(engine({1, 3, 224, 224}, {1, 1000}, {"Gemm"}, "Gemm"));
  EXPECT_EQ(resnet.task.head.activation, "softmax");
  EXPECT_EQ(resnet.task.input.short_side, 256);
  EXPECT_SAYS(resnet.reasons, "no Softmax makes it");
  EXPECT_SAYS(resnet.open, "embedding");
  EXPECT_EQ(guessed(engine({1, 3, 299, 299}, {1, 1000})).task.input.short_side, 342);
  // Attention has Softmax inside: what makes the output counts.
  EXPECT_EQ(guessed(engine({1, 3, 224, 224}, {1, 1000}, {"Softmax", "Gemm"}, "Gemm")).task.head.activation,
            "softmax");
  EXPECT_EQ(guessed(engine({-1, 3, 224, 224}, {-1, 1000, 1, 1})).task.head.decoder, "classify");
  const Guess mnist = guessed(engine({1, 1, 28, 28}, {1, 10}, {"Add"}, "Add"));
  EXPECT_EQ(mnist.task.input.channels, Channels::gray);
  EXPECT_EQ(mnist.task.input.fit, Fit::stretch);
  EXPECT_EQ(mnist.task.input.scale[0], 1);
  EXPECT_EQ(guessed(engine({1, 224, 224, 3}, {1, 1001})).task.input.layout, Layout::nhwc);
  EXPECT_IN(refused(engine({1, 3, 224, 224}, {1, 1})), "a single number");
}

TEST(Guess, knows_segmentations_by_their_stride) {
  const Guess espnet =
      guessed(engine({1, 3, 360, 480}, {1, 12, 360, 480}, {"ConvTranspose"}, "ConvTranspose"));
  EXPECT_EQ(espnet.task.head.decoder, "segment");
  EXPECT_EQ(espnet.task.input.width, 480);
  EXPECT_SAYS(espnet.open, "labels: none for 12 classes");
  const Guess deeplab = guessed(engine({1, 3, 321, 321}, {1, 21, 321, 321}, {}, "Resize"));
  EXPECT_EQ(deeplab.task.labels.size(), 21u);
  EXPECT_EQ(guessed(engine({1, 3, 256, 256}, {1, 2, 256, 256})).task.head.decoder, "segment");
  EXPECT_EQ(guessed(engine({1, 3, 513, 513}, {1, 21, 65, 65})).task.head.decoder, "segment");
  EXPECT_EQ(guessed(engine({1, 512, 512, 3}, {1, 128, 128, 19})).task.head.decoder, "segment");
  EXPECT_EQ(
      guessed(engine({1, 3, 512, 512}, {port("y", {1, 512, 512}, DType::i64, "ArgMax")})).task.head.decoder,
      "segment");
  // Super resolution is larger than its input; a picture or a mask, keypoints, features could be anything.
  refused(engine({1, 1, 224, 224}, {1, 1, 672, 672}));
  EXPECT_IN(refused(engine({1, 3, 224, 224}, {1, 3, 224, 224})), "may be a picture or a mask");
  EXPECT_IN(refused(engine({1, 3, 256, 192}, {1, 17, 64, 48})), "heat maps of 17 keypoints");
  EXPECT_IN(refused(engine({1, 3, 512, 512}, {1, 256, 32, 32})), "features");
}

TEST(Guess, refuses_what_is_no_picture) {
  EXPECT_IN(refused(engine({1, 128}, {1, 10})), "a picture takes four dimensions");
  EXPECT_IN(refused(engine({4, 3, 224, 224}, {4, 1000})), "one by one");
  EXPECT_IN(refused(engine({1, 4, 224, 224}, {1, 1000})), "neither 1 nor 3");
  EXPECT_IN(refused(engine({1, 3, 224, 3}, {1, 1000})), "could have its channels first or last");
  EXPECT_IN(refused({{port("a", {1, 3, 8, 8}), port("b", {1})}, {port("c", {1, 10})}, {}}), "2 inputs");
  EXPECT_IN(refused(engine({1, 3, -1, -1}, {1, -1, 85})), "the size of its input is free");
  EXPECT_IN(refused(engine({1, 3, 224, 224}, std::vector<PortInfo>{})), "of no shape that says it");
  EXPECT_IN(refused({{port("a", {1, 3, 224, 224}, DType::i64)}, {port("c", {1, 10})}, {}}),
            "f32, f16, u8 or i8");
}

TEST(Guess, shows_what_it_has_seen_when_it_refuses) {
  const std::string m = refused(engine({1, 3, 64, 64}, {1, 5, 6, 7}));
  EXPECT_IN(m, "Inputs: 'images' f32[1,3,64,64]; outputs: 'output' f32[1,5,6,7]");
}

// ---- complete_task

Task task(std::string_view text) {
  auto t = parse_task(text);
  EXPECT_TRUE(t) << (t ? "" : t.error().message);
  return t ? *t : Task{};
}

std::string complete_error(std::string_view text, const EngineInfo& e) {
  Task t = task(text);
  const auto done = complete_task(t, e);
  EXPECT_FALSE(done);
  return done ? "" : done.error().message;
}

TEST(CompleteTask, takes_size_layout_and_type_from_the_engine) {
  Task t = task("task = \"classify\"");
  EngineInfo e{{port("x", {1, 192, 256, 3}, DType::u8)}, {port("y", {1, 10})}, {}};
  ASSERT_TRUE(complete_task(t, e));
  EXPECT_EQ(t.input.width, 256);
  EXPECT_EQ(t.input.height, 192);
  EXPECT_EQ(t.input.layout, Layout::nhwc);
  EXPECT_EQ(t.input.type, DType::u8);
  EXPECT_EQ(t.head.activation, "");
  // A free size is the task's.
  t = task("task = \"classify\"\n[input]\nsize = [96, 64]");
  ASSERT_TRUE(complete_task(t, engine({-1, 3, -1, -1}, {-1, 10})));
  EXPECT_EQ(t.input.width, 96);
  t = task("task = \"classify\"\n[input]\nsize = [96, 64]\nlayout = \"nhwc\"");
  ASSERT_TRUE(complete_task(t, engine({-1, -1, -1, -1}, {-1, 10})));
  EXPECT_EQ(t.input.layout, Layout::nhwc);
  // Three high, three channels: the layout that is given decides.
  t = task("task = \"raw\"\n[input]\nlayout = \"nhwc\"");
  ASSERT_TRUE(complete_task(t, engine({1, 3, 5, 3}, {1, 10})));
  EXPECT_EQ(t.input.height, 3);
  EXPECT_EQ(t.input.width, 5);
}

TEST(CompleteTask, names_both_sides_of_what_cannot_be) {
  const EngineInfo e = engine({1, 3, 416, 416}, {1, 3549, 85});
  EXPECT_EQ(
      complete_error("task = \"raw\"\n[input]\nsize = [640, 416]", e),
      "[input] size = [640, 416], but input 'images' is f32[1,3,416,416]: the engine fixes a width of 416 "
      "pixels");
  EXPECT_EQ(
      complete_error("task = \"raw\"\n[input]\nchannels = \"gray\"", e),
      "[input] channels = \"gray\" makes 1, but input 'images' is f32[1,3,416,416]; a network of three takes "
      "channels = \"rgb\" or \"bgr\"");
  EXPECT_IN(complete_error("task = \"raw\"", engine({1, 1, 28, 28}, {1, 10})), "takes channels = \"gray\"");
  EXPECT_EQ(complete_error("task = \"raw\"\n[input]\ntype = \"u8\"", e),
            "[input] type = \"u8\", but input 'images' is f32[1,3,416,416]");
  EXPECT_EQ(complete_error("task = \"raw\"\n[input]\nlayout = \"nhwc\"", e),
            "[input] layout = \"nhwc\" with 3 channels, but input 'images' is f32[1,3,416,416]");
  EXPECT_EQ(complete_error("[head]\ndecoder = \"yolox\"\noutputs = { predictions = \"boxes\" }", e),
            "[head] outputs: predictions = \"boxes\", but the engine has no such output; it has 'output' "
            "f32[1,3549,85]");
  EXPECT_IN(complete_error("task = \"raw\"", engine({1, 3, -1, 64}, {1, 10})),
            "say [input] size = [width, height]");
  EXPECT_IN(complete_error("task = \"raw\"", engine({1, -1, -1, -1}, {1, 10})),
            "which dimension is the channels");
  EXPECT_IN(complete_error("task = \"raw\"", engine({1, 3, 64}, {1, 10})), "four dimensions");
  EXPECT_IN(complete_error("task = \"raw\"", engine({2, 3, 64, 64}, {1, 10})), "batch of 1");
  EXPECT_IN(complete_error("task = \"raw\"", engine({1, 3, 64, 0}, {1, 10})), "a width of 0 pixels");
  EXPECT_IN(complete_error("task = \"raw\"", {{port("x", {1, 3, 8, 8}, DType::f64)}, {port("y", {1})}, {}}),
            "become f32, f16, u8 or i8");
  EXPECT_IN(complete_error("task = \"raw\"", {{}, {port("y", {1})}, {}}), "0 inputs: none");
  EXPECT_IN(complete_error("task = \"raw\"", {{port("x", {1, 3, 8, 8})}, {}, {}}), "no outputs");
}

TEST(CompleteTask, refuses_more_labels_than_classes) {
  const auto labels = [](const char* decoder, int n) {
    std::string text = "labels = [";
    for (int i = 0; i < n; i++) text += "\"a\",";
    return text + "]\n[head]\ndecoder = \"" + decoder + "\"";
  };
  struct Case {
    const char* decoder;
    Dims output;
    int classes;
  };
  for (const Case& c :
       {Case{"classify", {1, 10}, 10}, Case{"classify", {1, 10, 1, 1}, 10}, Case{"yolox", {1, 3549, 85}, 80},
        Case{"yolov8", {1, 24, 3549}, 20}, Case{"segment", {1, 12, 416, 416}, 12}}) {
    const EngineInfo e = engine({1, 3, 416, 416}, c.output);
    Task t = task(labels(c.decoder, c.classes));
    EXPECT_TRUE(complete_task(t, e)) << c.decoder;
    EXPECT_IN(complete_error(labels(c.decoder, c.classes + 1), e),
              strf("%d labels, but output", c.classes + 1));
  }
}

}  // namespace
}  // namespace hone::vision

#include "vision/task.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "vision/decoder.h"
#include "vision/task_fields.h"

namespace hone::vision {
namespace {

Task good(std::string_view text, const std::string& folder = "") {
  auto task = parse_task(text, folder);
  EXPECT_TRUE(task) << (task ? "" : task.error().message) << "\n" << text;
  return task ? *task : Task{};
}

std::string bad(std::string_view text, const std::string& folder = "") {
  auto task = parse_task(text, folder);
  EXPECT_FALSE(task) << text;
  return task ? "" : task.error().message;
}

TEST(Task, is_read_from_what_the_header_shows) {
  const Task t = good(R"(
task = "detect"
licence = "Apache-2.0"
labels = ["person", "car"]
pictures = ["street.jpg", "sub/night.png"]
colours = ["#ff0000", "#00a0ff"]
[input]
size = [416, 320]
fit = "letterbox"
anchor = "top_left"
interpolation = "area"
channels = "bgr"
mean = [1, 2.5, 3]
std = [2, 4, 8]
pad = 114
layout = "nhwc"
type = "u8"
[head]
decoder = "yolox"
outputs = { predictions = "output" }
score_threshold = 0.25
iou_threshold = 0.45
class_agnostic = true
max_detections = 10
strides = [8, 16]
)");
  EXPECT_EQ(t.kind, TaskKind::detect);
  EXPECT_EQ(t.licence, "Apache-2.0");
  EXPECT_EQ(t.labels, (std::vector<std::string>{"person", "car"}));
  EXPECT_EQ(t.pictures, (std::vector<std::string>{"street.jpg", "sub/night.png"}));
  EXPECT_EQ(t.colours, (std::vector<Rgb>{{255, 0, 0}, {0, 160, 255}}));
  EXPECT_EQ(t.input.width, 416);
  EXPECT_EQ(t.input.height, 320);
  EXPECT_EQ(t.input.fit, Fit::letterbox);
  EXPECT_EQ(t.input.anchor, Anchor::top_left);
  EXPECT_EQ(t.input.interpolation, Interpolation::area);
  EXPECT_EQ(t.input.channels, Channels::bgr);
  EXPECT_EQ(t.input.mean, (std::array<float, 3>{1, 2.5f, 3}));
  EXPECT_EQ(t.input.scale, (std::array<float, 3>{0.5f, 0.25f, 0.125f}));
  EXPECT_EQ(t.input.pad, (std::array<float, 3>{114, 114, 114}));
  EXPECT_TRUE(t.layout_given && t.type_given);
  EXPECT_EQ(t.input.layout, Layout::nhwc);
  EXPECT_EQ(t.input.type, DType::u8);
  EXPECT_EQ(t.head.decoder, "yolox");
  EXPECT_EQ(t.head.outputs.at("predictions"), "output");
  EXPECT_EQ(t.head.score_threshold, 0.25f);
  EXPECT_EQ(t.head.iou_threshold, 0.45f);
  EXPECT_TRUE(t.head.class_agnostic);
  EXPECT_EQ(t.head.max_detections, 10);
  EXPECT_EQ(t.head.strides, (std::vector<int>{8, 16}));
}

TEST(Task, may_hold_any_language_in_strings_and_comments) {
  const Task t =
      good("\xef\xbb\xbftask = \"raw\" # caf\xc3\xa9\r\nlabels = ['\xe4\xba\xba', \"\"\"\xc3\xa9\"\"\"]");
  EXPECT_EQ(t.labels, (std::vector<std::string>{"\xe4\xba\xba", "\xc3\xa9"}));
}

TEST(Task, and_decoder_imply_each_other) {
  EXPECT_EQ(good("task = \"segment\"").head.decoder, "segment");
  EXPECT_EQ(good("[head]\ndecoder = \"classify\"").kind, TaskKind::classify);
  EXPECT_EQ(bad("task = \"classify\"\n[head]\ndecoder = \"yolox\""),
            "line 1: key \"task\": value \"classify\": decoder \"yolox\" is for task = \"detect\"");
  EXPECT_NE(bad("task = \"detect\"").find("key \"decoder\" of [head] is missing"), std::string::npos);
  EXPECT_NE(bad("").find("key \"decoder\" of [head] is missing, and so is key \"task\""), std::string::npos);
}

TEST(Task, does_not_depend_on_the_order_of_its_keys) {
  const Task t = good("[head]\ndecoder = \"raw\"\n[input]\nshort_side = 256.5\nfit = \"crop\"");
  EXPECT_EQ(t.input.short_side, 256.5);
}

struct Wrong {
  const char* text;
  const char* message;
};

TEST(Task, names_line_key_value_and_remedy_of_each_error) {
  const Wrong all[] = {
      {"task = 1",
       "line 1: key \"task\": value 1: expected one of \"classify\", \"detect\", \"segment\", "
       "\"pose\", \"raw\""},
      {"task = \"count\"", "line 1: key \"task\": value \"count\": expected one of"},
      {"licence = 3", "line 1: key \"licence\": value 3: expected text of at most 256 bytes"},
      {"note = \"a\\u001bb\"", "line 1: key \"note\": value \"a\\u001bb\": expected text"},
      {"labels = \"a\"", "line 1: key \"labels\": value \"a\": expected a list of at most 65536"},
      {"labels = [\"a\", 1]", "line 1: key \"labels\": value [\"a\", 1]: expected a list"},
      {"labels = [\"a\"]\nlabels_file = \"x\"",
       "line 1: key \"labels\": value [\"a\"]: \"labels_file\" is given too"},
      {"labels_file = \"x\"", "line 1: key \"labels_file\": value \"x\": what names it was read from memory"},
      {"colours = [\"red\"]", "line 1: key \"colours\": value [\"red\"]: expected a list"},
      {"colours = [\"#FF0000\"]", "expected a list"},
      {"pictures = [\"../a.jpg\"]",
       "line 1: key \"pictures\": value [\"../a.jpg\"]: \"../a.jpg\" is not the name of a file in the "
       "folder"},
      {"pictures = [\"/a.jpg\"]", "is not the name of a file"},
      {"pictures = [\"\"]", "is not the name of a file"},
      {"pictures = [\"a\", \"a\"]", "a name stands there twice"},
      {"input = 3", "line 1: key \"input\": value 3: expected a section: [input]"},
      {"\n\nlabel = 3", "line 3: key \"label\" is unknown: the nearest known key is \"labels\""},
      {"mean = 3", "line 1: key \"mean\" is unknown: the nearest known key is \"mean\" of [input]"},
      {"[inptu]\nx = 1", "line 1: key \"inptu\" is unknown"},
      {"[input]\nsize = 416", "line 2: key \"size\" of [input]: value 416: expected a list of two"},
      {"[input]\nsize = [416]", "value [416]: expected a list of two"},
      {"[input]\nsize = [416, 0]", "value [416, 0]: expected a list of two"},
      {"[input]\nsize = [416.0, 416]", "expected a list of two"},
      {"[input]\nsize = [40000, 1]", "expected a list of two"},
      {"[input]\nsize = [32768, 32768]", "value [32768, 32768]: at most 134217728 pixels"},
      {"[input]\nfit = \"pad\"", "expected one of \"stretch\", \"letterbox\", \"crop\""},
      {"[input]\nanchor = \"top_left\"", "it is read with fit = \"letterbox\" only"},
      {"[input]\nanchor = \"left\"\nfit = \"letterbox\"", "expected one of \"center\", \"top_left\""},
      {"[input]\nshort_side = 256", "it is read with fit = \"crop\" only"},
      {"[input]\nfit = \"crop\"\nshort_side = 0", "line 3: key \"short_side\" of [input]: value 0: expected"},
      {"[input]\ninterpolation = \"cubic\"",
       "expected one of \"nearest\", \"bilinear\", \"area\", \"smooth\""},
      {"[input]\nchannels = \"yuv\"", "expected one of \"rgb\", \"bgr\", \"gray\""},
      {"[input]\nmean = [1, 2]",
       "value [1, 2]: expected a number or a list of three, from -1000000 to 1000000"},
      {"[input]\nmean = nan", "value nan: expected a number"},
      {"[input]\nmean = inf", "value inf: expected a number"},
      {"[input]\nscale = [1, 0, 1]", "value [1, 0, 1]: expected a number"},
      {"[input]\nscale = 1e-300", "expected a number"},
      {"[input]\nstd = 0", "expected a number"},
      {"[input]\nstd = 1\nscale = 1", "\"scale\" is given too and says the same; leave one out"},
      {"[input]\nfit = \"letterbox\"\npad = 256",
       "value 256: expected a number or a list of three, from 0 to 255"},
      {"[input]\npad = 3", "it is read with fit = \"letterbox\" only"},
      {"[input]\nlayout = \"hwc\"", "expected one of \"nchw\", \"nhwc\""},
      {"[input]\ntype = \"f64\"", "expected one of \"f32\", \"f16\", \"u8\", \"i8\""},
      {"[input]\nscore_threshold = 1", "the nearest known key is \"score_threshold\" of [head]"},
      {"[head]\ndecoder = \"yolo\"",
       "line 2: key \"decoder\" of [head]: value \"yolo\": there is no decoder 'yolo'"},
      {"[head]\ndecoder = 3", "line 2: key \"decoder\" of [head]: value 3: expected text"},
      {"[head]\ndecoder = \"yolox\"\niou_treshold = 1",
       "the nearest known key is \"iou_threshold\" of [head]"},
      {"[head]\ndecoder = \"yolox\"\niou_threshold = 1.5", "value 1.5: expected a number from 0 to 1"},
      {"[head]\ndecoder = \"yolox\"\ntop_k = 3",
       "line 3: key \"top_k\" of [head]: value 3: decoder \"yolox\" does not read it; it reads decoder, "
       "outputs, "
       "score_threshold, iou_threshold"},
      {"[head]\ndecoder = \"yolox\"\nclass_agnostic = 1", "value 1: expected true or false"},
      {"[head]\ndecoder = \"yolox\"\nmax_detections = 0", "expected a whole number from 1 to 100000"},
      {"[head]\ndecoder = \"yolox\"\nstrides = [0]", "expected a list of at most 16, each a whole number"},
      {"[head]\ndecoder = \"yolox\"\noutputs = \"a\"", "expected a table of at most 64"},
      {"[head]\ndecoder = \"yolox\"\noutputs = {a = 1}", "expected a table of at most 64"},
      {"[head]\ndecoder = \"yolox\"\noutputs = {\"\" = \"a\"}", "expected a table of at most 64"},
      {"[head]\ndecoder = \"classify\"\nactivation = \"tanh\"", "expected one of \"softmax\", \"sigmoid\""},
      {"date = 1979-05-27", "line 1: key \"date\" is unknown"},
      {"licence = 1979-05-27", "value a date or time: expected text"},
      {"task = \"raw\"\ntask = \"raw\"", "line 2: "},
      {"a = [", "line 1: "},
      {"task = \"raw\"\n\xff", "line 2 is not UTF-8"},
      // What the library would have asserted.
      {"\n[$", "line 2: "},
      {"[\xdd\x8d$]", "line 1: "},
      {"a = 1\nb\x1b = 1", "line 2: "},
      {"a = [1979-A\xc9\xa2]", "line 1: "},
      {"a = 0e'\xef\xbb\x9f'", "line 1: "},
      {"a = \"\"\"x\\\xc3\xa9\"\"\"", "line 1: "},
  };
  for (const Wrong& w : all) EXPECT_NE(bad(w.text).find(w.message), std::string::npos) << bad(w.text);
}

std::string repeated(const std::string& s, int n) {
  std::string out;
  for (int i = 0; i < n; i++) out += s;
  return out;
}

TEST(Task, knows_every_key_that_a_decoder_reads) {
  for (const Decoder& d : decoders())
    for (const char* key : d.fields) {
      const auto all = task_fields();
      EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                              [&](const TaskField& f) {
                                return f.section == std::string_view("head") &&
                                       f.key == std::string_view(key);
                              }))
          << d.name << " reads " << key;
    }
}

TEST(Task, takes_no_more_than_its_limits) {
  EXPECT_NE(bad(std::string(max_toml_bytes + 1, ' ')).find("at most 1048576 are read"), std::string::npos);
  EXPECT_NE(bad("a" + repeated(".a", 500000) + " = 1").find("line 1: more than 16 levels"),
            std::string::npos);
  for (const char* quote : {"\"", "'"}) {  // strings that end in quotes of their own hide nothing
    const std::string text = repeated(quote, 3) + "a" + repeated(quote, 5);
    EXPECT_NE(bad("x = [" + text + ", {a" + repeated(".a", 500000) + " = 1}]").find("more than 16 levels"),
              std::string::npos);
  }
  EXPECT_NE(bad("x = " + repeated("[", 3000)).find("line 1: "), std::string::npos);
  EXPECT_NE(bad(repeated("[a]\n", 5000)).find("line 4097: more than 4096 keys"), std::string::npos);
  const auto labels = [](int n, size_t bytes) {
    return "task = \"raw\"\nlabels = [" + repeated("\"" + std::string(bytes, 'a') + "\",", n) + "]";
  };
  EXPECT_EQ(good(labels(65536, 1)).labels.size(), 65536u);
  EXPECT_NE(bad(labels(65537, 1)).find("expected a list of at most 65536"), std::string::npos);
  EXPECT_EQ(good(labels(3, 256)).labels[2].size(), 256u);
  EXPECT_NE(bad(labels(3, 257)).find("at most 256 bytes"), std::string::npos);
  // Escapes make the text that the engine is to carry longer than the one that was read.
  EXPECT_NE(bad("task = \"raw\"\nlabels = [" + repeated("'" + std::string(250, '"') + "',", 3000) + "]")
                .find("at most 1048576 fit an engine"),
            std::string::npos);
  EXPECT_NE(bad("task = \"raw\"\npictures = [" + repeated("\"a\",", 33) + "]").find("at most 32"),
            std::string::npos);
  // What looks like nesting in strings and comments is none.
  good("task = \"raw\" # " + repeated("[.", 5000) + "\nnote = '" + repeated("=.", 2000) +
       "'\nlicence = \"\"\"" + repeated("\\\"=.", 30) + "\"\"\"");
}

struct Folder : testing::Test {
  std::string path;
  Folder() {
    std::string name = testing::TempDir() + "hone_task_XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() override { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) {
    const auto file = std::filesystem::path(path) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
};

TEST_F(Folder, holds_labels_and_pictures) {
  write("t/labels.txt", "\xef\xbb\xbf# one\r\ntwo \"2\"\n\nfour\n\n\n");
  write("t/a.jpg", "x");
  write("t/task.toml", "task = \"raw\"\nlabels_file = \"labels.txt\"\npictures = [\"a.jpg\"]");
  auto task = read_task(path + "/t/task.toml");
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->labels, (std::vector<std::string>{"# one", "two \"2\"", "", "four"}));
  EXPECT_EQ(label_name(*task, 1), "two \"2\"");
  EXPECT_EQ(label_name(*task, 2), "class 2");
  EXPECT_EQ(label_name(*task, 7), "class 7");
  EXPECT_EQ(label_name(*task, -1), "class -1");
  // Read from the engine, the names of pictures stay and the labels have moved in.
  EXPECT_EQ(good(print_task(*task)).labels, task->labels);
  EXPECT_EQ(good(print_task(*task)).pictures, task->pictures);
}

TEST_F(Folder, is_not_left) {
  write("secret.txt", "a\nb\n");
  write("t/in.txt", "a\n");
  ASSERT_EQ(::symlink("../secret.txt", (path + "/t/out.txt").c_str()), 0);
  ASSERT_EQ(::symlink("in.txt", (path + "/t/link.txt").c_str()), 0);
  const auto labels = [&](const std::string& name) {
    return "task = \"raw\"\nlabels_file = " + toml_string(name);
  };
  const auto pictures = [&](const std::string& name) {
    return "task = \"raw\"\npictures = [" + toml_string(name) + "]";
  };
  EXPECT_EQ(good(labels("link.txt"), path + "/t").labels.size(), 1u);
  const Wrong all[] = {{"../secret.txt", "'..'"},
                       {"x/../../secret.txt", "'..'"},
                       {"out.txt", "a link leads out of the folder"},
                       {"missing.txt", "No such file"},
                       {".", "only files inside the folder"},
                       {"", "missing"}};
  for (const Wrong& w : all)
    EXPECT_NE(bad(labels(w.text), path + "/t").find(w.message), std::string::npos) << w.text;
  EXPECT_NE(bad(labels(path + "/t/in.txt"), path + "/t").find("absolute"), std::string::npos);
  EXPECT_NE(bad(pictures("out.txt"), path + "/t").find("a link leads out of the folder"), std::string::npos);
  EXPECT_NE(bad(pictures("missing.jpg"), path + "/t").find("No such file"), std::string::npos);
  EXPECT_NE(bad(labels("in.txt")).find("was read from memory"), std::string::npos);
}

TEST_F(Folder, has_files_of_labels_within_limits) {
  write("long.txt", "a\n" + std::string(257, 'b') + "\n");
  write("many.txt", repeated("a\n", 65537));
  write("large.txt", std::string(max_toml_bytes + 1, '\n'));
  write("latin.txt", "caf\xe9\n");
  write("control.txt", "a\nb\x1b[2J\n");
  const Wrong all[] = {{"long.txt", "line 2 is no label: text of at most 256 bytes"},
                       {"many.txt", "line 65537: more than 65536 labels"},
                       {"large.txt", "1048577 bytes"},
                       {"latin.txt", "line 1 is no label"},
                       {"control.txt", "line 2 is no label"}};
  for (const Wrong& w : all)
    EXPECT_NE(bad("labels_file = " + toml_string(w.text), path).find(w.message), std::string::npos) << w.text;
}

TEST(Task, of_every_preset_is_good_and_prints_the_same_again) {
  const auto names = preset_names();
  EXPECT_GE(names.size(), 15u);
  for (const std::string& name : names) {
    auto task = preset(name);
    ASSERT_TRUE(task) << task.error().message;
    EXPECT_EQ(task->note, "preset " + name);
    const std::string text = print_task(*task);
    EXPECT_EQ(print_task(good(text)), text);
    // The file can be copied out of the source and used as it is.
    auto file = read_task(HONE_SOURCE_DIR "/src/vision/presets/" + name + ".toml");
    ASSERT_TRUE(file) << file.error().message;
    file->note = task->note;
    EXPECT_EQ(print_task(*file), text);
  }
  const auto none = preset("yolo9000");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("there is no preset 'yolo9000'; there are: "), std::string::npos);
  for (const std::string& name : names)
    EXPECT_NE(none.error().message.find(name), std::string::npos) << none.error().message;
}

// HONE_UPDATE=1 writes them anew.
TEST(Task, reference_is_in_the_documents) {
  const std::string path = HONE_SOURCE_DIR "/docs/tasks.md";
  const std::string begin = "<!-- from here on written by test_vision -->\n\n";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const size_t at = text.str().find(begin);
  ASSERT_NE(at, std::string::npos);
  const std::string want = text.str().substr(0, at + begin.size()) + task_reference();
  if (std::getenv("HONE_UPDATE")) std::ofstream(path) << want;
  EXPECT_TRUE(text.str() == want)
      << "docs/tasks.md is not as task_reference() has it: HONE_UPDATE=1 test_vision writes it anew";
}

TEST(Task, of_a_preset_says_what_such_networks_expect) {
  const Task caffe = *preset("caffe-imagenet");
  EXPECT_EQ(caffe.input.channels, Channels::bgr);
  EXPECT_EQ(caffe.input.mean, (std::array<float, 3>{104, 117, 123}));
  EXPECT_EQ(caffe.input.short_side, 256);
  const Task imagenet = *preset("imagenet");
  for (int i = 0; i < 3; i++) {
    const float mean[] = {0.485f, 0.456f, 0.406f}, std[] = {0.229f, 0.224f, 0.225f};
    EXPECT_NEAR(imagenet.input.mean[i], 255 * mean[i], 1e-4);
    EXPECT_NEAR(imagenet.input.scale[i], 1 / (255 * std[i]), 1e-7);
  }
  EXPECT_EQ(preset("yolox")->labels.size(), 80u);
  EXPECT_EQ(preset("yolox")->labels[79], "toothbrush");
  EXPECT_EQ(preset("detr")->labels.size(), 91u);
  EXPECT_EQ(label_name(*preset("detr"), 90), "toothbrush");
  EXPECT_EQ(label_name(*preset("detr"), 12), "class 12");
  EXPECT_EQ(preset("voc-segment")->labels.size(), 21u);
  EXPECT_EQ(preset("camvid")->labels.size(), preset("camvid")->colours.size());
}

}  // namespace
}  // namespace hone::vision

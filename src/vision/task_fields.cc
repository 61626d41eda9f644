#include "vision/task_fields.h"

#include "vision/task_codec.h"

namespace hone::vision {
namespace {

using codec::Codec;
using codec::Limits;

constexpr const char* kinds[] = {"classify", "detect", "segment", "pose", "raw"};
constexpr const char* fits[] = {"stretch", "letterbox", "crop"};
constexpr const char* anchors[] = {"center", "top_left"};
constexpr const char* interpolations[] = {"nearest", "bilinear", "area", "smooth"};
constexpr const char* channel_orders[] = {"rgb", "bgr", "gray"};
constexpr const char* layouts[] = {"nchw", "nhwc"};
constexpr const char* types[] = {"f32", "f16", "u8", "i8"};
constexpr const char* activations[] = {"softmax", "sigmoid", "none"};
constexpr const char* box_formats[] = {"xyxy", "cxcywh", "yxyx"};

constexpr size_t most_labels = 65536, most_label_bytes = 256, most_pictures = 32, most_list = 1024;
constexpr size_t most_roles = 64;

// Whether a value that means "not given" is left out when printing; the others are always written, so that a
// task means the same when a default changes.
enum class Unset : bool { written, left_out };

// `at`: Task& or const Task& to the member.
template <class At>
TaskField field(const char* section, const char* key, At at, Limits limits, const char* help,
                Unset unset = Unset::written) {
  using T = std::remove_cvref_t<decltype(at(std::declval<Task&>()))>;
  TaskField f{section, key, Codec<T>::right(limits), help, {}, {}};
  f.read = [=](const TomlValue& v, TaskDraft& d, std::string&) {
    return Codec<T>::read(v, at(d.task), limits);
  };
  f.write = [=](const Task& t) {
    static const Task defaults;
    if (unset == Unset::left_out && at(t) == at(defaults)) return std::string();
    return Codec<T>::write(at(t), limits);
  };
  return f;
}

#define MEMBER(path) \
  [](auto& task) -> auto& { return task.path; }

TaskField only(TaskField f, std::function<bool(const Task&)> used, const char* when) {
  f.used = std::move(used);
  f.used_when = when;
  return f;
}

TaskField instead_of(const char* other, TaskField f) {
  f.excludes = other;
  return f;
}

std::string nothing(const Task&) { return ""; }

TaskField kind_field() {
  const Limits limits{.names = kinds};
  TaskField f{"",
              "task",
              Codec<TaskKind>::right(limits),
              "what the network is for; left out: what its decoder is for",
              {},
              {}};
  f.read = [=](const TomlValue& v, TaskDraft& d, std::string&) {
    d.kind_given = true;
    return Codec<TaskKind>::read(v, d.task.kind, limits);
  };
  f.write = [=](const Task& t) { return Codec<TaskKind>::write(t.kind, limits); };
  return f;
}

TaskField labels_file_field() {
  const Limits limits{.most = 4096};
  TaskField f{"",
              "labels_file",
              "the name of a text file in the folder of the TOML file",
              "names of the classes, one a line",
              {},
              nothing,
              "labels"};
  f.read = [=](const TomlValue& v, TaskDraft& d, std::string& why) {
    std::string name;
    if (!Codec<std::string>::read(v, name, limits)) return false;
    auto text = d.labels_files(name);
    if (!text) return why = text.error().message, false;
    auto labels = parse_labels(*text);
    if (!labels) return why = labels.error().message, false;
    d.task.labels = *std::move(labels);
    return true;
  };
  return f;
}

TaskField pictures_field() {
  const Limits limits{.low = 4096, .most = most_pictures};
  TaskField f = field("", "pictures", MEMBER(pictures), limits,
                      "names of picture files in the folder of the TOML file, to try the engine on; `hone "
                      "build` puts them into it",
                      Unset::left_out);
  f.right = strf("a list of at most %zu names of files", most_pictures);
  f.read = [=, read = f.read](const TomlValue& v, TaskDraft& d, std::string& why) {
    if (!read(v, d, why)) return false;
    auto names = d.task.pictures;
    for (const std::string& name : names) {
      if (name.empty() || name[0] == '/' || ("/" + name + "/").find("/../") != std::string::npos)
        return why = toml_string(name) + " is not the name of a file in the folder of the TOML file", false;
      if (!d.picture) continue;
      if (auto good = d.picture(name); !good)
        return why = toml_string(name) + ": " + good.error().message, false;
    }
    std::sort(names.begin(), names.end());
    if (std::adjacent_find(names.begin(), names.end()) != names.end())
      return why = "a name stands there twice", false;
    return true;
  };
  return f;
}

int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

TaskField colours_field() {
  TaskField f{"",
              "colours",
              strf("a list of at most %zu, each \"#\" and six digits of 0-9, a-f", most_labels),
              "of the classes, for drawing; left out: chosen",
              {},
              {}};
  f.read = [](const TomlValue& v, TaskDraft& d, std::string&) {
    if (v.kind != TomlValue::Kind::list || v.items.size() > most_labels) return false;
    for (const TomlValue& item : v.items) {
      if (item.text.size() != 7 || item.text[0] != '#') return false;
      Rgb colour;
      for (size_t i = 0; i < 3; i++) {
        const int high = hex_digit(item.text[1 + 2 * i]), low = hex_digit(item.text[2 + 2 * i]);
        if (high < 0 || low < 0) return false;
        colour[i] = static_cast<uint8_t>(high * 16 + low);
      }
      d.task.colours.push_back(colour);
    }
    return true;
  };
  f.write = [](const Task& t) {
    if (t.colours.empty()) return std::string();
    std::vector<std::string> texts;
    for (const Rgb& c : t.colours) texts.push_back(strf("#%02x%02x%02x", c[0], c[1], c[2]));
    return Codec<std::vector<std::string>>::write(texts, {});
  };
  return f;
}

TaskField size_field() {
  const Limits limits{.low = 1, .high = max_image_side};
  TaskField f{"input",
              "size",
              "a list of two, width and height, each " + Codec<int>::right(limits),
              "of the network's input; left out: as the engine has it",
              {},
              {}};
  f.read = [=](const TomlValue& v, TaskDraft& d, std::string& why) {
    Preprocess& p = d.task.input;
    if (v.kind != TomlValue::Kind::list || v.items.size() != 2) return false;
    if (!Codec<int>::read(v.items[0], p.width, limits) || !Codec<int>::read(v.items[1], p.height, limits))
      return false;
    if (int64_t{p.width} * p.height > max_image_pixels)
      return why = strf("at most %lld pixels", static_cast<long long>(max_image_pixels)), false;
    return true;
  };
  f.write = [](const Task& t) {
    return t.input.width > 0 ? strf("[%d, %d]", t.input.width, t.input.height) : std::string();
  };
  return f;
}

TaskField std_field() {
  const Limits limits{.low = 1e-6, .high = 1e6};
  TaskField f{"input", "std",  Codec<std::array<float, 3>>::right(limits), "the same as scale = 1 / std", {},
              nothing, "scale"};
  f.read = [=](const TomlValue& v, TaskDraft& d, std::string&) {
    std::array<float, 3> std;
    if (!Codec<std::array<float, 3>>::read(v, std, limits)) return false;
    for (size_t i = 0; i < 3; i++) d.task.input.scale[i] = 1 / std[i];
    return true;
  };
  return f;
}

TaskField layout_field() {
  const Limits limits{.names = layouts};
  TaskField f = field("input", "layout", MEMBER(input.layout), limits,
                      "where the channels stand; left out: found in the shape of the engine's input");
  f.read = [=](const TomlValue& v, TaskDraft& d, std::string&) {
    d.task.layout_given = true;
    return Codec<Layout>::read(v, d.task.input.layout, limits);
  };
  f.write = [write = f.write](const Task& t) { return t.layout_given ? write(t) : std::string(); };
  return f;
}

TaskField type_field() {
  TaskField f{
      "input", "type", codec::choice(types), "of the input's elements; left out: as the engine has it",
      {},      {}};
  f.read = [](const TomlValue& v, TaskDraft& d, std::string&) {
    std::string name;
    if (!Codec<std::string>::read(v, name, {.names = types})) return false;
    d.task.type_given = true;
    d.task.input.type = dtype_from_name(name);
    return true;
  };
  f.write = [](const Task& t) {
    return t.type_given ? toml_string(dtype_name(t.input.type)) : std::string();
  };
  return f;
}

TaskField outputs_field() {
  const Limits role{.most = 64}, name{.most = 1024};
  TaskField f{"head",
              "outputs",
              strf("a table of at most %zu: role = \"name of the output\"", most_roles),
              "which output of the engine is what (the decoder says the roles); left out: found by shape",
              {},
              {}};
  f.read = [=](const TomlValue& v, TaskDraft& d, std::string&) {
    if (v.kind != TomlValue::Kind::table || v.items.size() > most_roles) return false;
    for (const TomlValue& item : v.items) {
      if (item.key.empty() || !codec::plain_text(item.key, role.most)) return false;
      if (!Codec<std::string>::read(item, d.task.head.outputs[item.key], name)) return false;
    }
    return true;
  };
  f.write = [](const Task& t) {
    std::string out;
    for (const auto& [key, value] : t.head.outputs)
      out += (out.empty() ? "" : ", ") + toml_string(key) + " = " + toml_string(value);
    return out.empty() ? out : "{ " + out + " }";
  };
  return f;
}

// Where the help of a key of [head] says "left out", the decoder has its own.
std::vector<TaskField> make_fields() {
  const Limits unit{.low = 0, .high = 1}, pixels{.low = 0, .high = 65536, .most = most_list};
  const Limits labels{.low = most_label_bytes, .most = most_labels};
  const auto letterbox = [](const Task& t) { return t.input.fit == Fit::letterbox; };
  const auto crop = [](const Task& t) { return t.input.fit == Fit::crop; };
  const Unset left_out = Unset::left_out;
  return {
      kind_field(),
      field("", "licence", MEMBER(licence), {.most = 256}, "of the model", left_out),
      field("", "note", MEMBER(note), {.most = 4096}, "where the task comes from, for people", left_out),
      field("", "labels", MEMBER(labels), labels, "names of the classes, the first of class 0", left_out),
      labels_file_field(),
      colours_field(),
      pictures_field(),

      size_field(),
      field(
          "input", "fit", MEMBER(input.fit), {.names = fits},
          "how a picture comes to that size: whatever its proportions; as large as fits, in proportion, the "
          "rest padded; the short side to `short_side`, in proportion, then the middle"),
      only(field("input", "anchor", MEMBER(input.anchor), {.names = anchors},
                 "where the letterboxed picture lies"),
           letterbox, "fit = \"letterbox\""),
      only(field("input", "short_side", MEMBER(input.short_side), {.low = 1, .high = max_image_side},
                 "pixels of the short side before the middle is cut out; left out: the middle is as large as "
                 "there is",
                 left_out),
           crop, "fit = \"crop\""),
      field("input", "interpolation", MEMBER(input.interpolation), {.names = interpolations},
            "the pixel nearest; OpenCV's INTER_LINEAR; OpenCV's INTER_AREA; Pillow's and torchvision's "
            "antialiased bilinear"),
      field("input", "channels", MEMBER(input.channels), {.names = channel_orders},
            "their order, or one channel of grey (then the first of mean, scale and pad holds)"),
      field("input", "mean", MEMBER(input.mean), {.low = -1e6, .high = 1e6},
            "the input is (pixel - mean) * scale, with pixels from 0 to 255; in the order of `channels`"),
      field("input", "scale", MEMBER(input.scale), {.low = -1e6, .high = 1e6, .nonzero = true},
            "see mean; 0.00392157 (1 / 255) makes 0 to 1"),
      instead_of("scale", std_field()),
      only(field("input", "pad", MEMBER(input.pad), {.low = 0, .high = 255},
                 "the pixel around a letterboxed picture, before mean and scale"),
           letterbox, "fit = \"letterbox\""),
      layout_field(),
      type_field(),

      field("head", "decoder", MEMBER(head.decoder), {.most = 64},
            "what the outputs mean, see below; left out: that of the same name as `task`", left_out),
      outputs_field(),
      field("head", "score_threshold", MEMBER(head.score_threshold), {.low = -1e6, .high = 1e6},
            "answers with a lower score are left out"),
      field("head", "iou_threshold", MEMBER(head.iou_threshold), unit,
            "of two boxes that overlap more (intersection over union), the one with the lower score is left "
            "out; 1: none is"),
      field("head", "class_agnostic", MEMBER(head.class_agnostic), {},
            "boxes of different classes suppress each other too"),
      field("head", "max_detections", MEMBER(head.max_detections), {.low = 1, .high = 100000},
            "the most detections of a picture"),
      field("head", "top_k", MEMBER(head.top_k), {.low = 1, .high = 65536}, "the most answers"),
      field("head", "activation", MEMBER(head.activation), {.names = activations},
            "still to be applied to the scores; left out: as such networks have it", left_out),
      field("head", "background", MEMBER(head.background), {.low = -1, .high = 65535},
            "the class that means that nothing is there; -1: none"),
      field("head", "one_class_per_box", MEMBER(head.one_class_per_box), {},
            "a box gives its best class alone, not each above the threshold"),
      field("head", "strides", MEMBER(head.strides), {.low = 1, .high = 4096, .most = 16},
            "pixels of the input from a cell to the next, of each feature map", left_out),
      field("head", "anchors", MEMBER(head.anchors), pixels,
            "width, height, width, ... in pixels, those of each stride after another", left_out),
      field("head", "variances", MEMBER(head.variances), {.low = 1e-6, .high = 1e6, .most = 4},
            "scale of a box's centre and size relative to its prior", left_out),
      field("head", "min_sizes", MEMBER(head.min_sizes), pixels, "of the priors, in pixels", left_out),
      field("head", "max_sizes", MEMBER(head.max_sizes), pixels, "of the priors, in pixels", left_out),
      field("head", "aspect_ratios", MEMBER(head.aspect_ratios),
            {.low = 1e-3, .high = 1e3, .most = most_list}, "of the priors, width / height", left_out),
      field("head", "even_cells", MEMBER(head.even_cells), {},
            "the cells of a map divide the input evenly, whatever its stride"),
      field("head", "reg_max", MEMBER(head.reg_max), {.low = 0, .high = 256},
            "bins of a distribution over distances, less one; 0: as such networks have it"),
      field("head", "box_format", MEMBER(head.box_format), {.names = box_formats},
            "two corners; centre and size; two corners, y first; left out: as such networks have it",
            left_out),
      field("head", "normalised", MEMBER(head.normalised), {},
            "boxes are in 0 to 1 of the input, not in pixels"),
      field("head", "keypoints", MEMBER(head.keypoints), {.low = 0, .high = 4096},
            "number of keypoints; 0: as the shape says"),
      field("head", "skeleton", MEMBER(head.skeleton), {.low = 0, .high = 4095, .most = most_list},
            "pairs of keypoints to be joined by a line: a, b, a, b, ...", left_out),
  };
}

#undef MEMBER

}  // namespace

const char* task_kind_name(TaskKind k) { return kinds[static_cast<size_t>(k)]; }

std::span<const TaskField> task_fields() {
  static const std::vector<TaskField> fields = [] {
    auto all = make_fields();
    for (TaskField& f : all)
      if (f.key == std::string_view("labels")) f.excludes = "labels_file";
      else if (f.key == std::string_view("scale")) f.excludes = "std";
    return all;
  }();
  return fields;
}

bool head_field_read(std::string_view key, std::span<const char* const> fields) {
  if (key == "decoder" || key == "outputs" || key == "score_threshold") return true;
  return std::find(fields.begin(), fields.end(), key) != fields.end();
}

Result<std::vector<std::string>> parse_labels(std::string_view text) {
  if (text.size() > max_toml_bytes)
    return error(Code::limit, "%zu bytes of labels: at most %zu are read", text.size(), max_toml_bytes);
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);  // byte order mark
  std::vector<std::string> out;
  for (size_t line = 1; !text.empty(); line++) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!name.empty() && name.back() == '\r') name.remove_suffix(1);
    if (out.size() == most_labels)
      return error(Code::limit, "line %zu: more than %zu labels", line, most_labels);
    if (!codec::plain_text(std::string(name), most_label_bytes))
      return error(Code::corrupt, "line %zu is no label: %s in UTF-8", line,
                   Codec<std::string>::right({.most = most_label_bytes}).c_str());
    out.emplace_back(name);
  }
  while (!out.empty() && out.back().empty()) out.pop_back();
  return out;
}

}  // namespace hone::vision

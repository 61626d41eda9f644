#include <algorithm>

#include "vision/decoder.h"
#include "vision/guess.h"
#include "vision/ports.h"
#include "vision/toml_text.h"

namespace hone::vision {

std::string port_type(const PortInfo& p) {
  std::string out = dtype_name(p.type);
  if (!p.ranked) return out;
  out += '[';
  for (size_t i = 0; i < p.dims.size(); i++)
    out += (i ? "," : "") + (p.dims[i] < 0 ? std::string("?") : std::to_string(p.dims[i]));
  return out + ']';
}

std::string port_is(const char* kind, const PortInfo& p) {
  return strf("%s '%s' is ", kind, p.name.c_str()) + port_type(p);
}

std::string list_ports(const std::vector<PortInfo>& ports) {
  std::string out;
  for (const PortInfo& p : ports) out += (out.empty() ? "'" : ", '") + p.name + "' " + port_type(p);
  return out.empty() ? "none" : out;
}

Result<PictureShape> picture_shape(const PortInfo& p, int channels) {
  if (!p.ranked || p.dims.size() != 4)
    return error(
        Code::invalid_argument,
        "%s: a picture takes four dimensions, [1,channels,height,width] or [1,height,width,channels]",
        port_is("input", p).c_str());
  if (p.dims[0] != 1 && p.dims[0] != -1)
    return error(Code::invalid_argument, "%s: pictures go in one by one; build the engine with a batch of 1",
                 port_is("input", p).c_str());
  const auto could = [&](int64_t d) { return channels ? d == channels : d == 1 || d == 3; };
  const bool first = could(p.dims[1]), last = could(p.dims[3]);
  PictureShape s;
  s.layout_certain = first != last;
  s.layout = !first && (last || p.dims[1] > 0) ? Layout::nhwc : Layout::nchw;
  const bool planes = s.layout == Layout::nchw;
  s.channels = p.dims[planes ? 1 : 3];
  s.height = p.dims[planes ? 2 : 1];
  s.width = p.dims[planes ? 3 : 2];
  return s;
}

namespace {

const char* layout_name(Layout l) { return l == Layout::nchw ? "nchw" : "nhwc"; }

Status complete_input(Preprocess& input, bool layout_given, bool type_given, const PortInfo& port) {
  const std::string is = port_is("input", port);
  const int channels = input.channels == Channels::gray ? 1 : 3;
  HONE_TRY(PictureShape shape, picture_shape(port, channels));
  if (layout_given && shape.layout != input.layout) {
    const bool planes = input.layout == Layout::nchw;
    const int64_t d = port.dims[planes ? 1 : 3];
    if (d != -1 && d != channels)
      return error(Code::invalid_argument, "[input] layout = \"%s\" with %d channels, but %s",
                   layout_name(input.layout), channels, is.c_str());
    shape = {input.layout, d, port.dims[planes ? 2 : 1], port.dims[planes ? 3 : 2], true};
  } else if (!layout_given && !shape.layout_certain && shape.channels == -1) {
    return error(Code::invalid_argument,
                 "%s: which dimension is the channels? Say [input] layout = \"nchw\" "
                 "or \"nhwc\"",
                 is.c_str());
  }
  if (shape.channels != -1 && shape.channels != channels) {
    const auto really = picture_shape(port, 0);
    const int64_t theirs = really && really->layout_certain ? really->channels : -1;
    const char* remedy = theirs == 1   ? "; a network of one channel takes channels = \"gray\""
                         : theirs == 3 ? "; a network of three takes channels = \"rgb\" or \"bgr\""
                                       : "";
    return error(Code::invalid_argument, "[input] channels = \"%s\" makes %d, but %s%s",
                 channels == 1                     ? "gray"
                 : input.channels == Channels::bgr ? "bgr"
                                                   : "rgb",
                 channels, is.c_str(), remedy);
  }
  input.layout = shape.layout;

  const auto side = [&](const char* name, int& ours, int64_t theirs) -> Status {
    if (ours <= 0 && theirs == -1)
      return error(Code::invalid_argument,
                   "%s: its size is free, so say [input] size = [width, height], or build the engine with a "
                   "fixed shape",
                   is.c_str());
    if (theirs == -1) return {};
    if (theirs < 1 || theirs > max_image_side)
      return error(Code::limit, "%s: a %s of %lld pixels, 1 to %d are possible", is.c_str(), name,
                   static_cast<long long>(theirs), max_image_side);
    if (ours > 0 && ours != theirs)
      return error(Code::invalid_argument,
                   "[input] size = [%d, %d], but %s: the engine fixes a %s of %lld pixels", input.width,
                   input.height, is.c_str(), name, static_cast<long long>(theirs));
    ours = static_cast<int>(theirs);
    return {};
  };
  HONE_CHECK(side("width", input.width, shape.width));
  HONE_CHECK(side("height", input.height, shape.height));
  if (int64_t{input.width} * input.height > max_image_pixels)
    return error(Code::limit, "an input of %d x %d pixels: %lld pixels at most", input.width, input.height,
                 static_cast<long long>(max_image_pixels));

  constexpr DType types[] = {DType::f32, DType::f16, DType::u8, DType::i8};
  if (std::find(std::begin(types), std::end(types), port.type) == std::end(types))
    return error(Code::unsupported, "%s: pictures become f32, f16, u8 or i8", is.c_str());
  if (type_given && input.type != port.type)
    return error(Code::invalid_argument, "[input] type = \"%s\", but %s", dtype_name(input.type), is.c_str());
  input.type = port.type;
  return {};
}

const PortInfo* find_port(const std::vector<PortInfo>& ports, std::string_view name) {
  for (const PortInfo& p : ports)
    if (p.name == name) return &p;
  return nullptr;
}

// The output that has a score for each class, where there is no doubt; else null.
const PortInfo* score_output(const Head& head, const EngineInfo& engine) {
  for (const char* role : {"scores", "predictions", "classes", "logits"})
    if (const auto named = head.outputs.find(role); named != head.outputs.end())
      return find_port(engine.outputs, named->second);
  const PortInfo* found = nullptr;
  for (const PortInfo& p : engine.outputs) {
    if (p.ranked && p.dims.size() == 3 && p.dims[2] == 4) continue;  // boxes
    if (found) return nullptr;
    found = &p;
  }
  return found;
}

// Classes that the network tells apart; -1: not known from the shapes.
int64_t class_count(const Head& head, const EngineInfo& engine) {
  const PortInfo* p = score_output(head, engine);
  if (!p || !p->ranked || p->dims.empty()) return -1;
  const std::vector<int64_t>& d = p->dims;
  const auto beyond = [](int64_t dim, int64_t others) { return dim > others ? dim - others : -1; };
  if (head.decoder == "classify") {
    int64_t n = 1;
    for (const int64_t dim : d) {
      if (dim < 1 || n > INT64_MAX / dim) return -1;
      n *= dim;
    }
    return n;
  }
  if (d.size() == 3 && (head.decoder == "yolox" || head.decoder == "yolov5")) return beyond(d[2], 5);
  // Either order of the last two.
  if (d.size() == 3 && head.decoder == "yolov8") return beyond(std::min(d[1], d[2]), 4);
  if (d.size() == 3 && (head.decoder == "ssd" || head.decoder == "detr")) return beyond(d[2], 0);
  if (d.size() == 4 && head.decoder == "segment" && is_float(p->type) && d[1] > 1) return d[1];
  return -1;
}

}  // namespace

Status complete_task(Task& task, const EngineInfo& engine) {
  if (engine.inputs.size() != 1)
    return error(Code::invalid_argument,
                 "the task is for a network that takes one picture, but this one has %zu inputs: %s",
                 engine.inputs.size(), list_ports(engine.inputs).c_str());
  HONE_TRY(const Decoder* decoder, find_decoder(task.head.decoder));
  if (decoder->kind != task.kind)
    return error(Code::invalid_argument, "task = \"%s\", but decoder \"%s\" is for task = \"%s\"",
                 task_kind_name(task.kind), decoder->name, task_kind_name(decoder->kind));
  HONE_CHECK(complete_input(task.input, task.layout_given, task.type_given, engine.inputs[0]));
  for (const auto& [role, name] : task.head.outputs)
    if (!find_port(engine.outputs, name))
      return error(Code::not_found, "[head] outputs: %s = %s, but the engine has no such output; it has %s",
                   role.c_str(), toml_string(name).c_str(), list_ports(engine.outputs).c_str());
  if (engine.outputs.empty()) return error(Code::invalid_argument, "the engine has no outputs");
  const int64_t classes = class_count(task.head, engine);
  if (classes >= 0 && static_cast<int64_t>(task.labels.size()) > classes)
    return error(Code::invalid_argument,
                 "%zu labels, but %s: %lld classes; give labels or labels_file with as many",
                 task.labels.size(), port_is("output", *score_output(task.head, engine)).c_str(),
                 static_cast<long long>(classes));
  return {};
}

}  // namespace hone::vision

#include "import/seeds.h"

namespace hone::test {
std::string rich_model() {
  FunctionMessage f{"scale", "local", {"x"}, {"y"}, {"factor"}};
  f.nodes = {node("Constant", {}, {"k"}, {{attr_ref("value_float", "factor", 1)}}),
             node("Mul", {"x", "k"}, {"y"})};
  const auto branch = [](const char* op, const char* out) {
    return GraphMessage{{node(op, {"h"}, {out})}, {}, {f32_info(out, {2, "n"})}, {}}.message();
  };
  ModelMessage m{
      {{node("scale", {"x"}, {"h"}, {{attr("factor", 2.0f)}, "s", "local"}),
        node(
            "If", {"c"}, {"z"},
            {{attr_graph("then_branch", branch("Neg", "t")), attr_graph("else_branch", branch("Abs", "e"))}}),
        node("Add", {"z", "w"}, {"q"}), node("Transpose", {"q"}, {"y"}, {{attr("perm", Dims{1, 0})}}),
        node("Add", {"y", "sparse"}, {"y2"})},
       {f32_info("x", {2, "n"}), value_info("c", tensor_type(DType::boolean, {}))},
       {f32_info("y", {"n", 2}), f32_info("y2", {"", ""})},
       {tensor_f32("w", {2, 1}, {1, 2})}}};
  m.graph.sparse_initializers = {
      Message().sub(1, tensor_f32("sparse", {1}, {5})).sub(2, tensor_i64("", {1}, {1})).numbers(3, Dims{2})};
  m.graph.value_info = {f32_info("h", {2, "n"}),
                        value_info("s", Message().sub(4, Message().sub(1, tensor_type(DType::f32, {1}))))};
  m.opsets.push_back(opset("local", 1));
  m.functions = {f.message()};
  m.extra.sub(14, entry("k", "v"));
  return m.bytes();
}

namespace {

std::string loop_model() {
  const Message flag = tensor_type(DType::boolean, {}),
                sequence = Message().sub(4, Message().sub(1, tensor_type(DType::f32, {2})));
  const Message body = GraphMessage{
      {node("Add", {"v", "x"}, {"w"}), node("Identity", {"go"}, {"on"})},
      {value_info("i", tensor_type(DType::i64, {})), value_info("go", flag), f32_info("v", {2})},
      {value_info("on", flag), f32_info("w", {2})},
      {}}.message();
  ModelMessage m{{{node("Loop", {"n", "", "x"}, {"last"}, {{attr_graph("body", body)}}),
                   node("Cast", {"last"}, {"y"}, {{attr("to", int64_t{10})}})},
                  {f32_info("x", {2}), value_info("s", sequence)},
                  {value_info("y", tensor_type(DType::f16, {2}))},
                  {tensor_i64("n", {}, {2})}}};
  return m.bytes();
}

// An older model: attributes that became inputs, typed data, an initializer that is an input too.
std::string old_model() {
  const Message w = tensor_header("w", {2, 1, 1, 1}, DType::f32).reals(4, std::vector<float>{1, 2});
  ModelMessage m{{{node("Conv", {"x", "w"}, {"c"},
                        {{attr("kernel_shape", Dims{1, 1}), attr("pads", Dims{0, 0, 0, 0}),
                          attr("auto_pad", std::string_view("NOTSET"))}}),
                   node("Clip", {"c"}, {"k"}, {{attr("min", 0.0f), attr("max", 6.0f)}}),
                   node("Squeeze", {"k"}, {"q"}, {{attr("axes", Dims{0})}}),
                   node("Reshape", {"q", "shape"}, {"r"}), node("Softmax", {"r"}, {"y"})},
                  {f32_info("x", {1, 1, 2, 2}), f32_info("w", {2, 1, 1, 1})},
                  {f32_info("y", {2, 4})},
                  {w, tensor_header("shape", {2}, DType::i64).numbers(7, Dims{2, -1})}},
                 3,
                 {opset("", 9)}};
  return m.bytes();
}

std::string constants_model() {
  ModelMessage m{
      {{node("Constant", {}, {"a"}, {{attr("value_ints", Dims{1, 2})}}),
        node("Constant", {}, {"b"}, {{attribute("value_strings", 8).text(9, "s").text(9, "t")}}),
        node("Constant", {}, {"c"},
             {{attr_tensor("value", tensor_header("", {3}, DType::i4).numbers(5, Dims{0x21, 3}))}}),
        node("Identity", {"a"}, {"y"}), node("Identity", {"b"}, {"z"}), node("Identity", {"c"}, {"u"})},
       {},
       {value_info("y", tensor_type(DType::i64, {2})), value_info("z", tensor_type(DType::string, {2})),
        value_info("u", tensor_type(DType::i4, {3}))},
       {tensor_external("e", {2}, DType::f32, {{"location", "w.bin"}, {"offset", "0"}, {"length", "8"}})}}};
  return m.bytes();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> seed_models() {
  return {{"relu", relu_model().bytes()},
          {"rich", rich_model()},
          {"loop", loop_model()},
          {"old", old_model()},
          {"constants", constants_model()}};
}

}  // namespace hone::test

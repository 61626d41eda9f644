// Damaged and hostile models: an error that names the thing, never a crash, never memory out of proportion.
#include <random>

#include "helpers.h"
#include "seeds.h"

namespace hone::test {
namespace {

TEST(HostileModel, ReportsAllUnsupportedOperatorsAtOnce) {
  ModelMessage m = relu_model();
  m.opsets.push_back(opset("com.acme", 1));
  m.graph.nodes = {node("Foo", {"x"}, {"a"}, {{}, "first", "com.acme"}),
                   node("Relu", {"a"}, {"b"}),
                   node("Foo", {"b"}, {"c"}, {{}, "second", "com.acme"}),
                   node("Nonsense", {"c"}, {"d"}),
                   node("Relu", {"d"}, {"e"}, {{}, "other", "org.other"}),
                   node("Identity", {"e"}, {"y"}, {{}, "", "hone"})};
  expect_error(import_message(m), Code::unsupported,
               {"operator 'Foo' of domain 'com.acme' is not supported (node Foo 'first' and 1 more)",
                "operator 'Nonsense' of domain ai.onnx is not supported (node Nonsense making 'd')",
                "'org.other'", "'hone'"});
  expect_error(import_message(m, {.limits = {.errors = 2}}), Code::unsupported,
               {"'Foo'", "'Nonsense'", "and 2 more reasons"});
}

TEST(HostileModel, ReportsVersionsThatAreNotUnderstood) {
  ModelMessage m = relu_model();
  for (const int64_t v : {2, 15, -1}) {
    m.ir_version = v;
    expect_error(import_message(m), Code::unsupported, {"IR version", std::to_string(v).c_str(), "3 to 14"});
  }
  for (const int64_t v : {3, 14}) {
    m.ir_version = v;
    EXPECT_TRUE(import_message(m));
  }
  for (const int64_t v : {0, 29}) {
    m.opsets = {opset("", v)};
    expect_error(import_message(m), Code::unsupported,
                 {"opset", std::to_string(v).c_str(), "ai.onnx", "1 to 28"});
  }
  for (const int64_t v : {7, 28}) {
    m.opsets = {opset("ai.onnx", v)};
    EXPECT_TRUE(import_message(m));
  }
  m.opsets = {};
  expect_error(import_message(m), Code::unsupported, {"domain ai.onnx", "not imported"});
  m.opsets = {opset("", 20), opset("ai.onnx", 21)};
  expect_error(import_message(m), Code::corrupt, {"imported twice", "20", "21"});
  expect_error(import_bytes(Message().sub(7, relu_model().graph.message()).bytes), Code::corrupt,
               {"no IR version"});
  expect_error(import_bytes(Message().number(1, 8).bytes), Code::corrupt, {"no graph"});
}

TEST(HostileModel, ReportsCyclesAndNamesUsedOrMadeWrongly) {
  const auto with = [](std::vector<Message> nodes) {
    ModelMessage m = relu_model();
    m.graph.nodes = std::move(nodes);
    return import_message(m);
  };
  expect_error(with({node("Add", {"x", "b"}, {"a"}, {{}, "A"}), node("Neg", {"a"}, {"b"}, {{}, "B"}),
                     node("Neg", {"b"}, {"y"}, {{}, "C"})}),
               Code::corrupt, {"depends on its own output", "cycle"});
  expect_error(with({node("Neg", {"y"}, {"y"}, {{}, "self"})}), Code::corrupt, {"'self'", "cycle"});
  expect_error(with({node("Neg", {"nowhere"}, {"y"}, {{}, "n"})}), Code::corrupt,
               {"node Neg 'n'", "'nowhere' is neither an input"});
  expect_error(with({node("Neg", {"x"}, {"y"}), node("Abs", {"x"}, {"y"}, {{}, "again"})}), Code::corrupt,
               {"'again'", "'y' is given to two values"});
  expect_error(with({node("Neg", {"x"}, {"x"})}), Code::corrupt, {"cycle"});
  expect_error(with({node("Neg", {"x"}, {"h"})}), Code::corrupt, {"output 'y' is made by no node"});
  expect_error(with({node("", {"x"}, {"y"})}), Code::unsupported, {"operator ''"});
  ModelMessage m = relu_model();
  m.graph.initializers = {tensor_f32("w", {1}, {1}), tensor_f32("w", {1}, {1})};
  expect_error(import_message(m), Code::corrupt, {"'w' is given to two values"});
  m = relu_model();
  m.graph.initializers = {tensor_f32("y", {1}, {1})};
  expect_error(import_message(m), Code::corrupt, {"'y' is given to two values"});
  m = relu_model();
  m.graph.inputs.push_back(m.graph.inputs[0]);
  expect_error(import_message(m), Code::corrupt, {"'x' is given to two values"});
  m = relu_model();
  m.graph.outputs.push_back(m.graph.outputs[0]);
  expect_error(import_message(m), Code::corrupt, {"'y' is listed twice"});
  m.graph.outputs = {};
  expect_error(import_message(m), Code::corrupt, {"no outputs"});
}

TEST(HostileModel, ReportsTypesItCannotCarry) {
  const auto with_input = [](const Message& type) {
    ModelMessage m = relu_model();
    m.graph.inputs = {value_info("x", type)};
    return import_message(m);
  };
  expect_error(with_input(Message()), Code::corrupt, {"input 'x'", "no type"});
  expect_error(with_input(Message().sub(5, Message())), Code::unsupported, {"input 'x'", "map"});
  expect_error(with_input(Message().sub(8, Message())), Code::unsupported, {"input 'x'", "sparse"});
  expect_error(with_input(Message().sub(7, Message())), Code::unsupported, {"input 'x'", "opaque"});
  expect_error(with_input(Message().sub(1, Message().number(1, 77))), Code::unsupported, {"input 'x'", "77"});
  expect_error(with_input(tensor_type(DType::f32, {-5})), Code::corrupt, {"input 'x'", "-5"});
  expect_error(with_input(tensor_type(DType::f32, std::vector<DimSpec>(13, 1))), Code::limit,
               {"input 'x'", "rank 13"});
  Message deep = tensor_type(DType::f32, {1});
  for (int i = 0; i < 1000; i++) deep = Message().sub(4, Message().sub(1, deep));
  expect_error(with_input(deep), Code::limit, {"types nested more than 16 deep"});
  ModelMessage nameless = relu_model();
  nameless.graph.inputs = {Message().sub(2, tensor_type(DType::f32, {1}))};
  expect_error(import_message(nameless), Code::corrupt, {"no name"});
}

TEST(HostileModel, ReportsAttributesThatDoNotFit) {
  const auto with = [](std::vector<Message> attributes) {
    ModelMessage m = relu_model();
    m.graph.nodes = {node("Transpose", {"x"}, {"y"}, {std::move(attributes), "t"})};
    return import_message(m);
  };
  expect_error(with({attr("perm", int64_t{1})}), Code::corrupt, {"'t'", "'perm'", "int", "ints"});
  expect_error(with({attr("nope", int64_t{1})}), Code::unsupported, {"'t'", "'nope'"});
  expect_error(with({attr("perm", Dims{1, 0}), attr("perm", Dims{0, 1})}), Code::corrupt,
               {"'perm' is given twice"});
  expect_error(with({attribute("perm", 7).number(3, 1)}), Code::corrupt,
               {"'perm'", "not of the type it states (7)"});
  expect_error(with({attribute("perm", 99)}), Code::corrupt, {"'perm'", "99"});
  expect_error(with({Message().text(1, "perm")}), Code::corrupt, {"'perm'", "no value"});
  expect_error(with({attribute("perm", 4)}), Code::corrupt, {"'perm'", "no value"});
  expect_error(with({attribute("perm", 9).sub(10, tensor_f32("", {1}, {1}))}), Code::unsupported,
               {"'perm'", "lists of tensors"});
  expect_error(with({attribute("perm", 11).sub(22, Message())}), Code::unsupported, {"'perm'", "sparse"});
  expect_error(with({attr_ref("perm", "p", 7)}), Code::corrupt, {"'perm'", "in none"});
  expect_error(with({Message().number(20, 2)}), Code::corrupt, {"an attribute has no name"});
  // A type that is left out, as IR version 1 did, is taken from the value.
  auto untyped = with({Message().text(1, "perm").numbers(8, Dims{1, 0})});
  ASSERT_TRUE(untyped) << untyped.error().message;
  EXPECT_EQ((*untyped)->outputs()[0]->type.str(), "f32[3,2]");
}

TEST(HostileModel, ReportsTooManyInputsOrOutputs) {
  ModelMessage m = relu_model();
  m.graph.nodes = {node("Relu", {"x", "x"}, {"y"}, {{}, "r"})};
  expect_error(import_message(m), Code::corrupt, {"'r'", "2 inputs", "at most 1"});
  m.graph.nodes = {node("Relu", {}, {"y"}, {{}, "r"})};
  expect_error(import_message(m), Code::corrupt, {"'r'", "0 inputs"});
  m.graph.nodes = {node("Relu", {"x"}, {"y", "z"}, {{}, "r"})};
  expect_error(import_message(m), Code::corrupt, {"'r'", "2 outputs"});
}

TEST(HostileModel, KeepsCountsWithinTheLimits) {
  ModelMessage m = relu_model();
  m.graph.nodes = std::vector<Message>(100, node("Neg", {"x"}, {""}));
  expect_error(import_message(m, {.limits = {.nodes = 50}}), Code::limit, {"more than 50 nodes"});
  m = relu_model();
  m.graph.value_info = std::vector<Message>(100, f32_info("x", {1}));
  expect_error(import_message(m, {.limits = {.values = 50}}), Code::limit, {"more than 50 tensors"});
  m = relu_model();
  m.graph.nodes = {node("Relu", {"x"}, {"y"}, {std::vector<Message>(100, attr("a", int64_t{1}))})};
  expect_error(import_message(m, {.limits = {.attributes = 50}}), Code::limit, {"more than 50 attributes"});
  m.graph.nodes = {node("Relu", {"x"}, {"y"}, {std::vector<Message>(1001, attr("a", int64_t{1})), "r"})};
  expect_error(import_message(m), Code::limit, {"'r'", "1001 attributes"});
}

TEST(HostileModel, ShowsStrangeNamesSafely) {
  ModelMessage m = relu_model();
  m.graph.nodes = {node("Relu", {std::string("a\0b\n\x1b[31m", 9)}, {"y"}, {{}, "it's\tbad"})};
  expect_error(import_message(m), Code::corrupt, {"Relu 'it\\'s\\x09bad'", "'a\\x00b\\x0a\\x1b[31m'"});
  m.graph.nodes = {node("Relu", {std::string(5000, 'n')}, {"y"})};
  auto cut = import_message(m);
  expect_error(cut, Code::corrupt, {"(5000 bytes)"});
  EXPECT_LT(cut.error().message.size(), 400u);
  m.graph.nodes = {node("Relu", {"x"}, {"y"}, {{}, std::string(100'000, 'n')})};
  expect_error(import_message(m), Code::limit, {"a name of 100000 bytes"});
  m = relu_model();
  m.graph.inputs = {f32_info(std::string("x\0", 2), {1})};
  expect_error(import_message(m), Code::corrupt, {"'x\\x00'", "NUL"});
  // Inside the graph they do no harm.
  m = relu_model();
  m.graph.nodes = {node("Neg", {"x"}, {std::string("h\0", 2)}, {{}, "a\nb"}),
                   node("Relu", {std::string("h\0", 2)}, {"y"})};
  const auto g = must_import(m);
  EXPECT_EQ(g->nodes()[0]->name, "a\\x0ab");
}

TEST(HostileModel, NamesTheFieldThatIsDamaged) {
  expect_error(import_bytes(Message().number(1, 8).number(7, 3).bytes), Code::corrupt,
               {"ModelProto, field 7 at byte 2", "wire type 0, expected 2"});
  expect_error(import_bytes(Message().number(1, 8).bytes + "\x3a\x7f"), Code::corrupt,
               {"ModelProto, field 7 at byte 2", "truncated"});
  expect_error(import_bytes(Message().number(1, 8).bytes + "\x0b"), Code::corrupt, {"at byte 2", "damaged"});
  expect_error(import_bytes(std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12)),
               Code::corrupt, {"field 1 at byte 0"});
}

TEST(HostileModel, SurvivesTruncationAtEveryByte) {
  const std::string bytes = rich_model();
  ASSERT_TRUE(import_bytes(bytes)) << import_bytes(bytes).error().message;
  int refused = 0;
  for (size_t n = 0; n < bytes.size(); n++) {
    const auto g = import_bytes(bytes.substr(0, n));
    if (g) continue;
    refused++;
    EXPECT_FALSE(g.error().message.empty());
    EXPECT_NE(static_cast<int>(g.error().code), static_cast<int>(Code::internal)) << g.error().message;
  }
  // What remains when only the metadata behind the graph is cut off is a model.
  EXPECT_GE(refused, static_cast<int>(bytes.size()) - 16);
}

TEST(HostileModel, SurvivesFlippedBytes) {
  const char* given = std::getenv("HONE_SEED");
  const unsigned seed =
      given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
  std::printf("HONE_SEED=%u\n", seed);
  std::mt19937 random(seed);
  const std::string bytes = rich_model();
  // Small limits: a flipped length or count must not make the test slow.
  const ImportOptions options{.limits = {.nodes = 10'000, .dense_bytes = 1 << 20}};
  for (int round = 0; round < 20'000; round++) {
    std::string damaged = bytes;
    for (unsigned flips = 1 + random() % 4; flips; flips--) {
      char& byte = damaged[random() % damaged.size()];
      byte = random() % 2 ? static_cast<char>(byte ^ (1 << random() % 8)) : static_cast<char>(random());
    }
    const auto g = import_bytes(damaged, options);
    if (g) EXPECT_TRUE(ir::verify(**g)) << "seed " << seed << " round " << round;
    else
      EXPECT_NE(static_cast<int>(g.error().code), static_cast<int>(Code::internal))
          << g.error().message << " seed " << seed << " round " << round;
  }
}

}  // namespace
}  // namespace hone::test

// The seeds of fuzz/fuzz_model: the smallest model that some random draws of each operator give. And its
// dictionary: the names of all operators, their attributes and the words these may be, each as a field of
// onnx.proto. HONE_UPDATE=1 writes both.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "ir/eval.h"
#include "random/run.h"
#include "random/write_onnx.h"

namespace hone::test {
namespace {

// Empty: it exists only inside Hone.
std::string seed_of(const Drawn& drawn) {
  std::string best;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    Problem p = draw_problem(drawn, seed);
    // Indices, axes and sizes stand in the model: it then runs whatever its inputs are.
    for (Problem::Input& in : p.inputs)
      in.constant = is_int(in.value.tensor.dtype()) && in.value.tensor.elements() <= 64;
    const Placed placed = place(p, 0);
    if (!can_be_onnx(*placed.graph)) return {};
    const std::string model = onnx_model(*placed.graph);
    if (model.size() > 4000 || (!best.empty() && best.size() <= model.size())) continue;
    auto graph = imported(placed.graph);
    if (graph && ir::evaluate(**graph, placed.inputs)) best = model;
  }
  return best;
}

std::string stored(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void expect_stored(const std::string& file, const std::string& bytes) {
  const std::string path = std::string(HONE_SOURCE_DIR "/fuzz/") + file;
  if (std::getenv("HONE_UPDATE")) std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_TRUE(stored(path) == bytes) << path << " differs; run this test with HONE_UPDATE=1";
}

TEST(FuzzSeeds, AreOneForEachOperator) {
  for (const Drawn& d : drawn_ops()) {
    const std::string seed = d.draw ? seed_of(d) : "";
    if (d.draw && std::string_view(d.op) != "ChannelShuffle") { EXPECT_NE(seed, "") << d.op; }
    if (!seed.empty()) expect_stored(std::string("seeds/model/") + d.op + ".onnx", seed);
  }
}

TEST(FuzzSeeds, DictionaryHasTheWordsOfAllOperators) {
  // Field, length, bytes.
  std::set<std::string> words;
  const auto add = [&](int field, std::string_view word) {
    if (word.empty() || word.size() > 60) return;
    char head[24];
    std::snprintf(head, sizeof head, "\"\\x%02x\\x%02x", static_cast<unsigned>(field << 3 | 2),
                  static_cast<unsigned>(word.size()));
    words.insert(head + std::string(word) + '"');
  };
  for (const OpDef* op : all_ops()) {
    if (std::string_view(op->domain) == "hone") continue;
    add(4, op->name);    // NodeProto.op_type
    add(7, op->domain);  // NodeProto.domain
    for (const AttrDef& a : op->attrs) {
      if (a.internal) continue;
      add(1, a.name);                                 // AttributeProto.name
      if (a.type == AttrType::s && a.s) add(4, a.s);  // AttributeProto.s
    }
  }
  std::string text = "# Made from ops.def by tests/random/seeds_test.cc (HONE_UPDATE=1).\n";
  for (const std::string& w : words) text += w + "\n";
  expect_stored("operators.dict", text);
}

}  // namespace
}  // namespace hone::test

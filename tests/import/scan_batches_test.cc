// Scan of opset 8, which scans within a batch of sequences that may be of different lengths.
#include "helpers.h"

namespace hone::test {
namespace {

// sums, each = Scan(lengths, first, x): running sums of x[batch, sequence], begun with first[batch].
ModelMessage running_sums(const std::vector<DimSpec>& first, const std::vector<DimSpec>& x, bool lengths,
                          bool reversed) {
  const GraphMessage body{{node("Add", {"s", "v"}, {"t"}), node("Identity", {"t"}, {"u"})},
                          {f32_info("s", {}), f32_info("v", {})},
                          {f32_info("t", {}), f32_info("u", {})},
                          {}};
  NodeExtra extra{.attributes = {attr_graph("body", body.message()), attr("num_scan_inputs", int64_t{1})}};
  if (reversed) extra.attributes.push_back(attr("directions", Dims{1}));
  ModelMessage m{{{node("Scan", {lengths ? "lengths" : "", "first", "x"}, {"sums", "each"}, extra)},
                  {f32_info("first", first), f32_info("x", x)},
                  {f32_info("sums", first), f32_info("each", x)},
                  {}}};
  if (lengths) m.graph.inputs.push_back(value_info("lengths", tensor_type(DType::i64, {"b"})));
  m.opsets = {opset("", 8)};
  return m;
}
const Tensor first = f32({2}, {0, 100}), x = f32({2, 3}, {1, 2, 3, 4, 5, 6});

TEST(ScanOfOpset8, ScansEachSequenceOfABatch) {
  const auto g = must_import(running_sums({2}, {2, 3}, false, false));
  EXPECT_EQ(g->outputs()[1]->type.str(), "f32[2,3]");
  const auto out = must_run(*g, {first, x});
  EXPECT_EQ(floats(out[0]), (std::vector<float>{6, 115}));
  EXPECT_EQ(floats(out[1]), (std::vector<float>{1, 3, 6, 104, 109, 115}));
}

TEST(ScanOfOpset8, EndsEachSequenceWhereItsLengthSays) {
  for (const bool reversed : {false, true}) {
    const auto g = must_import(running_sums({"b"}, {"b", "n"}, true, reversed));
    const auto out = must_run(*g, {first, x, Tensor::of_ints({{2, 0}})});
    EXPECT_EQ(floats(out[0]), (std::vector<float>{3, 100}));
    // What lies beyond is zero.
    EXPECT_EQ(floats(out[1]),
              (reversed ? std::vector<float>{2, 3, 0, 0, 0, 0} : std::vector<float>{1, 3, 0, 0, 0, 0}));
  }
}

TEST(ScanOfOpset8, ReadsBackwardsIfItIsToldTo) {
  const auto out = must_run(*must_import(running_sums({2}, {2, 3}, false, true)), {first, x});
  EXPECT_EQ(floats(out[1]), (std::vector<float>{3, 5, 6, 106, 111, 115}));
}

TEST(ScanOfOpset8, RefusesWhatDoesNotFit) {
  const auto g = must_import(running_sums({"b"}, {"b", "n"}, true, false));
  expect_error(ir::evaluate(*g, std::vector<Value>{first, x, Tensor::of_ints({{2, 4}})}),
               Code::invalid_argument, {"length 4, of 3"});
  expect_error(ir::evaluate(*g, std::vector<Value>{first, x, Tensor::of_ints({{2, -1}})}),
               Code::invalid_argument, {"length -1"});
  expect_error(import_message(running_sums({3}, {2, 3}, false, false)), Code::invalid_argument,
               {"batches of", "3", "2"});
  expect_error(import_message(running_sums({2}, {2}, false, false)), Code::invalid_argument,
               {"batch and sequence"});
}

}  // namespace
}  // namespace hone::test

// Operators of ai.onnx.ml and of texts: tables, trees, n-grams.
#include <cmath>
#include <limits>

#include "ops/eval_op.h"

namespace hone {
namespace {
constexpr const char* ml = "ai.onnx.ml";
using Strings = std::vector<std::string>;

TEST(ArrayFeatureExtractor, RefusesIndicesOutsideTheLastAxis) {
  const Tensor x = floats({2, 3}, {0, 1, 2, 3, 4, 5});
  EXPECT_EQ(elements<float>(run_op("ArrayFeatureExtractor", {}, {x, ints({2, 0})}, 1, ml)),
            (std::vector<float>{2, 0, 5, 3}));
  expect_refused(run_op("ArrayFeatureExtractor", {}, {x, ints({3})}, 1, ml), "3");
  expect_refused(run_op("ArrayFeatureExtractor", {}, {Tensor::scalar(DType::f32, 1.0f), ints({0})}, 1, ml),
                 "scalar");
}

TEST(LabelEncoder, MapsAndFallsBackToTheDefault) {
  const Attrs words = attrs_of({{"keys_strings", Strings{"a", "b"}},
                                {"values_floats", std::vector<float>{1, 2}},
                                {"default_float", 7.0f}});
  EXPECT_EQ(elements<float>(run_op("LabelEncoder", words,
                                   {tensor<std::string>(DType::string, {3}, {"b", "x", "a"})}, 1, ml)),
            (std::vector<float>{2, 7, 1}));
  // -0 is 0, and NaN is a key as any other.
  const float nan = std::nanf("");
  const Attrs odd =
      attrs_of({{"keys_floats", std::vector<float>{0, nan}}, {"values_strings", Strings{"zero", "none"}}});
  EXPECT_EQ(elements<std::string>(run_op("LabelEncoder", odd, {floats({3}, {-0.0f, nan, 1})}, 1, ml)),
            (Strings{"zero", "none", "_Unused"}));
}

TEST(LabelEncoder, RefusesTablesThatAreNone) {
  const Tensor x = ints({1, 2});
  const std::vector<Value> in{x};
  expect_refused(run_op("LabelEncoder", attrs_of({{"keys_int64s", Ints{1}}}), in, 1, ml),
                 "0 lists of values");
  expect_refused(
      run_op("LabelEncoder", attrs_of({{"keys_int64s", Ints{1}}, {"values_int64s", Ints{1, 2}}}), in, 1, ml),
      "1 keys for 2 values");
  expect_refused(
      run_op("LabelEncoder",
             attrs_of({{"keys_int64s", Ints{1}}, {"keys_strings", Strings{"a"}}, {"values_int64s", Ints{1}}}),
             in, 1, ml),
      "2 lists of keys");
  expect_refused(run_op("LabelEncoder",
                        attrs_of({{"keys_strings", Strings{"a"}}, {"values_int64s", Ints{1}}}), in, 1, ml),
                 "expected the same");
  expect_refused(run_op("LabelEncoder",
                        attrs_of({{"keys_int64s", Ints{1}},
                                  {"values_int64s", Ints{1}},
                                  {"default_tensor", floats({1}, {1})}}),
                        in, 1, ml),
                 "default_tensor");
}

// x0 <= 1 ? leaf 0 (target 0, 10) : x1 > 5 ? leaf 1 (target 1, 20) : leaf 2 (target 0, 40).
Attrs forest() {
  return attrs_of({{"leaf_targetids", Ints{0, 1, 0}},
                   {"leaf_weights", floats({3}, {10, 20, 40})},
                   {"n_targets", int64_t{2}},
                   {"nodes_featureids", Ints{0, 1}},
                   {"nodes_modes", tensor<uint8_t>(DType::u8, {2}, {0, 3})},
                   {"nodes_splits", floats({2}, {1, 5})},
                   {"nodes_trueleafs", Ints{1, 1}},
                   {"nodes_truenodeids", Ints{0, 1}},
                   {"nodes_falseleafs", Ints{0, 1}},
                   {"nodes_falsenodeids", Ints{1, 2}},
                   {"tree_roots", Ints{0, 1}}});
}
Attrs but(const char* name, AttrValue value) {
  Attrs a = forest();
  a.set(name, std::move(value));
  return a;
}

TEST(TreeEnsemble, AggregatesWhatItsTreesSay) {
  const Tensor x = floats({2, 2}, {0, 9, 3, 4});  // row 0: leaves 0 and 1; row 1: leaf 2 twice
  const auto run = [&](Attrs a) { return elements<float>(run_op("TreeEnsemble", std::move(a), {x}, 1, ml)); };
  EXPECT_EQ(run(forest()), (std::vector<float>{10, 20, 80, 0}));
  EXPECT_EQ(run(but("aggregate_function", int64_t{0})), (std::vector<float>{5, 10, 40, 0}));
  EXPECT_EQ(run(but("aggregate_function", int64_t{2})), (std::vector<float>{10, 20, 40, 0}));
  Attrs probit = but("post_transform", int64_t{4});
  probit.set("leaf_weights", floats({3}, {0.975f, 0.5f, 0.25f}));
  const auto quantile = run(probit);
  EXPECT_NEAR(quantile[0], 1.959964f, 1e-5);
  EXPECT_NEAR(quantile[1], 0.0f, 1e-6);
  const auto soft = run(but("post_transform", int64_t{3}));
  EXPECT_NEAR(soft[0] + soft[1], 1.0f, 1e-6);
  EXPECT_EQ(soft[3], 0.0f);  // what is zero stays zero
  // A missing value passes where the node says so.
  const Tensor missing = floats({1, 2}, {std::nanf(""), 0});
  EXPECT_EQ(elements<float>(run_op("TreeEnsemble", forest(), {missing}, 1, ml)), (std::vector<float>{80, 0}));
  EXPECT_EQ(elements<float>(
                run_op("TreeEnsemble", but("nodes_missing_value_tracks_true", Ints{1, 0}), {missing}, 1, ml)),
            (std::vector<float>{50, 0}));
}

TEST(TreeEnsemble, RefusesTreesWithoutAnEnd) {
  const Tensor x = floats({1, 2}, {3, 4});
  const auto refuse = [&](const char* name, AttrValue v, const char* part) {
    expect_refused(run_op("TreeEnsemble", but(name, std::move(v)), {x}, 1, ml), part);
  };
  refuse("nodes_falseleafs", Ints{0, 0}, "nodes_falsenodeids has 2");
  Attrs circle = but("nodes_falseleafs", Ints{0, 0});
  circle.set("nodes_falsenodeids", Ints{1, 0});
  expect_refused(run_op("TreeEnsemble", circle, {x}, 1, ml), "back to itself");
  refuse("nodes_truenodeids", Ints{3, 0}, "nodes_truenodeids has 3");
  refuse("nodes_truenodeids", Ints{-1, 0}, "has -1");
  refuse("nodes_truenodeids", Ints{0}, "expected 2");
  refuse("nodes_modes", tensor<uint8_t>(DType::u8, {2}, {0, 7}), "has 7");
  refuse("nodes_modes", tensor<uint8_t>(DType::u8, {2}, {0, 6}), "0 sets for 1");
  refuse("nodes_featureids", Ints{0, -1}, "has -1");
  refuse("nodes_featureids", Ints{0, 2}, "at least 3 features");
  refuse("nodes_featureids", Ints{0, std::numeric_limits<int64_t>::max()}, "features");
  refuse("tree_roots", Ints{2}, "tree_roots has 2");
  refuse("leaf_targetids", Ints{0, 1, 2}, "leaf_targetids has 2");
  refuse("n_targets", int64_t{0}, "n_targets is 0");
  refuse("n_targets", std::numeric_limits<int64_t>::max(), "n_targets");
  refuse("post_transform", int64_t{5}, "post_transform 5");
  refuse("leaf_weights", floats({2}, {1, 2}), "leaf_weights has 2");
}

Attrs grams() {
  return attrs_of({{"min_gram_length", int64_t{1}},
                   {"max_gram_length", int64_t{2}},
                   {"max_skip_count", int64_t{1}},
                   {"mode", std::string("TFIDF")},
                   {"ngram_counts", Ints{0, 1}},
                   {"ngram_indexes", Ints{2, 0}},
                   {"pool_strings", Strings{"a", "a", "b"}},  // "a"; "a b"
                   {"weights", std::vector<float>{2, 3}}});
}

TEST(TfIdfVectorizer, CountsWithGapsAndWeighs) {
  const Tensor x = tensor<std::string>(DType::string, {5}, {"a", "b", "a", "c", "b"});
  const auto run = [&](const char* mode, int64_t skips) {
    Attrs a = grams();
    a.set("mode", std::string(mode));
    a.set("max_skip_count", skips);
    return elements<float>(eval_op("TfIdfVectorizer", {x}, a));
  };
  EXPECT_EQ(run("TF", 0), (std::vector<float>{1, 0, 2}));
  EXPECT_EQ(run("TF", 1), (std::vector<float>{2, 0, 2}));
  EXPECT_EQ(run("TF", std::numeric_limits<int64_t>::max()), (std::vector<float>{3, 0, 2}));
  EXPECT_EQ(run("IDF", 1), (std::vector<float>{3, 0, 2}));
  EXPECT_EQ(run("TFIDF", 1), (std::vector<float>{6, 0, 4}));
}

TEST(TfIdfVectorizer, RefusesPoolsThatDoNotHoldTheirGrams) {
  const Tensor x = tensor<std::string>(DType::string, {1}, {"a"});
  const auto refuse = [&](const char* name, AttrValue v, const char* part) {
    Attrs a = grams();
    a.set(name, std::move(v));
    expect_refused(eval_op("TfIdfVectorizer", {x}, a), part);
  };
  refuse("ngram_counts", Ints{0, 2}, "2-grams");
  refuse("ngram_counts", Ints{0, 9}, "pool of 3");
  refuse("ngram_counts", Ints{-1, 1}, "-1");
  refuse("ngram_counts", Ints{0}, "ngram_counts");
  refuse("ngram_indexes", Ints{1, -1}, "-1");
  refuse("ngram_indexes", Ints{1, std::numeric_limits<int64_t>::max()}, "2^32");
  refuse("ngram_indexes", Ints{1}, "1 ngram_indexes for 2");
  refuse("weights", std::vector<float>{1}, "1 weights for 2");
  refuse("mode", std::string("tf"), "'tf'");
  refuse("max_skip_count", int64_t{-1}, "-1");
  refuse("min_gram_length", int64_t{0}, "n-grams of 0");
  refuse("max_gram_length", int64_t{3}, "to 3");
  refuse("pool_int64s", Ints{1}, "one of");
  Attrs numbers = grams();
  numbers.erase("pool_strings");
  numbers.set("pool_int64s", Ints{1, 1, 2});
  expect_refused(eval_op("TfIdfVectorizer", {x}, numbers), "integers");
}

}  // namespace
}  // namespace hone

// TreeEnsemble of ai.onnx.ml: decision trees whose leaves add to targets.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/element.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

enum class Test : uint8_t { leq, lt, gte, gt, eq, neq, member };
enum class Aggregate : int64_t { average, sum, min, max };
enum class Post : int64_t { none, softmax, logistic, softmax_zero, probit };

struct Node {
  Test test = Test::leq;
  int64_t feature = 0;
  double split = 0;
  size_t set = 0;  // of a membership test
  bool missing_is_true = false, true_leaf = false, false_leaf = false;
  size_t if_true = 0, if_false = 0;
};
struct Leaf {
  size_t target;
  double weight;
};
struct Forest {
  std::vector<Node> nodes;
  std::vector<Leaf> leaves;
  std::vector<std::vector<double>> sets;  // sorted
  std::vector<size_t> roots;
  int64_t features = 0;  // that a row must have at least
  size_t targets = 1;
  Aggregate aggregate = Aggregate::sum;
  Post post = Post::none;
};

Result<std::vector<double>> numbers(const Attrs& attrs, const char* name) {
  const Tensor& t = attrs.tensor(name);
  std::vector<double> v(t ? static_cast<size_t>(t.elements()) : 0);
  for (size_t i = 0; i < v.size(); i++) v[i] = element_as_double(t.view(), static_cast<int64_t>(i));
  return v;
}

Status check_count(const char* name, size_t have, size_t want) {
  if (have == want) return {};
  return error(Code::invalid_argument, "%s has %zu entries, expected %zu", name, have, want);
}

Result<size_t> place(const char* name, int64_t i, size_t count) {
  if (i < 0 || static_cast<size_t>(i) >= count)
    return error(Code::invalid_argument, "%s has %lld; it must be from 0 to %lld", name,
                 static_cast<long long>(i), static_cast<long long>(count) - 1);
  return static_cast<size_t>(i);
}

// Whatever starts at a root must end in a leaf: a node that is met again on the way to a leaf is an error.
// Nodes may be shared; each is walked once.
Status check_paths(const Forest& f) {
  enum class Seen : uint8_t { no, open, done };
  std::vector<Seen> seen(f.nodes.size(), Seen::no);
  std::vector<std::pair<size_t, int>> stack;
  for (const size_t root : f.roots) {
    if (seen[root] == Seen::no) stack.emplace_back(root, 0);
    while (!stack.empty()) {
      auto& [at, side] = stack.back();
      seen[at] = Seen::open;
      if (side == 2) {
        seen[at] = Seen::done;
        stack.pop_back();
        continue;
      }
      const Node& n = f.nodes[at];
      const bool leaf = side == 0 ? n.true_leaf : n.false_leaf;
      const size_t next = side == 0 ? n.if_true : n.if_false;
      side++;
      if (leaf || seen[next] == Seen::done) continue;
      if (seen[next] == Seen::open)
        return error(Code::invalid_argument, "node %zu leads back to itself; a path must end in a leaf",
                     next);
      stack.emplace_back(next, 0);
    }
  }
  return {};
}

Result<Forest> read_forest(const Attrs& attrs) {
  Forest f;
  const int64_t targets = attrs.i("n_targets"), aggregate = attrs.i("aggregate_function"),
                post = attrs.i("post_transform");
  if (targets < 1 || targets > int64_t{1} << 24)
    return error(Code::invalid_argument, "n_targets is %lld; it must be from 1 to 2^24",
                 static_cast<long long>(targets));
  if (aggregate < 0 || aggregate > 3 || post < 0 || post > 4)
    return error(Code::invalid_argument,
                 "aggregate_function is %lld and post_transform %lld; they must be from 0 to 3 and 0 to 4",
                 static_cast<long long>(aggregate), static_cast<long long>(post));
  f.targets = static_cast<size_t>(targets);
  f.aggregate = static_cast<Aggregate>(aggregate);
  f.post = static_cast<Post>(post);

  const std::vector<int64_t>& ids = attrs.ints("leaf_targetids");
  HONE_TRY(const std::vector<double> weights, numbers(attrs, "leaf_weights"));
  HONE_CHECK(check_count("leaf_weights", weights.size(), ids.size()));
  for (size_t i = 0; i < ids.size(); i++) {
    HONE_TRY(const size_t target, place("leaf_targetids", ids[i], f.targets));
    f.leaves.push_back({target, weights[i]});
  }

  HONE_TRY(const std::vector<double> members, numbers(attrs, "membership_values"));
  std::vector<double> set;
  for (const double v : members)  // each set ends with a NaN
    if (std::isnan(v)) {
      std::sort(set.begin(), set.end());
      f.sets.push_back(std::exchange(set, {}));
    } else {
      set.push_back(v);
    }
  if (!set.empty()) {
    std::sort(set.begin(), set.end());
    f.sets.push_back(std::move(set));
  }

  const std::vector<int64_t>&features = attrs.ints("nodes_featureids"),
        &if_true = attrs.ints("nodes_truenodeids"), &if_false = attrs.ints("nodes_falsenodeids"),
        &true_leaf = attrs.ints("nodes_trueleafs"), &false_leaf = attrs.ints("nodes_falseleafs"),
        &missing = attrs.ints("nodes_missing_value_tracks_true");
  HONE_TRY(const std::vector<double> modes, numbers(attrs, "nodes_modes"));
  HONE_TRY(const std::vector<double> splits, numbers(attrs, "nodes_splits"));
  const size_t n = features.size();
  HONE_CHECK(check_count("nodes_truenodeids", if_true.size(), n));
  HONE_CHECK(check_count("nodes_falsenodeids", if_false.size(), n));
  HONE_CHECK(check_count("nodes_trueleafs", true_leaf.size(), n));
  HONE_CHECK(check_count("nodes_falseleafs", false_leaf.size(), n));
  HONE_CHECK(check_count("nodes_modes", modes.size(), n));
  HONE_CHECK(check_count("nodes_splits", splits.size(), n));
  if (!missing.empty()) HONE_CHECK(check_count("nodes_missing_value_tracks_true", missing.size(), n));
  size_t sets = 0;
  for (size_t i = 0; i < n; i++) {
    Node node;
    if (!(modes[i] >= 0 && modes[i] <= 6))
      return error(Code::invalid_argument, "nodes_modes has %g; it must be from 0 to 6", modes[i]);
    node.test = static_cast<Test>(modes[i]);
    if (features[i] < 0)
      return error(Code::invalid_argument, "nodes_featureids has %lld; it must not be negative",
                   static_cast<long long>(features[i]));
    node.feature = features[i];
    f.features = std::max(f.features,
                          features[i] == std::numeric_limits<int64_t>::max() ? features[i] : features[i] + 1);
    node.split = splits[i];
    node.missing_is_true = !missing.empty() && missing[i] != 0;
    node.true_leaf = true_leaf[i] != 0;
    node.false_leaf = false_leaf[i] != 0;
    HONE_TRY(node.if_true, place("nodes_truenodeids", if_true[i], node.true_leaf ? f.leaves.size() : n));
    HONE_TRY(node.if_false, place("nodes_falsenodeids", if_false[i], node.false_leaf ? f.leaves.size() : n));
    if (node.test == Test::member) node.set = sets++;
    f.nodes.push_back(node);
  }
  if (sets > f.sets.size())
    return error(Code::invalid_argument, "membership_values has %zu sets for %zu membership tests",
                 f.sets.size(), sets);
  for (const int64_t r : attrs.ints("tree_roots")) {
    HONE_TRY(const size_t root, place("tree_roots", r, n));
    f.roots.push_back(root);
  }
  HONE_CHECK(check_paths(f));
  return f;
}

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, TypeSet{DType::f32, DType::f64, DType::f16}));
  HONE_TRY(const Forest f, read_forest(c.attrs));
  const DType d = c.attrs.tensor("leaf_weights").dtype();
  if (c.dtype(0) != DType::none && d != c.dtype(0))
    return error(Code::invalid_argument, "the input is of type %s, leaf_weights are of type %s",
                 dtype_name(c.dtype(0)), dtype_name(d));
  const Shape x = c.shape(0);
  if (x.ranked() && (x.rank() != 2 || (known(x[1]) && x[1] < f.features)))
    return error(Code::invalid_argument, "the input has shape %s, expected [rows,at least %lld features]",
                 x.str().c_str(), static_cast<long long>(f.features));
  c.set(0, c.dtype(0), Shape{x.ranked() ? x[0] : unknown_dim, static_cast<Dim>(f.targets)});
  return {};
}

bool passes(const Forest& f, const Node& n, double v) {
  if (std::isnan(v) && n.missing_is_true) return true;
  switch (n.test) {
    case Test::leq:
      return v <= n.split;
    case Test::lt:
      return v < n.split;
    case Test::gte:
      return v >= n.split;
    case Test::gt:
      return v > n.split;
    case Test::eq:
      return v == n.split;
    case Test::neq:
      return v != n.split;
    case Test::member:
      return !std::isnan(v) && std::binary_search(f.sets[n.set].begin(), f.sets[n.set].end(), v);
  }
  return false;
}

// The x with normal distribution function p, by bisection on erfc: exact to rounding wherever p is.
double probit(double p) {
  if (!(p > 0 && p < 1)) return p == 0 ? -HUGE_VAL : p == 1 ? HUGE_VAL : std::nan("");
  double low = -40, high = 40;
  for (int i = 0; i < 80; i++) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

void transform(Post post, std::vector<double>& y) {
  if (post == Post::logistic)
    for (double& v : y) v = 1 / (1 + std::exp(-v));
  if (post == Post::probit)
    for (double& v : y) v = probit(v);
  if (post != Post::softmax && post != Post::softmax_zero) return;
  const bool keep_zero = post == Post::softmax_zero;
  double greatest = -HUGE_VAL, sum = 0;
  for (const double v : y)
    if (!keep_zero || v != 0) greatest = std::max(greatest, v);
  for (double& v : y)
    if (!keep_zero || v != 0) sum += v = std::exp(v - greatest);
  for (double& v : y)
    if (sum != 0) v /= sum;
}

Status evaluate(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const Forest f, read_forest(c.attrs));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, Shape{x.shape[0], static_cast<Dim>(f.targets)}));
  const int64_t features = x.shape[1];
  return dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<double> sum(f.targets);
    std::vector<bool> hit(f.targets);
    for (int64_t r = 0; r < x.shape[0]; r++) {
      std::fill(sum.begin(), sum.end(), 0.0);
      std::fill(hit.begin(), hit.end(), false);
      for (const size_t root : f.roots) {
        size_t at = root;
        for (bool leaf = false; !leaf;) {
          const Node& n = f.nodes[at];
          const bool yes = passes(f, n, x.data<T>()[r * features + n.feature]);
          leaf = yes ? n.true_leaf : n.false_leaf;
          at = yes ? n.if_true : n.if_false;
        }
        const auto [target, weight] = f.leaves[at];
        double& s = sum[target];
        if (f.aggregate == Aggregate::min) s = hit[target] ? std::min(s, weight) : weight;
        else if (f.aggregate == Aggregate::max) s = hit[target] ? std::max(s, weight) : weight;
        else s += weight;
        hit[target] = true;
      }
      if (f.aggregate == Aggregate::average && !f.roots.empty())
        for (double& s : sum) s /= static_cast<double>(f.roots.size());
      transform(f.post, sum);
      for (size_t t = 0; t < f.targets; t++)
        y.data<T>()[r * static_cast<int64_t>(f.targets) + static_cast<int64_t>(t)] = static_cast<T>(sum[t]);
    }
  });
}
Status reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, evaluate);
}

constexpr AttrDef attrs[] = {AttrDef::def_i("aggregate_function", 1),
                             AttrDef::req("leaf_targetids", AttrType::ints),
                             AttrDef::req("leaf_weights", AttrType::tensor),
                             AttrDef::opt("membership_values", AttrType::tensor),
                             AttrDef::def_i("n_targets", 1),
                             AttrDef::req("nodes_falseleafs", AttrType::ints),
                             AttrDef::req("nodes_falsenodeids", AttrType::ints),
                             AttrDef::req("nodes_featureids", AttrType::ints),
                             AttrDef::opt("nodes_hitrates", AttrType::tensor),
                             AttrDef::opt("nodes_missing_value_tracks_true", AttrType::ints),
                             AttrDef::req("nodes_modes", AttrType::tensor),
                             AttrDef::req("nodes_splits", AttrType::tensor),
                             AttrDef::req("nodes_trueleafs", AttrType::ints),
                             AttrDef::req("nodes_truenodeids", AttrType::ints),
                             AttrDef::def_i("post_transform", 0),
                             AttrDef::req("tree_roots", AttrType::ints)};
}  // namespace

extern const OpDef op_TreeEnsemble{.name = "TreeEnsemble",
                                   .domain = "ai.onnx.ml",
                                   .doc = "decision trees whose leaves add to targets",
                                   .attrs = attrs,
                                   .since = 5,
                                   .infer = infer,
                                   .reference = reference};

}  // namespace hone

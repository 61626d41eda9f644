// TfIdfVectorizer: how often each n-gram of a pool occurs in a row, its items next to each other or with equal
// gaps.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "ops/dispatch.h"
#include "ops/types.h"

namespace hone {
namespace {
constexpr TypeSet item_types{DType::i32, DType::i64, DType::string};

struct Gram {
  size_t first, length;  // its items in the pool
};
struct Grams {
  int64_t shortest = 1, longest = 1, skips = 0, width = 0;
  bool strings = false;
  std::vector<Gram> list;  // in the order of ngram_indexes
};

Result<Grams> read_grams(const Attrs& attrs) {
  Grams g;
  g.shortest = attrs.i("min_gram_length");
  g.longest = attrs.i("max_gram_length");
  g.skips = attrs.i("max_skip_count");
  const std::vector<int64_t>&counts = attrs.ints("ngram_counts"), &indexes = attrs.ints("ngram_indexes");
  if (g.shortest < 1 || g.longest < g.shortest || g.longest > static_cast<int64_t>(counts.size()))
    return error(Code::invalid_argument,
                 "n-grams of %lld to %lld items with %zu ngram_counts; expected 1 <= min_gram_length <= "
                 "max_gram_length <= the number of counts",
                 static_cast<long long>(g.shortest), static_cast<long long>(g.longest), counts.size());
  if (g.skips < 0)
    return error(Code::invalid_argument, "max_skip_count is %lld; it must not be negative",
                 static_cast<long long>(g.skips));
  if (const std::string& m = attrs.s("mode"); m != "TF" && m != "IDF" && m != "TFIDF")
    return error(Code::invalid_argument, "mode is '%s'; it must be TF, IDF or TFIDF", m.c_str());
  g.strings = attrs.has("pool_strings");
  if (g.strings == attrs.has("pool_int64s"))
    return error(Code::invalid_argument, "expected one of pool_strings and pool_int64s");
  const size_t pool = g.strings ? attrs.strings("pool_strings").size() : attrs.ints("pool_int64s").size();
  for (size_t n = 0; n < counts.size(); n++) {
    const int64_t from = counts[n], to = n + 1 < counts.size() ? counts[n + 1] : static_cast<int64_t>(pool);
    const auto length = static_cast<int64_t>(n) + 1;
    if (from < 0 || to < from || to > static_cast<int64_t>(pool) || (to - from) % length != 0)
      return error(
          Code::invalid_argument,
          "ngram_counts: %lld-grams are items %lld to %lld of a pool of %zu; they must lie in it, in "
          "order and whole",
          static_cast<long long>(length), static_cast<long long>(from), static_cast<long long>(to), pool);
    for (int64_t i = from; i < to; i += length)
      g.list.push_back({static_cast<size_t>(i), static_cast<size_t>(length)});
  }
  if (indexes.size() != g.list.size())
    return error(Code::invalid_argument, "there are %zu ngram_indexes for %zu n-grams; give one for each",
                 indexes.size(), g.list.size());
  for (const int64_t i : indexes) {
    if (i < 0 || i >= int64_t{1} << 32)
      return error(Code::invalid_argument, "ngram_indexes has %lld; each must be from 0 to 2^32",
                   static_cast<long long>(i));
    g.width = std::max(g.width, i + 1);
  }
  if (attrs.has("weights") && attrs.floats("weights").size() != g.list.size())
    return error(Code::invalid_argument, "there are %zu weights for %zu n-grams; give one for each",
                 attrs.floats("weights").size(), g.list.size());
  return g;
}

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, item_types));
  HONE_TRY(const Grams g, read_grams(c.attrs));
  if (c.dtype(0) != DType::none && (c.dtype(0) == DType::string) != g.strings)
    return error(Code::invalid_argument, "the input is of type %s, but the pool is of %s",
                 dtype_name(c.dtype(0)), g.strings ? "strings" : "integers");
  const Shape x = c.shape(0);
  c.set(0, DType::f32, Shape::unranked());
  if (!x.ranked()) return {};
  if (x.rank() != 1 && x.rank() != 2)
    return error(Code::invalid_argument, "the input has shape %s; expected [items] or [rows,items]",
                 x.str().c_str());
  c.set(0, DType::f32, x.rank() == 1 ? Shape{g.width} : Shape{x[0], g.width});
  return {};
}

// Items become small numbers (their first place in the pool), so that n-grams are looked up as integers.
// -1: not in the pool.
template <class Key, class Read>
std::vector<int64_t> numbers_of(const std::vector<Key>& pool, std::vector<int64_t>& of_pool, int64_t n,
                                Read&& read) {
  std::unordered_map<Key, int64_t> places;
  for (const Key& k : pool)
    of_pool.push_back(places.emplace(k, static_cast<int64_t>(places.size())).first->second);
  std::vector<int64_t> out(static_cast<size_t>(n), -1);
  for (int64_t i = 0; i < n; i++)
    if (const auto it = places.find(read(i)); it != places.end()) out[static_cast<size_t>(i)] = it->second;
  return out;
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const Grams g, read_grams(c.attrs));
  std::vector<int64_t> pool, items;
  if (g.strings)
    items = numbers_of(c.attrs.strings("pool_strings"), pool, x.elements(),
                       [&](int64_t i) -> const std::string& { return x.data<std::string>()[i]; });
  else
    items = numbers_of(c.attrs.ints("pool_int64s"), pool, x.elements(), [&](int64_t i) {
      return x.dtype == DType::i32 ? int64_t{x.data<int32_t>()[i]} : x.data<int64_t>()[i];
    });
  std::map<std::vector<int64_t>, std::vector<size_t>> places;  // of an n-gram in the list
  for (size_t k = 0; k < g.list.size(); k++) {
    const auto first = pool.begin() + static_cast<ptrdiff_t>(g.list[k].first);
    places[std::vector<int64_t>(first, first + static_cast<ptrdiff_t>(g.list[k].length))].push_back(k);
  }
  const int64_t length = x.shape.back(), rows = x.shape.rank() == 1 ? 1 : x.shape[0];
  const std::string& mode = c.attrs.s("mode");
  const std::vector<float>& weights = c.attrs.floats("weights");
  const std::vector<int64_t>& indexes = c.attrs.ints("ngram_indexes");
  std::vector<double> count(g.list.size());
  std::vector<int64_t> gram;
  for (int64_t r = 0; r < rows; r++) {
    const int64_t* row = items.data() + r * length;
    std::fill(count.begin(), count.end(), 0.0);
    for (int64_t n = g.shortest; n <= g.longest; n++) {
      // One item has no gaps: it counts once however many may be skipped.
      const int64_t skips = n == 1 ? 0 : std::min(g.skips, length);
      for (int64_t step = 1; step <= skips + 1; step++) {
        if (c.cancelled()) return error(Code::cancelled, "cancelled in row %lld", static_cast<long long>(r));
        if (n > 1 && step > (length - 1) / (n - 1)) break;
        for (int64_t i = 0; i + (n - 1) * step < length; i++) {
          gram.clear();
          for (int64_t k = 0; k < n && row[i + k * step] >= 0; k++) gram.push_back(row[i + k * step]);
          if (static_cast<int64_t>(gram.size()) < n) continue;
          if (const auto it = places.find(gram); it != places.end())
            for (const size_t k : it->second) count[k]++;
        }
      }
    }
    float* to = y.data<float>() + r * g.width;
    std::fill(to, to + g.width, 0.0f);
    for (size_t k = 0; k < count.size(); k++) {
      if (count[k] == 0) continue;
      const double weight = weights.empty() || mode == "TF" ? 1.0 : static_cast<double>(weights[k]);
      float& sum = to[indexes[k]];
      sum = static_cast<float>(sum + (mode == "IDF" ? 1 : count[k]) * weight);
    }
  }
  return {};
}

constexpr AttrDef attrs[] = {
    AttrDef::req("max_gram_length", AttrType::i), AttrDef::req("max_skip_count", AttrType::i),
    AttrDef::req("min_gram_length", AttrType::i), AttrDef::req("mode", AttrType::s),
    AttrDef::req("ngram_counts", AttrType::ints), AttrDef::req("ngram_indexes", AttrType::ints),
    AttrDef::opt("pool_int64s", AttrType::ints),  AttrDef::opt("pool_strings", AttrType::strings),
    AttrDef::opt("weights", AttrType::floats)};
}  // namespace

extern const OpDef op_TfIdfVectorizer{.name = "TfIdfVectorizer",
                                      .doc = "how often each n-gram of a pool occurs",
                                      .attrs = attrs,
                                      .since = 9,
                                      .infer = infer,
                                      .reference = reference};

}  // namespace hone

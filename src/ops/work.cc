#include "ops/work.h"

#include <string_view>
#include <vector>

namespace hone {
namespace {

double count(const Shape& s) { return static_cast<double>(s.elements()); }

// Weights [M, C/group, kernel...], or transposed [C, M/group, kernel...].
double of_one_channel(const Shape& w) {
  return w.rank() > 1 ? static_cast<double>(w.product(1, w.rank())) : 0;
}

// Products of A with all columns of B.
double product(const Shape& a, const Shape& y, bool transposed_a = false) {
  if (a.rank() == 0 || (transposed_a && a.rank() < 2)) return 0;
  return count(y) * static_cast<double>(transposed_a ? a[a.size() - 2] : a.back());
}

// Each query meets all keys, those of the cache included, and then all values.
double attention(std::span<const Shape> in, const Shape& y) {
  const Shape &q = in[0], &k = in[1];
  if (k.rank() < 3) return 0;
  double length = static_cast<double>(k[k.size() - 2]);
  if (in.size() > 4 && in[4].ranked() && in[4].rank() == 4) length += static_cast<double>(in[4][2]);
  return (count(q) + count(y)) * length;
}

}  // namespace

double multiply_adds(const OpDef& op, std::span<const ValueType> in, std::span<const ValueType> out,
                     const Attrs& attrs) {
  if (!is_own_domain(op.domain)) return 0;
  std::vector<Shape> from, to;
  for (const ValueType& t : in) {
    from.push_back(t.shape);
    if (t.kind != Value::Kind::none && !t.shape.all_known()) return 0;
  }
  for (const ValueType& t : out) {
    to.push_back(t.shape);
    if (t.kind != Value::Kind::none && !t.shape.all_known()) return 0;
  }
  if (from.size() < 2 || to.empty() || !to[0].ranked()) return 0;
  const std::string_view name = op.name;
  if (name == "Conv" || name == "ConvInteger") return count(to[0]) * of_one_channel(from[1]);
  if (name == "QLinearConv") return from.size() > 3 ? count(to[0]) * of_one_channel(from[3]) : 0;
  if (name == "ConvTranspose") return count(from[0]) * of_one_channel(from[1]);
  if (name == "MatMul" || name == "MatMulInteger" || name == "QLinearMatMul") return product(from[0], to[0]);
  if (name == "Gemm") return product(from[0], to[0], attrs.flag("transA"));
  if (name == "Attention" && from.size() > 2) return attention(from, to[0]);
  // X [steps, batch, inputs] or with the two swapped: each step of each sequence meets all of W and R.
  if ((name == "LSTM" || name == "GRU" || name == "RNN") && from.size() > 2 && from[0].rank() == 3)
    return static_cast<double>(from[0].product(0, 2)) * (count(from[1]) + count(from[2]));
  return 0;
}

}  // namespace hone

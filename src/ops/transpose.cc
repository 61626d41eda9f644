#include <numeric>

#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
// Default: all axes reversed.
Result<std::vector<int64_t>> permutation(const Attrs& attrs, size_t rank) {
  std::vector<int64_t> perm = attrs.ints("perm");
  if (!attrs.has("perm")) {
    perm.resize(rank);
    std::iota(perm.rbegin(), perm.rend(), 0);
  }
  std::vector<bool> seen(rank);
  if (perm.size() != rank)
    return error(Code::corrupt, "attribute 'perm' of Transpose has %zu entries for a tensor of rank %zu",
                 perm.size(), rank);
  for (int64_t p : perm) {
    if (p < 0 || p >= static_cast<int64_t>(rank) || seen[static_cast<size_t>(p)])
      return error(Code::corrupt, "attribute 'perm' of Transpose is no permutation of %zu axes: it has %lld",
                   rank, static_cast<long long>(p));
    seen[static_cast<size_t>(p)] = true;
  }
  return perm;
}

Status infer(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  const Shape s = c.shape(0);
  if (!s.ranked()) {
    c.set(0, c.dtype(0),
          c.attrs.has("perm") && c.attrs.ints("perm").size() <= static_cast<size_t>(max_rank)
              ? Shape::of_rank(static_cast<int>(c.attrs.ints("perm").size()))
              : s);
    return {};
  }
  HONE_TRY(const auto perm, permutation(c.attrs, s.size()));
  Shape out;
  for (int64_t p : perm) out.push_back(s[static_cast<size_t>(p)]);
  c.set(0, c.dtype(0), out);
  return {};
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const auto perm, permutation(c.attrs, x.shape.size()));
  const auto from = contiguous_strides(x.shape), to = contiguous_strides(y.shape);
  Nest<2> nest;
  for (size_t i = 0; i < y.shape.size(); i++)
    nest.add(y.shape[i], {to[i], from[static_cast<size_t>(perm[i])]});
  copy_strided(x.dtype, nest, y.bytes, 0, x.bytes, 0);
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::opt("perm", AttrType::ints)};
}  // namespace

extern const OpDef op_Transpose{.name = "Transpose",
                                .doc = "output axis i is input axis perm[i]",
                                .attrs = attrs,
                                .infer = infer,
                                .reference = reference};

}  // namespace hone

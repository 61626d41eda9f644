#include "ops/scatter.h"

#include <cstring>
#include <numeric>

#include "ops/element.h"
#include "ops/gather.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {

Result<Merge> merge_of(const Attrs& attrs) {
  const std::string& r = attrs.s("reduction");
  if (r == "none") return Merge::replace;
  if (r == "add") return Merge::add;
  if (r == "mul") return Merge::mul;
  if (r == "max") return Merge::max;
  if (r == "min") return Merge::min;
  return error(Code::corrupt, "attribute 'reduction' is '%s', expected none, add, mul, max or min",
               r.c_str());
}

namespace {
template <class A>
A merged(A x, A y, Merge how) {
  if constexpr (std::is_same_v<A, bool8>) {  // add is or, mul is and
    return how == Merge::add || how == Merge::max ? bool8(x || y) : bool8(x && y);
  } else {
    if (how == Merge::max) return x < y || y != y ? y : x;
    if (how == Merge::min) return y < x || y != y ? y : x;
    if constexpr (std::is_integral_v<A>) {
      const auto u = static_cast<uint64_t>(x), v = static_cast<uint64_t>(y);
      return static_cast<A>(how == Merge::add ? u + v : u * v);
    } else {
      return how == Merge::add ? x + y : x * y;
    }
  }
}

template <class T>
void scatter_as(const TensorView& data, const TensorView& updates, std::span<const int64_t> to, Merge how) {
  for (size_t i = 0; i < to.size(); i++) {
    T& y = data.data<T>()[to[i]];
    store(y, merged(load(y), load(updates.data<T>()[i]), how));
  }
}
}  // namespace

namespace {
// Moves slices of n elements: slice i between place i * n of one side and place at[i] of the other.
enum class Way : uint8_t { gather, scatter };
void move_slices(Way way, DType d, void* to, const void* from, std::span<const int64_t> at, int64_t n) {
  if (n == 0) return;
  const auto each = [&](auto&& copy) {
    for (size_t i = 0; i < at.size(); i++) {
      const int64_t here = static_cast<int64_t>(i) * n, there = at[i];
      if (way == Way::gather) copy(here, there);
      else copy(there, here);
    }
  };
  if (d == DType::string || dtype_bits(d) < 8)
    return each([&](int64_t t, int64_t f) { copy_elements(d, to, t, from, f, n); });
  auto* out = static_cast<std::byte*>(to);
  const auto* in = static_cast<const std::byte*>(from);
  const int64_t size = dtype_bits(d) / 8, bytes = size * n;
  const auto single = [&](auto width) {  // known when compiled: no call for each element
    each([&](int64_t t, int64_t f) { std::memcpy(out + t * width, in + f * width, width); });
  };
  if (bytes == 4 && n == 1) return single(std::integral_constant<int64_t, 4>());
  if (bytes == 8 && n == 1) return single(std::integral_constant<int64_t, 8>());
  each([&](int64_t t, int64_t f) { std::memcpy(out + t * size, in + f * size, static_cast<size_t>(bytes)); });
}
}  // namespace

Status scatter(const TensorView& data, const TensorView& updates, std::span<const int64_t> to, Merge how) {
  if (how == Merge::replace) {
    move_slices(Way::scatter, data.dtype, data.bytes, updates.bytes, to, 1);
    return {};
  }
  if (data.dtype == DType::boolean) return scatter_as<bool8>(data, updates, to, how), Status{};
  return dispatch_numbers(data.dtype, [&](auto zero) { scatter_as<decltype(zero)>(data, updates, to, how); });
}

namespace {
// --- GatherElements, ScatterElements: indices[i][j][k] stands for position [i][indices][k] (axis 1) of the
// data ---

Status check_elements(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, index_types));
  const Shape data = c.shape(0), indices = c.shape(1);
  if (!data.ranked()) return {};
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), data.rank()));
  if (!indices.ranked()) return {};
  if (indices.rank() != data.rank())
    return error(Code::invalid_argument, "%s of %s by indices %s, expected the same rank", c.op.name,
                 data.str().c_str(), indices.str().c_str());
  for (int i = 0; i < data.rank(); i++) {
    const Dim d = data[static_cast<size_t>(i)], n = indices[static_cast<size_t>(i)];
    if (i != axis && known(d) && known(n) && n > d)
      return error(Code::invalid_argument, "%s of %s by indices %s: dimension %d of the indices is greater",
                   c.op.name, data.str().c_str(), indices.str().c_str(), i);
  }
  return {};
}

// Offsets into the data of all the indices.
Result<std::vector<int64_t>> element_offsets(const TensorView& data, const TensorView& indices, int axis,
                                             const char* op) {
  const auto a = static_cast<size_t>(axis);
  HONE_TRY(std::vector<int64_t> at, checked_indices(indices, data.shape[a], op));
  const auto strides = contiguous_strides(data.shape);
  Nest<2> nest;  // operand 0: position in indices; operand 1: offset in data but for the axis
  const auto own = contiguous_strides(indices.shape);
  for (size_t i = 0; i < indices.shape.size(); i++)
    nest.add(indices.shape[i], {own[i], i == a ? 0 : strides[i]});
  for_each_row(nest, [&](const auto& offset, int64_t n, const auto& stride) {
    for (int64_t i = 0; i < n; i++) {
      int64_t& k = at[static_cast<size_t>(offset[0] + i * stride[0])];
      k = k * strides[a] + offset[1] + i * stride[1];
    }
  });
  return at;
}

Status infer_gather_elements(Infer& c) {
  HONE_CHECK(check_elements(c));
  c.set(0, c.dtype(0), c.shape(1));
  return {};
}
Status gather_elements(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  HONE_TRY(const std::vector<int64_t> from, element_offsets(x, c.input(1), axis, "GatherElements"));
  move_slices(Way::gather, x.dtype, y.bytes, x.bytes, from, 1);
  return {};
}

Status check_updates(Infer& c) {
  HONE_CHECK(merge_of(c.attrs));
  HONE_CHECK(check_tensor(c, 2));
  if (c.dtype(0) != DType::none && c.dtype(2) != DType::none && c.dtype(0) != c.dtype(2))
    return error(Code::corrupt, "%s of %s data by %s updates", c.op.name, dtype_name(c.dtype(0)),
                 dtype_name(c.dtype(2)));
  return {};
}
Status infer_scatter_elements(Infer& c) {
  HONE_CHECK(check_elements(c));
  HONE_CHECK(check_updates(c));
  if (c.shape(1).all_known() && c.shape(2).all_known() && c.shape(1) != c.shape(2))
    return error(Code::invalid_argument,
                 "ScatterElements has indices %s and updates %s, expected the same shape",
                 c.shape(1).str().c_str(), c.shape(2).str().c_str());
  return same_as_first(c);
}
Status scatter_elements(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  HONE_TRY(const std::vector<int64_t> to, element_offsets(x, c.input(1), axis, "ScatterElements"));
  HONE_TRY(const Merge how, merge_of(c.attrs));
  copy_elements(x.dtype, y.bytes, 0, x.bytes, 0, x.elements());
  return scatter(y, c.input(2), to, how);
}

// --- GatherND, ScatterND: the last dimension of the indices holds the leading coordinates of a slice of the
// data ---

// The rank of what each index tuple names, after `batch` common dimensions; -1: not known.
Result<int> slice_rank(const Infer& c, int64_t batch) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, i64_type));
  const Shape data = c.shape(0), indices = c.shape(1);
  if (!data.ranked() || !indices.ranked()) return -1;
  if (batch < 0 || batch >= std::min(data.rank(), indices.rank()))
    return error(Code::invalid_argument, "%s of %s by indices %s with batch_dims = %lld", c.op.name,
                 data.str().c_str(), indices.str().c_str(), static_cast<long long>(batch));
  for (size_t i = 0; i < static_cast<size_t>(batch); i++)
    if (known(data[i]) && known(indices[i]) && data[i] != indices[i])
      return error(Code::invalid_argument, "%s of %s by indices %s: batch dimension %zu differs", c.op.name,
                   data.str().c_str(), indices.str().c_str(), i);
  if (!known(indices.back())) return -1;
  if (indices.back() > data.rank() - batch)
    return error(Code::invalid_argument, "%s of %s by tuples of %lld indices", c.op.name, data.str().c_str(),
                 static_cast<long long>(indices.back()));
  return data.rank() - static_cast<int>(batch) - static_cast<int>(indices.back());
}

// The offset of each slice in the data.
Result<std::vector<int64_t>> slice_offsets(const TensorView& data, const TensorView& indices, int batch,
                                           const char* op) {
  const int64_t tuple = indices.shape.back(), batches = indices.shape.product(0, batch),
                each = indices.shape.product(batch, indices.shape.rank() - 1);
  const auto strides = contiguous_strides(data.shape);
  const int64_t batch_stride = data.shape.product(batch, data.shape.rank());
  std::vector<int64_t> out;
  out.reserve(static_cast<size_t>(batches * each));
  const int64_t* p = indices.data<int64_t>();
  for (int64_t b = 0; b < batches; b++)
    for (int64_t i = 0; i < each; i++) {
      int64_t offset = b * batch_stride;
      for (int64_t k = 0; k < tuple; k++) {
        const auto axis = static_cast<size_t>(batch + k);
        const int64_t dim = data.shape[axis];
        int64_t v = *p++;
        if (v < -dim || v >= dim)
          return error(Code::invalid_argument, "%s has index %lld for axis %zu of %s", op,
                       static_cast<long long>(v), axis, data.shape.str().c_str());
        offset += (v < 0 ? v + dim : v) * strides[axis];
      }
      out.push_back(offset);
    }
  return out;
}

Status infer_gather_nd(Infer& c) {
  const int64_t batch = c.attrs.i("batch_dims");
  HONE_TRY(const int rest, slice_rank(c, batch));
  const Shape data = c.shape(0), indices = c.shape(1);
  c.set(0, c.dtype(0), Shape::unranked());
  if (rest < 0) return {};
  if (indices.rank() - 1 + rest > max_rank)
    return error(Code::limit, "GatherND of %s by indices %s: at most %d dimensions", data.str().c_str(),
                 indices.str().c_str(), max_rank);
  Shape out;
  for (size_t i = 0; i + 1 < indices.size(); i++) out.push_back(indices[i]);
  for (int i = data.rank() - rest; i < data.rank(); i++) out.push_back(data[static_cast<size_t>(i)]);
  c.set(0, c.dtype(0), out);
  return {};
}
Status gather_nd(EvalContext& c) {
  const TensorView x = c.input(0), indices = c.input(1);
  HONE_TRY(const TensorView y, infer_output(c));
  const auto batch = static_cast<int>(c.attrs.i("batch_dims"));
  if (y.elements() == 0 && indices.elements() == 0) return {};
  HONE_TRY(const std::vector<int64_t> from, slice_offsets(x, indices, batch, "GatherND"));
  const int64_t n = x.shape.product(batch + static_cast<int>(indices.shape.back()), x.shape.rank());
  move_slices(Way::gather, x.dtype, y.bytes, x.bytes, from, n);
  return {};
}

Status infer_scatter_nd(Infer& c) {
  HONE_TRY(const int rest, slice_rank(c, 0));
  HONE_CHECK(check_updates(c));
  const Shape data = c.shape(0), indices = c.shape(1), updates = c.shape(2);
  if (rest >= 0 && updates.all_known()) {
    Shape expected;
    for (size_t i = 0; i + 1 < indices.size(); i++) expected.push_back(indices[i]);
    for (int i = data.rank() - rest; i < data.rank(); i++) expected.push_back(data[static_cast<size_t>(i)]);
    if (expected.all_known() && (expected != updates || indices.rank() - 1 + rest > max_rank))
      return error(Code::invalid_argument, "ScatterND of %s by indices %s has updates %s, expected %s",
                   data.str().c_str(), indices.str().c_str(), updates.str().c_str(), expected.str().c_str());
  }
  return same_as_first(c);
}
Status scatter_nd(EvalContext& c) {
  const TensorView x = c.input(0), indices = c.input(1);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const Merge how, merge_of(c.attrs));
  copy_elements(x.dtype, y.bytes, 0, x.bytes, 0, x.elements());
  if (c.input(2).elements() == 0) return {};
  HONE_TRY(const std::vector<int64_t> first, slice_offsets(x, indices, 0, "ScatterND"));
  const int64_t n = x.shape.product(static_cast<int>(indices.shape.back()), x.shape.rank());
  if (how == Merge::replace) {
    move_slices(Way::scatter, x.dtype, y.bytes, c.input(2).bytes, first, n);
    return {};
  }
  std::vector<int64_t> to;
  to.reserve(first.size() * static_cast<size_t>(n));
  for (int64_t f : first)
    for (int64_t i = 0; i < n; i++) to.push_back(f + i);
  return scatter(y, c.input(2), to, how);
}

Status rename_scatter(OpsetNode& n) {
  n.rename("ScatterElements");
  return {};
}
constexpr Upgrade scatter_upgrades[] = {{1 << 20, rename_scatter}};
constexpr AttrDef gather_elements_attrs[] = {AttrDef::def_i("axis", 0)};
constexpr AttrDef gather_nd_attrs[] = {AttrDef::def_i("batch_dims", 0)};
constexpr AttrDef scatter_elements_attrs[] = {AttrDef::def_i("axis", 0), AttrDef::def_s("reduction", "none")};
constexpr AttrDef scatter_nd_attrs[] = {AttrDef::def_s("reduction", "none")};
}  // namespace

extern const OpDef op_GatherElements{.name = "GatherElements",
                                     .doc = "each element chosen by an index along an axis",
                                     .min_inputs = 2,
                                     .max_inputs = 2,
                                     .attrs = gather_elements_attrs,
                                     .since = 11,
                                     .infer = infer_gather_elements,
                                     .reference = gather_elements};
extern const OpDef op_GatherND{.name = "GatherND",
                               .doc = "slices of the data chosen by tuples of indices",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .attrs = gather_nd_attrs,
                               .since = 11,
                               .infer = infer_gather_nd,
                               .reference = gather_nd};
extern const OpDef op_Scatter{.name = "Scatter",
                              .doc = "the older name of ScatterElements",
                              .min_inputs = 3,
                              .max_inputs = 3,
                              .attrs = gather_elements_attrs,
                              .since = 9,
                              .upgrades = scatter_upgrades};
extern const OpDef op_ScatterElements{.name = "ScatterElements",
                                      .doc = "the data with single elements replaced or merged by updates",
                                      .min_inputs = 3,
                                      .max_inputs = 3,
                                      .attrs = scatter_elements_attrs,
                                      .since = 11,
                                      .infer = infer_scatter_elements,
                                      .reference = scatter_elements};
extern const OpDef op_ScatterND{.name = "ScatterND",
                                .doc = "the data with slices replaced or merged by updates",
                                .min_inputs = 3,
                                .max_inputs = 3,
                                .attrs = scatter_nd_attrs,
                                .since = 11,
                                .infer = infer_scatter_nd,
                                .reference = scatter_nd};

}  // namespace hone

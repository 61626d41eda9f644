#include <algorithm>

#include "random/draws.h"

namespace hone::test {
namespace {

// Splits n into `count` factors.
std::vector<int64_t> factors(Draw& d, int64_t n, int count) {
  std::vector<int64_t> f(static_cast<size_t>(count), 1);
  for (int64_t p = 2; p <= n; p++)
    while (n % p == 0) {
      f[static_cast<size_t>(d.between(0, count - 1))] *= p;
      n /= p;
    }
  return f;
}

}  // namespace

void identity(Draw& d) { d.in(d.tensor(d.type(any_type), d.shape(0, 5))); }

void reshape(Draw& d) {
  const Shape s = d.shape(0, 5);
  const int64_t n = s.elements();
  std::vector<int64_t> to;
  if (n > 0) {
    const int rank = static_cast<int>(d.between(n == 1 ? 0 : 1, 5));
    if (rank > 0) to = factors(d, n, rank);
    if (rank > 0 && d.chance(40)) to[static_cast<size_t>(d.between(0, rank - 1))] = -1;
    for (size_t i = 0; i < to.size() && i < s.size(); i++)
      if (to[i] == s[i] && d.chance(40)) to[i] = 0;
  } else {
    for (const Dim dim : s.dims()) to.push_back(dim);
    if (d.chance(50)) d.attr("allowzero", int64_t{1});
  }
  d.in(d.tensor(d.type(whole_types | small_ints), s));
  d.ints(to);
}

void flatten(Draw& d) {
  const Shape s = d.shape(0, 5);
  if (d.chance(80)) d.attr("axis", d.between(-s.rank(), s.rank()));
  else if (s.rank() == 0) d.attr("axis", int64_t{0});
  d.in(d.tensor(d.type(whole_types), s));
}

void squeeze(Draw& d) {
  Shape s = d.shape(0, 5);
  std::vector<int64_t> axes;
  for (size_t i = 0; i < s.size(); i++)
    if (d.chance(40)) s[i] = 1, axes.push_back(static_cast<int64_t>(i) - (d.chance(30) ? s.rank() : 0));
  d.in(d.tensor(d.type(whole_types), s));
  if (d.chance(70)) d.ints(axes);
}

void unsqueeze(Draw& d) {
  const Shape s = d.shape(0, 4);
  const int n = static_cast<int>(d.between(0, 3));
  d.in(d.tensor(d.type(whole_types), s));
  d.ints(d.axes(s.rank() + n, n));
}

void transpose(Draw& d) {
  const Shape s = d.shape(0, 6);
  if (d.chance(85)) d.attr("perm", d.permutation(s.rank()));
  d.in(d.tensor(d.type(whole_types | small_ints), s));
}

void concat(Draw& d) {
  const DType t = d.type(whole_types);
  const Shape s = d.shape(1, 5);
  const int64_t axis = d.axis(s.rank()), n = d.between(1, 6);
  d.attr("axis", axis);
  for (int64_t i = 0; i < n; i++) {
    Shape part = s;
    part[static_cast<size_t>(axis < 0 ? axis + s.rank() : axis)] = d.chance(5) ? 0 : d.dim();
    d.in(d.tensor(t, part));
  }
}

void split(Draw& d) {
  const Shape s = d.shape(1, 5);
  const int64_t axis = d.axis(s.rank()), n = s[static_cast<size_t>(axis < 0 ? axis + s.rank() : axis)];
  d.attr("axis", axis);
  d.in(d.tensor(d.type(whole_types), s));
  const int64_t parts = d.between(1, 5);
  d.outputs(static_cast<size_t>(parts));
  if (d.chance(30) && n > 0) {
    const int64_t each = (n + parts - 1) / parts;
    if (each * (parts - 1) <= n) {
      d.attr("num_outputs", parts);
      return;
    }
  }
  std::vector<int64_t> cuts{0, n};
  for (int64_t i = 1; i < parts; i++) cuts.push_back(d.between(0, n));
  std::sort(cuts.begin(), cuts.end());
  std::vector<int64_t> sizes;
  for (size_t i = 1; i < cuts.size(); i++) sizes.push_back(cuts[i] - cuts[i - 1]);
  d.ints(sizes);
}

void slice(Draw& d) {
  const Shape s = d.shape(1, 4);
  const int n = static_cast<int>(d.between(1, s.rank()));
  const bool all = n == s.rank() && d.chance(50), steps = d.chance(60);
  std::vector<int64_t> axes = d.axes(s.rank(), n), start, end, step;
  if (all)
    for (size_t i = 0; i < axes.size(); i++) axes[i] = static_cast<int64_t>(i);
  for (const int64_t a : axes) {
    const int64_t size = s[static_cast<size_t>(a < 0 ? a + s.rank() : a)];
    step.push_back(!steps || d.chance(50) ? 1 : d.pick<int64_t>({-1, 2, 3, -2, 100, -100}));
    int64_t from = d.between(-size - 2, size + 2), to = d.between(-size - 2, size + 2);
    if (d.chance(50)) (step.back() > 0) == (from < to) ? void() : std::swap(from, to);
    if (d.chance(15)) to = step.back() > 0 ? INT64_MAX : INT64_MIN;
    if (d.chance(5)) from = step.back() > 0 ? INT64_MIN : INT64_MAX;
    start.push_back(from);
    end.push_back(to);
  }
  d.in(d.tensor(d.type(whole_types), s));
  const bool narrow = d.chance(20);
  for (const auto* list : {&start, &end, &axes, &step}) {
    if (list == &axes && all) {
      if (!steps) break;
      d.none();
      continue;
    }
    if (list == &step && !steps) break;
    if (!narrow) {
      d.ints(*list);
      continue;
    }
    Tensor t = d.zeros(DType::i32, {static_cast<Dim>(list->size())});
    for (size_t i = 0; i < list->size(); i++)
      set_number(t, static_cast<int64_t>(i), static_cast<double>((*list)[i]));
    d.in(t);
  }
}

void pad(Draw& d) {
  const Shape s = d.shape(1, 4);
  const std::string mode = d.pick<std::string>({"constant", "constant", "reflect", "edge", "wrap"});
  const bool some = d.chance(25);
  const int n = some ? static_cast<int>(d.between(1, s.rank())) : s.rank();
  std::vector<int64_t> axes = d.axes(s.rank(), n), pads(2 * static_cast<size_t>(n));
  if (!some)
    for (size_t i = 0; i < axes.size(); i++) axes[i] = static_cast<int64_t>(i);
  for (size_t i = 0; i < pads.size(); i++) {
    const int64_t a = axes[i % axes.size()], size = s[static_cast<size_t>(a < 0 ? a + s.rank() : a)];
    const int64_t most = mode == "constant" ? 4 : std::max<int64_t>(0, size - 1);
    if (d.chance(60)) pads[i] = d.between(d.chance(20) ? -size / 2 : 0, std::min<int64_t>(4, most));
    if (size == 0 && mode != "constant") pads[i] = 0;
  }
  const DType t = d.type(whole_types);
  if (mode != "constant" || d.chance(30)) d.attr("mode", mode);
  d.in(d.tensor(t, s));
  d.ints(pads);
  if (mode == "constant" && d.chance(60)) d.in(d.tensor(t, {}));
  else if (some) d.none();
  if (some) d.ints(axes);
}

void expand(Draw& d) {
  const Shape s = d.shape(0, 5), small = d.broadcastable(s);
  d.in(d.tensor(d.type(whole_types), small));
  std::vector<int64_t> to(s.begin(), s.end());
  for (size_t i = 0, skip = s.size() - small.size(); i < to.size(); i++)
    if (i >= skip && small[i - skip] == to[i] && d.chance(30)) to[i] = 1;
  d.ints(to);
}

void tile(Draw& d) {
  const Shape s = d.shape(0, 4);
  std::vector<int64_t> repeats;
  for (int i = 0; i < s.rank(); i++) repeats.push_back(d.chance(4) ? 0 : d.between(1, 3));
  d.in(d.tensor(d.type(whole_types), s));
  d.ints(repeats);
}

void shape_of(Draw& d) {
  const Shape s = d.shape(0, 6);
  if (d.chance(50)) d.attr("start", d.between(-8, 8));
  if (d.chance(50)) d.attr("end", d.between(-8, 8));
  d.in(d.tensor(d.type(any_type), s));
}
void size_of(Draw& d) { d.in(d.tensor(d.type(any_type), d.shape(0, 6))); }

void gather(Draw& d) {
  const Shape s = d.shape(1, 4, false);
  const int64_t axis = d.axis(s.rank()), n = s[static_cast<size_t>(axis < 0 ? axis + s.rank() : axis)];
  if (axis != 0 || d.chance(50)) d.attr("axis", axis);
  d.in(d.tensor(d.type(whole_types), s));
  d.in(d.whole(d.type(index_types), d.shape(0, 3), axis == 0 ? -s[0] : -n, (axis == 0 ? s[0] : n) - 1));
}

void gather_elements(Draw& d) {
  const Shape s = d.shape(1, 4, false);
  const int64_t axis = d.axis(s.rank());
  const auto at = static_cast<size_t>(axis < 0 ? axis + s.rank() : axis);
  Shape indices = s;
  for (size_t i = 0; i < s.size(); i++) indices[i] = i == at ? d.dim() : d.between(1, s[i]);
  d.attr("axis", axis);
  d.in(d.tensor(d.type(whole_types), s));
  d.in(d.whole(d.type(index_types), indices, -s[at], s[at] - 1));
}

namespace {
// Tuples of indices into s without its first `batch` axes.
Tensor tuples(Draw& d, const Shape& s, int batch, int length, int extra_rank, bool once) {
  Shape shape;
  for (int i = 0; i < batch; i++) shape.push_back(s[static_cast<size_t>(i)]);
  for (int i = 0; i < extra_rank; i++) shape.push_back(once ? 1 : d.between(1, 4));
  shape.push_back(length);
  Tensor t = d.zeros(DType::i64, shape);
  for (int64_t i = 0; i < t.elements(); i++) {
    const int64_t n = s[static_cast<size_t>(batch + i % length)];
    t.data<int64_t>()[i] = d.between(-n, n - 1);
  }
  return t;
}
}  // namespace

void gather_nd(Draw& d) {
  const Shape s = d.shape(1, 4, false);
  const int batch = static_cast<int>(d.chance(40) ? d.between(0, s.rank() - 1) : 0);
  const int length = static_cast<int>(d.between(1, s.rank() - batch));
  if (batch > 0) d.attr("batch_dims", static_cast<int64_t>(batch));
  d.in(d.tensor(d.type(whole_types), s));
  d.in(tuples(d, s, batch, length, static_cast<int>(d.between(0, 2)), false));
}

void scatter_elements(Draw& d) {
  const Shape s = d.shape(1, 4, false);
  const int64_t axis = d.axis(s.rank());
  const auto at = static_cast<size_t>(axis < 0 ? axis + s.rank() : axis);
  const std::string reduction = d.pick<std::string>({"none", "add", "mul", "max", "min"});
  const DType t = d.type(reduction == "none" ? whole_types : number_types);
  Shape part = s;
  for (size_t i = 0; i < s.size(); i++) part[i] = d.between(1, s[i]);
  Tensor indices = d.whole(d.type(index_types), part, 0, s[at] - 1);
  if (reduction == "none") {  // an index twice has no defined answer: a rotation of the axis has none
    const int64_t shift = d.between(0, s[at] - 1);
    const auto strides = contiguous_strides(part);
    for (int64_t i = 0; i < indices.elements(); i++)
      set_number(indices, i, static_cast<double>((i / strides[at] % part[at] + shift) % s[at]));
  } else {
    d.attr("reduction", reduction);
    d.judge(Judge::scaled, 2.0 * static_cast<double>(part[at]));
  }
  d.attr("axis", axis);
  d.in(d.tensor(t, s));
  d.in(indices);
  d.in(d.tensor(t, part));
}

void scatter_nd(Draw& d) {
  const Shape s = d.shape(1, 4, false);
  const int length = static_cast<int>(d.between(1, s.rank()));
  const std::string reduction = d.pick<std::string>({"none", "add", "mul", "max", "min"});
  const DType t = d.type(reduction == "none" ? whole_types : number_types);
  const Tensor indices = tuples(d, s, 0, length, static_cast<int>(d.between(0, 2)), reduction == "none");
  if (reduction != "none") {
    d.attr("reduction", reduction);
    d.judge(Judge::scaled, 2.0 * static_cast<double>(indices.elements()));
  }
  Shape updates;
  for (size_t i = 0; i + 1 < indices.shape().size(); i++) updates.push_back(indices.shape()[i]);
  for (size_t i = static_cast<size_t>(length); i < s.size(); i++) updates.push_back(s[i]);
  d.in(d.tensor(t, s));
  d.in(indices);
  d.in(d.tensor(t, updates));
}

void tensor_scatter(Draw& d) {
  const DType t = d.type(float_types | int_types);
  const Shape cache{d.between(1, 3), d.between(1, 3), d.between(3, 9), d.between(1, 9)};
  Shape update = cache;
  update[2] = d.between(1, cache[2]);
  const bool circular = d.chance(50);
  if (circular) d.attr("mode", std::string("circular"));
  if (d.chance(30)) d.attr("axis", d.pick<int64_t>({2, -2}));
  d.in(d.tensor(t, cache));
  d.in(d.tensor(t, update));
  if (circular) d.in(d.whole(DType::i64, {cache[0]}, 0, cache[2] - 1));
  else if (d.chance(80)) d.in(d.whole(DType::i64, {cache[0]}, 0, cache[2] - update[2]));
}

void depth_to_space(Draw& d, bool to_space) {
  const int64_t b = d.between(1, 4), n = d.between(1, 3), c = d.between(1, 5), h = d.between(1, 6),
                w = d.between(1, 6);
  d.attr("blocksize", b);
  if (to_space) d.maybe<std::string>("mode", {"DCR", "CRD"});
  d.in(d.tensor(d.type(whole_types), to_space ? Shape{n, c * b * b, h, w} : Shape{n, c, h * b, w * b}));
}

void channel_shuffle(Draw& d) {
  Shape s = d.shape(2, 5);
  const int64_t groups = d.between(1, 5), axis = d.axis(s.rank());
  s[static_cast<size_t>(axis < 0 ? axis + s.rank() : axis)] = groups * d.between(1, 4);
  d.attr("groups", groups);
  d.attr("axis", axis);
  d.in(d.tensor(d.type(number_types), s));
}

void center_crop_pad(Draw& d) {
  const Shape s = d.shape(1, 4);
  const bool some = d.chance(50);
  const int n = some ? static_cast<int>(d.between(1, s.rank())) : s.rank();
  std::vector<int64_t> to;
  for (int i = 0; i < n; i++) to.push_back(d.between(0, 9));
  if (some) d.attr("axes", d.axes(s.rank(), n));
  d.in(d.tensor(d.type(number_types | bool_type), s));
  d.ints(to);
}

void reverse_sequence(Draw& d) {
  const Shape s = d.shape(2, 4, false);
  const auto time = static_cast<size_t>(d.between(0, 1));
  d.attr("time_axis", static_cast<int64_t>(time));
  d.attr("batch_axis", static_cast<int64_t>(1 - time));
  d.in(d.tensor(d.type(whole_types), s));
  d.in(d.whole(DType::i64, {s[1 - time]}, 1, s[time]));
}

void compress(Draw& d) {
  const Shape s = d.shape(1, 4, false);
  int64_t n = s.elements();
  if (d.chance(70)) {
    const int64_t axis = d.axis(s.rank());
    n = s[static_cast<size_t>(axis < 0 ? axis + s.rank() : axis)];
    d.attr("axis", axis);
  }
  d.in(d.tensor(d.type(whole_types), s));
  d.in(d.tensor(DType::boolean, {d.between(d.chance(30) ? 1 : n, n)}));
}

void unique(Draw& d) {
  const Shape s = d.shape(1, 3, false);
  if (d.chance(50)) d.attr("axis", d.axis(s.rank()));
  d.flag("sorted");
  d.outputs(static_cast<size_t>(d.between(1, 4)));
  const DType t = d.type(whole_types);
  d.in(t == DType::string || t == DType::boolean ? d.tensor(t, s) : d.whole(t, s, 0, 4));
}

void non_zero(Draw& d) { d.in(d.tensor(d.type(number_types | bool_type), d.shape(0, 4), -1, 1)); }

void one_hot(Draw& d) {
  const Shape s = d.shape(0, 3);
  const int64_t depth = d.between(1, 6);
  const DType t = d.type(number_types | bool_type | TypeSet{DType::string});
  if (d.chance(60)) d.attr("axis", d.axis(s.rank() + 1));
  d.in(d.whole(d.type(number_types), s, 0, depth + 1));
  d.in(d.whole(d.type(number_types), d.chance(50) ? Shape{} : Shape{1}, depth, depth));
  d.in(d.tensor(t, {2}));
}

void trilu(Draw& d) {
  d.flag("upper");
  d.in(d.tensor(d.type(number_types | bool_type), d.shape(2, 4)));
  if (d.chance(60)) d.in(d.whole(DType::i64, {}, -9, 9));
}

void eye_like(Draw& d) {
  if (d.chance(50)) d.attr("k", d.between(-6, 6));
  if (d.chance(50)) d.attr("dtype", static_cast<int64_t>(d.type(number_types | bool_type)));
  d.in(d.tensor(d.type(number_types | bool_type), d.shape(2, 2)));
}

void constant(Draw& d) {
  switch (d.between(0, 6)) {
    case 0:
      return d.attr("value_float", static_cast<float>(d.real(-2, 2)));
    case 1:
      return d.attr("value_int", d.between(-9, 9));
    case 2:
      return d.attr("value_string", std::string("text"));
    case 3:
      return d.attr("value_floats", std::vector<float>{1, 2.5f, -3});
    case 4:
      return d.attr("value_ints", std::vector<int64_t>{1, -2});
    case 5:
      return d.attr("value_strings", std::vector<std::string>{"a", ""});
    default:
      return d.attr("value", d.tensor(d.type(any_type), d.shape(0, 3)));
  }
}

void constant_of_shape(Draw& d) {
  const Shape s = d.shape(0, 4);
  if (d.chance(70)) d.attr("value", d.tensor(d.type(number_types | bool_type), {1}));
  d.ints(std::vector<int64_t>(s.begin(), s.end()));
}

void range(Draw& d) {
  const DType t = d.type(TypeSet{DType::f32, DType::f64, DType::i16, DType::i32, DType::i64});
  const double step = d.pick({1.0, 2.0, -1.0, 3.0}), from = static_cast<double>(d.between(-9, 9));
  for (const double v : {from, static_cast<double>(d.between(-20, 20)), is_float(t) ? step / 2 : step}) {
    Tensor x = d.zeros(t, {});
    set_number(x, 0, v);
    d.in(x);
  }
  d.judge(Judge::scaled, 4);
}

void col2im(Draw& d) {
  const int rank = static_cast<int>(d.between(1, 2));
  std::vector<int64_t> image, block, strides, dilations, pads(2 * static_cast<size_t>(rank));
  int64_t blocks = 1, taps = 1;
  for (int i = 0; i < rank; i++) {
    block.push_back(d.between(1, 3));
    strides.push_back(d.between(1, 2));
    dilations.push_back(d.between(1, 2));
    const int64_t extent = dilations.back() * (block.back() - 1) + 1, n = d.between(1, 4);
    const int64_t before = d.between(0, 1), after = d.between(0, 1);
    pads[static_cast<size_t>(i)] = before;
    pads[static_cast<size_t>(i + rank)] = after;
    image.push_back(std::max<int64_t>(1, (n - 1) * strides.back() + extent - before - after));
    blocks *= (image.back() + before + after - extent) / strides.back() + 1;
    taps *= block.back();
  }
  d.attr("strides", strides);
  d.attr("dilations", dilations);
  d.attr("pads", pads);
  d.in(d.tensor(d.type(number_types), {d.between(1, 2), d.between(1, 3) * taps, blocks}));
  d.ints(image);
  d.ints(block);
  d.judge(Judge::sums, 2.0 * static_cast<double>(taps));
}

}  // namespace hone::test

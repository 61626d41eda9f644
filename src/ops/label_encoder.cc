// LabelEncoder of ai.onnx.ml: a table from keys to values, of numbers or strings.
#include <bit>
#include <cmath>
#include <unordered_map>

#include "ops/element.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
constexpr TypeSet label_types{DType::f32, DType::f64, DType::i16, DType::i32, DType::i64, DType::string};

// A list that is given as one of four attributes: NAME_strings, NAME_int64s, NAME_floats or NAME_tensor.
Result<Tensor> list_of(const Attrs& attrs, const std::string& name) {
  Tensor found;
  int given = 0;
  const auto take = [&](DType d, const auto& values) -> Status {
    HONE_TRY(found, Tensor::allocate(d, Shape{static_cast<Dim>(values.size())}));
    using T = typename std::decay_t<decltype(values)>::value_type;
    std::copy(values.begin(), values.end(), found.data<T>());
    given++;
    return {};
  };
  if (attrs.has(name + "_strings")) HONE_CHECK(take(DType::string, attrs.strings(name + "_strings")));
  if (attrs.has(name + "_int64s")) HONE_CHECK(take(DType::i64, attrs.ints(name + "_int64s")));
  if (attrs.has(name + "_floats")) HONE_CHECK(take(DType::f32, attrs.floats(name + "_floats")));
  if (attrs.has(name + "_tensor")) {
    found = attrs.tensor(name + "_tensor");
    given++;
  }
  if (given != 1)
    return error(Code::invalid_argument,
                 "%d lists of %s are given; expected one of %s_strings, %s_int64s, %s_floats, %s_tensor",
                 given, name.c_str(), name.c_str(), name.c_str(), name.c_str(), name.c_str());
  if (!label_types.has(found.dtype()) || found.shape().rank() > 1)
    return error(Code::invalid_argument, "%s_tensor is %s; expected a list of %s", name.c_str(),
                 ValueType(found.dtype(), found.shape()).str().c_str(), label_types.str().c_str());
  return found;
}

struct Table {
  Tensor keys, values, otherwise;
};
Result<Table> read_table(const Attrs& attrs) {
  Table t;
  HONE_TRY(t.keys, list_of(attrs, "keys"));
  HONE_TRY(t.values, list_of(attrs, "values"));
  if (t.keys.elements() != t.values.elements())
    return error(Code::invalid_argument, "there are %lld keys for %lld values; give one for each",
                 static_cast<long long>(t.keys.elements()), static_cast<long long>(t.values.elements()));
  const DType d = t.values.dtype();
  if (attrs.has("default_tensor")) {
    t.otherwise = attrs.tensor("default_tensor");
    if (t.otherwise.dtype() != d || t.otherwise.elements() != 1)
      return error(Code::invalid_argument, "default_tensor is %s; expected one %s",
                   ValueType(t.otherwise.dtype(), t.otherwise.shape()).str().c_str(), dtype_name(d));
    return t;
  }
  HONE_TRY(t.otherwise, Tensor::allocate(d, Shape{}));
  if (d == DType::string) {
    *t.otherwise.data<std::string>() = attrs.s("default_string");
    return t;
  }
  HONE_CHECK(dispatch_numbers(d, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) *t.otherwise.data<T>() = static_cast<T>(attrs.i("default_int64"));
    else store(*t.otherwise.data<T>(), static_cast<Compute<T>>(attrs.f("default_float")));
  }));
  return t;
}

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, label_types));
  HONE_TRY(const Table t, read_table(c.attrs));
  if (c.dtype(0) != DType::none && c.dtype(0) != t.keys.dtype())
    return error(Code::invalid_argument,
                 "the input is of type %s, the keys are of type %s; expected the same",
                 dtype_name(c.dtype(0)), dtype_name(t.keys.dtype()));
  c.set(0, t.values.dtype(), c.shape(0));
  return {};
}

// Equal numbers have equal keys: -0 is 0, and every NaN is the same.
template <class T>
uint64_t key_of(const T& x) {
  if constexpr (std::is_integral_v<T>) return static_cast<uint64_t>(static_cast<int64_t>(x));
  else {
    const auto v = static_cast<double>(load(x));
    return std::isnan(v) ? ~uint64_t{0} : std::bit_cast<uint64_t>(v == 0 ? 0.0 : v);
  }
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const Table t, read_table(c.attrs));
  const auto look_up = [&](const auto& key) {
    using T = std::decay_t<decltype(key(0, x.bytes))>;
    std::unordered_map<T, int64_t> places;
    for (int64_t i = 0; i < t.keys.elements(); i++) places.emplace(key(i, t.keys.bytes()), i);
    for (int64_t i = 0, n = x.elements(); i < n; i++) {
      const auto it = places.find(key(i, x.bytes));
      const bool found = it != places.end();
      copy_elements(y.dtype, y.bytes, i, found ? t.values.bytes() : t.otherwise.bytes(),
                    found ? it->second : 0, 1);
    }
  };
  if (x.dtype == DType::string) {
    look_up([](int64_t i, const void* p) { return static_cast<const std::string*>(p)[i]; });
    return {};
  }
  return dispatch_numbers(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    look_up([](int64_t i, const void* p) { return key_of(static_cast<const T*>(p)[i]); });
  });
}

// Version 1 had a list of strings, each standing for its place in it, in whichever direction the input asks.
Status from_1(OpsetNode& n) {
  const std::vector<std::string> classes = n.attrs().strings("classes_strings");
  std::vector<int64_t> places(classes.size());
  for (size_t i = 0; i < places.size(); i++) places[i] = static_cast<int64_t>(i);
  n.attrs().erase("classes_strings");
  const DType d = n.type(0).dtype;
  if (d != DType::string && d != DType::i64)
    return error(Code::unsupported,
                 "the input is of type %s; version 1 needs it to be known as string or i64: declare it",
                 dtype_name(d));
  const bool to_places = d == DType::string;
  n.attrs().set(to_places ? "keys_strings" : "values_strings", classes);
  n.attrs().set(to_places ? "values_int64s" : "keys_int64s", std::move(places));
  return {};
}

constexpr Upgrade upgrades[] = {{2, from_1}};
constexpr AttrDef attrs[] = {AttrDef::def_f("default_float", -0.0f),
                             AttrDef::def_i("default_int64", -1),
                             AttrDef::def_s("default_string", "_Unused"),
                             AttrDef::opt("default_tensor", AttrType::tensor),
                             AttrDef::opt("keys_floats", AttrType::floats),
                             AttrDef::opt("keys_int64s", AttrType::ints),
                             AttrDef::opt("keys_strings", AttrType::strings),
                             AttrDef::opt("keys_tensor", AttrType::tensor),
                             AttrDef::opt("values_floats", AttrType::floats),
                             AttrDef::opt("values_int64s", AttrType::ints),
                             AttrDef::opt("values_strings", AttrType::strings),
                             AttrDef::opt("values_tensor", AttrType::tensor)};
}  // namespace

extern const OpDef op_LabelEncoder{.name = "LabelEncoder",
                                   .domain = "ai.onnx.ml",
                                   .doc = "each element's value in a table, or a default",
                                   .attrs = attrs,
                                   .upgrades = upgrades,
                                   .infer = infer,
                                   .reference = reference};

}  // namespace hone

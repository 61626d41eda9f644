#include "import/onnx/tensor_proto.h"

#include <charconv>
#include <cstring>

#include "import/onnx/fields.h"
#include "import/quote.h"

namespace hone::onnx {
namespace {

constexpr unsigned float_data = 4, int32_data = 5, string_data = 6, int64_data = 7, double_data = 10,
                   uint64_data = 11;

const char* field_name(unsigned field) {
  switch (field) {
    case float_data:
      return "float_data";
    case int32_data:
      return "int32_data";
    case string_data:
      return "string_data";
    case int64_data:
      return "int64_data";
    case double_data:
      return "double_data";
    default:
      return "uint64_data";
  }
}

// The typed field in which onnx.proto puts elements of a type.
unsigned field_of(DType d) {
  switch (d) {
    case DType::f32:
    case DType::c64:
      return float_data;
    case DType::string:
      return string_data;
    case DType::i64:
      return int64_data;
    case DType::f64:
    case DType::c128:
      return double_data;
    case DType::u32:
    case DType::u64:
      return uint64_data;
    default:
      return int32_data;
  }
}

size_t alignment_of(DType d) {
  const int bits = d == DType::c64 || d == DType::c128 ? dtype_bits(d) / 2 : dtype_bits(d);
  return bits <= 8 ? 1 : static_cast<size_t>(bits / 8);
}

std::string describe(DType d, const Shape& s) { return dtype_name(d) + s.str(); }

Result<Shape> read_dims(const std::vector<int64_t>& dims) {
  if (dims.size() > max_rank)
    return error(Code::limit, "rank %zu; tensors of more than %d dimensions are not supported", dims.size(),
                 max_rank);
  for (const int64_t d : dims)
    if (d < 0) return error(Code::corrupt, "dimension %lld is negative", static_cast<long long>(d));
  const Shape shape{std::span<const Dim>(dims)};
  HONE_CHECK(checked_elements(shape));
  return shape;
}

Result<Tensor> from_bytes(Text bytes, DType d, const Shape& shape, const std::shared_ptr<const void>& owner) {
  const auto need = static_cast<uint64_t>(dtype_bytes(d, shape.elements()));
  if (bytes.size() != need)
    return error(Code::corrupt, "%zu bytes of data, but %s takes %llu; the file is damaged or truncated",
                 bytes.size(), describe(d, shape).c_str(), static_cast<unsigned long long>(need));
  if (owner && need && reinterpret_cast<uintptr_t>(bytes.data()) % alignment_of(d) == 0)
    return Tensor::view(owner, bytes.data(), d, shape);
  HONE_TRY(const Tensor t, Tensor::allocate(d, shape));
  if (need) std::memcpy(t.bytes(), bytes.data(), need);
  return t;
}

Status wrong_count(unsigned field, size_t got, int64_t want, DType d, const Shape& shape) {
  return error(Code::corrupt, "%zu values in %s, but %s takes %lld; the file is damaged or truncated", got,
               field_name(field), describe(d, shape).c_str(), static_cast<long long>(want));
}

template <class To>
void narrow(const std::vector<int64_t>& from, void* to) {
  for (size_t i = 0; i < from.size(); i++)
    static_cast<To*>(to)[i] = static_cast<To>(static_cast<uint64_t>(from[i]));
}

// All values of one typed field, which may be spread over several runs.
template <class T, class Append>
Status collect(const TensorP& t, unsigned field, std::vector<T>& out, Append append) {
  Cursor cursor{t.message.data(), t.message.data(), "TensorProto", 0, t.message.size()};
  return guarded(cursor, [&] {
    Fields f(cursor, t.message, "TensorProto");
    return f.each([&](unsigned tag) { return tag == field ? append(f, out) : f.skip(); });
  });
}

Result<Tensor> from_typed(const TensorP& t, DType d, const Shape& shape) {
  const unsigned field = field_of(d);
  if (t.typed != 1u << field) {
    unsigned other = 4;
    while (other == field || !(t.typed >> other & 1)) other++;
    return error(Code::corrupt, "elements of type %s belong in %s, but there are data in %s", dtype_name(d),
                 field_name(field), field_name(other));
  }
  const int64_t n = shape.elements();
  if (field == string_data) {
    std::vector<Text> strings;
    HONE_CHECK(collect(t, field, strings, [](Fields& f, auto& v) { return f.bytes(v.emplace_back()); }));
    if (strings.size() != static_cast<uint64_t>(n))
      return wrong_count(field, strings.size(), n, d, shape).take_error();
    HONE_TRY(const Tensor out, Tensor::allocate(d, shape));
    for (size_t i = 0; i < strings.size(); i++) out.data<std::string>()[i] = strings[i];
    return out;
  }
  const auto fixed = [&]<class T>(std::vector<T> values) -> Result<Tensor> {
    const int64_t want = n * (d == DType::c64 || d == DType::c128 ? 2 : 1);
    HONE_CHECK(collect(t, field, values, [](Fields& f, auto& v) { return f.append_fixed(v); }));
    if (values.size() != static_cast<uint64_t>(want))
      return wrong_count(field, values.size(), want, d, shape).take_error();
    HONE_TRY(const Tensor out, Tensor::allocate(d, shape));
    if (want) std::memcpy(out.bytes(), values.data(), values.size() * sizeof(T));
    return out;
  };
  if (field == float_data) return fixed(std::vector<float>());
  if (field == double_data) return fixed(std::vector<double>());

  std::vector<int64_t> ints;
  HONE_CHECK(collect(t, field, ints, [](Fields& f, auto& v) { return f.append_integers(v); }));
  // Types narrower than a byte come packed, a byte in each int32.
  const int64_t want = dtype_bits(d) < 8 ? dtype_bytes(d, n) : n;
  if (ints.size() != static_cast<uint64_t>(want))
    return wrong_count(field, ints.size(), want, d, shape).take_error();
  HONE_TRY(const Tensor out, Tensor::allocate(d, shape));
  if (dtype_bits(d) <= 8) narrow<uint8_t>(ints, out.bytes());
  else if (dtype_bits(d) == 16) narrow<uint16_t>(ints, out.bytes());
  else if (dtype_bits(d) == 32) narrow<uint32_t>(ints, out.bytes());
  else narrow<uint64_t>(ints, out.bytes());
  return out;
}

Result<uint64_t> parse_number(Text key, Text text) {
  uint64_t n = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || status != std::errc() || end != text.data() + text.size())
    return error(Code::corrupt, "external data: %s is %s, not a number", quote(key).c_str(),
                 quote(text).c_str());
  return n;
}

Result<Tensor> from_external(const TensorP& t, DType d, const Shape& shape, const TensorSource& source) {
  if (!source.external)
    return error(Code::unsupported, "external data are not allowed here; store the data in the tensor");
  Text location;
  uint64_t offset = 0, length = 0;
  bool has_length = false;
  for (const auto& [key, value] : t.external_data) {
    if (key == "location") location = value;
    else if (key == "offset") {
      HONE_TRY(offset, parse_number(key, value));
    } else if (key == "length") {
      HONE_TRY(length, parse_number(key, value));
      has_length = true;
    }
  }
  HONE_TRY(const auto file, source.external->open(location));
  const auto need = static_cast<uint64_t>(dtype_bytes(d, shape.elements()));
  if (!has_length) length = need;
  if (offset > file->size() || length > file->size() - offset)
    return error(
        Code::corrupt,
        "bytes %llu to %llu + %llu of external data %s, which has %zu bytes; the file is truncated or not "
        "the one that belongs to this model",
        static_cast<unsigned long long>(offset), static_cast<unsigned long long>(offset),
        static_cast<unsigned long long>(length), quote(location).c_str(), file->size());
  const auto* begin = reinterpret_cast<const char*>(file->bytes().data());
  return from_bytes({begin + offset, length}, d, shape, file);
}

Result<Value> to_value(const TensorP& t, const TensorSource& source) {
  auto tensor = read_tensor(t, source);
  if (!tensor) return in("tensor " + quote(t.name), tensor.take_error());
  return Value(*std::move(tensor));
}

Result<Value> to_value(const OptionalP&, const TensorSource&);

Result<Value> to_value(const SequenceP& s, const TensorSource& source) {
  if (s.unsupported)
    return error(Code::unsupported, "a sequence of maps or sparse tensors; only tensors are supported");
  if (!s.tensors.empty() + !s.sequences.empty() + !s.optionals.empty() > 1)
    return error(Code::corrupt, "a sequence with elements of different kinds");
  std::vector<Value> items;
  const auto add = [&](const auto& elements) -> Status {
    for (const auto& element : elements) { HONE_TRY(items.emplace_back(), to_value(element, source)); }
    return {};
  };
  HONE_CHECK(add(s.tensors));
  HONE_CHECK(add(s.sequences));
  HONE_CHECK(add(s.optionals));
  const DType d = items.empty() ? DType::none : items[0].tensor.dtype();
  return Value::sequence(d, std::move(items));
}

Result<Value> to_value(const OptionalP& o, const TensorSource& source) {
  if (o.unsupported)
    return error(Code::unsupported,
                 "an optional map or sparse tensor; only tensors and sequences are supported");
  Value out;
  out.kind = Value::Kind::optional;
  Value item;
  if (o.tensor) {
    HONE_TRY(item, to_value(*o.tensor, source));
  } else if (o.sequence) {
    HONE_TRY(item, to_value(*o.sequence, source));
  } else if (o.optional) {
    HONE_TRY(item, to_value(*o.optional, source));
  }
  if (item) out.items = std::make_shared<std::vector<Value>>(1, std::move(item));
  return out;
}

}  // namespace

Result<Tensor> read_tensor(const TensorP& t, const TensorSource& source) {
  const DType d = dtype_from_number(t.data_type);
  if (d == DType::none)
    return error(Code::unsupported, "element type %lld is not one that ONNX defines",
                 static_cast<long long>(t.data_type));
  HONE_TRY(const Shape shape, read_dims(t.dims));
  if (t.segmented)
    return error(Code::unsupported, "tensors split into segments are not supported; save the model again");
  if (t.external) {
    if (d == DType::string) return error(Code::corrupt, "strings cannot be external data");
    return from_external(t, d, shape, source);
  }
  if (t.has_raw && d == DType::string) return error(Code::corrupt, "strings cannot be raw data");
  // Writers may leave an empty field of the other kind behind.
  if (t.has_raw && (t.typed == 0 || !t.raw.empty())) {
    if (t.typed) return error(Code::corrupt, "both raw and typed data");
    return from_bytes(t.raw, d, shape, source.owner);
  }
  if (t.typed) return from_typed(t, d, shape);
  if (shape.elements() == 0) return Tensor::allocate(d, shape);
  return error(Code::corrupt, "no data for %s; the file is damaged, or its data file was not saved with it",
               describe(d, shape).c_str());
}

Result<Tensor> read_sparse_tensor(const SparseTensorP& s, const TensorSource& source, int64_t& dense_bytes) {
  HONE_TRY(const Tensor values, read_tensor(s.values, source));
  HONE_TRY(const Tensor indices, read_tensor(s.indices, source));
  HONE_TRY(const Shape shape, read_dims(s.dims));
  const int64_t n = values.elements(), rank = shape.rank(), bits = dtype_bits(values.dtype());
  if (values.shape().rank() != 1 || indices.dtype() != DType::i64)
    return error(Code::corrupt, "values %s and indices %s; expected a vector and i64",
                 describe(values.dtype(), values.shape()).c_str(),
                 describe(indices.dtype(), indices.shape()).c_str());
  if (bits < 8 || values.dtype() == DType::string)
    return error(Code::unsupported, "a sparse tensor of type %s", dtype_name(values.dtype()));
  const bool linear = indices.shape() == Shape{n};
  if (!linear && indices.shape() != Shape{n, rank})
    return error(Code::corrupt,
                 "indices of shape %s for %lld values of a tensor %s; expected [%lld] or [%lld,%lld]",
                 indices.shape().str().c_str(), static_cast<long long>(n), shape.str().c_str(),
                 static_cast<long long>(n), static_cast<long long>(n), static_cast<long long>(rank));
  const int64_t bytes = dtype_bytes(values.dtype(), shape.elements());
  if (bytes > dense_bytes)
    return error(Code::limit,
                 "a sparse tensor of shape %s takes %lld bytes when dense; %lld are left of the limit",
                 shape.str().c_str(), static_cast<long long>(bytes), static_cast<long long>(dense_bytes));
  dense_bytes -= bytes;
  HONE_TRY(const Tensor out, Tensor::allocate(values.dtype(), shape));
  std::memset(out.bytes(), 0, static_cast<size_t>(bytes));
  const auto size = static_cast<size_t>(bits / 8);
  const auto strides = contiguous_strides(shape);
  for (int64_t i = 0; i < n; i++) {
    int64_t at = 0;
    const int64_t* index = indices.data<int64_t>() + i * (linear ? 1 : rank);
    bool inside = true;
    if (linear) {
      at = index[0];
      inside = at >= 0 && at < shape.elements();
    } else {
      for (size_t k = 0; k < shape.size(); k++) {
        inside = inside && index[k] >= 0 && index[k] < shape[k];
        if (inside) at += index[k] * strides[k];
      }
    }
    if (!inside)
      return error(Code::corrupt, "index of value %lld lies outside the shape %s", static_cast<long long>(i),
                   shape.str().c_str());
    std::memcpy(static_cast<char*>(out.bytes()) + static_cast<size_t>(at) * size,
                static_cast<const char*>(values.bytes()) + static_cast<size_t>(i) * size, size);
  }
  return out;
}

}  // namespace hone::onnx

namespace hone {

Result<Value> read_onnx_value(const ModelBytes& model, Value::Kind kind) {
  using namespace onnx;
  const ImportLimits limits;
  const TensorSource source{model.owner, nullptr};
  const Text bytes{reinterpret_cast<const char*>(model.bytes.data()), model.bytes.size()};
  switch (kind) {
    case Value::Kind::sequence: {
      HONE_TRY(const SequenceP s, read_sequence_message(bytes, limits));
      return to_value(s, source);
    }
    case Value::Kind::optional: {
      HONE_TRY(const OptionalP o, read_optional_message(bytes, limits));
      return to_value(o, source);
    }
    default: {
      HONE_TRY(const TensorP t, read_tensor_message(bytes, limits));
      return to_value(t, source);
    }
  }
}

}  // namespace hone

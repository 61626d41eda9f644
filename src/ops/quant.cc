#include "ops/quant.h"

#include "base/convert.h"
#include "ops/widen.h"

namespace hone {

IntRange int_range(DType d) {
  const int bits = dtype_bits(d);
  if (dtype_kind(d) == DKind::uint) return {0, (int64_t{1} << bits) - 1};
  return {-(int64_t{1} << (bits - 1)), (int64_t{1} << (bits - 1)) - 1};
}

namespace {
template <class T>
void widen(const TensorView& t, int32_t zero, std::vector<int32_t>& out) {
  for (size_t i = 0; i < out.size(); i++)
    out[i] = static_cast<int32_t>(static_cast<int64_t>(t.data<T>()[i]) - zero);
}
}  // namespace

std::vector<int32_t> widen_ints(const TensorView& t, int32_t zero) {
  std::vector<int32_t> out(static_cast<size_t>(t.elements()));
  switch (t.dtype) {
    case DType::u8:
      widen<uint8_t>(t, zero, out);
      break;
    case DType::i8:
      widen<int8_t>(t, zero, out);
      break;
    case DType::u16:
      widen<uint16_t>(t, zero, out);
      break;
    case DType::i16:
      widen<int16_t>(t, zero, out);
      break;
    case DType::u32:
      widen<uint32_t>(t, zero, out);
      break;
    case DType::i32:
      widen<int32_t>(t, zero, out);
      break;
    default: {
      const int bits = dtype_bits(t.dtype);
      for (size_t i = 0; i < out.size(); i++) {
        const uint8_t v = get_packed(t.bytes, static_cast<int64_t>(i), bits);
        out[i] = (dtype_kind(t.dtype) == DKind::sint ? sign_extend(v, bits) : v) - zero;
      }
    }
  }
  return out;
}

void store_int(const TensorView& t, int64_t i, int64_t v) {
  switch (t.dtype) {
    case DType::u8:
      t.data<uint8_t>()[i] = static_cast<uint8_t>(v);
      break;
    case DType::i8:
      t.data<int8_t>()[i] = static_cast<int8_t>(v);
      break;
    case DType::u16:
      t.data<uint16_t>()[i] = static_cast<uint16_t>(v);
      break;
    case DType::i16:
      t.data<int16_t>()[i] = static_cast<int16_t>(v);
      break;
    case DType::u32:
      t.data<uint32_t>()[i] = static_cast<uint32_t>(v);
      break;
    case DType::i32:
      t.data<int32_t>()[i] = static_cast<int32_t>(v);
      break;
    default:
      set_packed(t.bytes, i, dtype_bits(t.dtype), static_cast<uint8_t>(v));
      break;
  }
}

Result<float> one_float(const EvalContext& c, size_t i, const char* what) {
  HONE_TRY(const std::vector<float> v, to_floats(c.input(i)));
  if (v.size() != 1) return error(Code::invalid_argument, "%s has %zu values, expected one", what, v.size());
  return v[0];
}
Result<int32_t> one_int(const EvalContext& c, size_t i, const char* what) {
  if (!c.has(i)) return 0;
  const std::vector<int32_t> v = widen_ints(c.input(i));
  if (v.size() != 1) return error(Code::invalid_argument, "%s has %zu values, expected one", what, v.size());
  return v[0];
}

Status check_single(const Infer& c, size_t i, const char* what) {
  const Shape s = c.shape(i);
  if (!c.has(i) || !s.ranked() || s.rank() == 0 || (s.rank() == 1 && (s[0] == 1 || !known(s[0])))) return {};
  return error(Code::invalid_argument, "%s has shape %s, expected one number", what, s.str().c_str());
}

}  // namespace hone

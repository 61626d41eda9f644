#include "ops/widen.h"

#include <algorithm>
#include <cstring>

#include "base/convert.h"

namespace hone {
namespace {

bool is_half(const Value& v) {
  return v.kind == Value::Kind::tensor && (v.tensor.dtype() == DType::f16 || v.tensor.dtype() == DType::bf16);
}

template <class T>
void widen_all(const TensorView& t, std::vector<float>& out) {
  for (size_t i = 0; i < out.size(); i++) {
    if constexpr (requires(T v) { v.bits; }) out[i] = to_float(t.data<T>()[i]);
    else out[i] = static_cast<float>(t.data<T>()[i]);
  }
}

class Widened final : public EvalContext {
 public:
  Widened(EvalContext& inner, std::span<const Value> in, DType narrow, uint32_t float_outputs)
      : EvalContext(inner.op, inner.attrs, in, inner.outputs()),
        inner_(inner),
        narrow_(narrow),
        float_outputs_(float_outputs) {}

  Status round_outputs() {
    for (size_t i = 0; i < outputs_.size(); i++) {
      if (!outputs_[i]) continue;
      HONE_TRY(const TensorView y, inner_.output(i, narrow_, outputs_[i].shape()));
      store_floats(outputs_[i].data<float>(), y);
    }
    return {};
  }

  bool wanted(size_t i) const override { return inner_.wanted(i); }
  Result<TensorView> output(size_t i, DType d, const Shape& s) override {
    if (d != DType::f32 || (float_outputs_ >> i & 1)) return inner_.output(i, d, s);
    if (i >= outputs_.size()) outputs_.resize(i + 1);
    HONE_TRY(outputs_[i], Tensor::allocate(d, s));
    return outputs_[i].view();
  }
  Status set_output(size_t i, Value v) override { return inner_.set_output(i, std::move(v)); }
  Result<std::vector<Value>> run_graph(std::string_view attr, std::span<const Value> args) override {
    return inner_.run_graph(attr, args);
  }
  bool cancelled() const override { return inner_.cancelled(); }

 private:
  EvalContext& inner_;
  DType narrow_;
  uint32_t float_outputs_;
  std::vector<Tensor> outputs_;
};

Result<std::vector<Value>> widened_inputs(const EvalContext& inner) {
  std::vector<Value> inputs(inner.inputs());
  for (size_t i = 0; i < inputs.size(); i++) {
    inputs[i] = inner.in(i);
    if (!is_half(inputs[i])) continue;
    const TensorView x = inner.input(i);
    HONE_TRY(Tensor wide, Tensor::allocate(DType::f32, x.shape));
    HONE_TRY(const std::vector<float> values, to_floats(x));
    std::copy(values.begin(), values.end(), wide.data<float>());
    inputs[i] = std::move(wide);
  }
  return inputs;
}

}  // namespace

Status widened(EvalContext& c, Status (*reference)(EvalContext&), uint32_t float_outputs) {
  bool any_half = false;
  for (size_t i = 0; i < c.inputs(); i++) {
    if (!c.has(i) && static_cast<int>(i) < c.op.min_inputs)
      return error(Code::corrupt, "input %zu of %s is missing", i, c.op.name);
    any_half = any_half || is_half(c.in(i));
  }
  if (!any_half) return reference(c);
  HONE_TRY(const std::vector<Value> inputs, widened_inputs(c));
  Widened wide(c, inputs, c.input(0).dtype, is_half(c.in(0)) ? float_outputs : ~0u);
  HONE_CHECK(reference(wide));
  return wide.round_outputs();
}

Result<std::vector<float>> to_floats(const TensorView& t) {
  std::vector<float> out(static_cast<size_t>(t.elements()));
  switch (t.dtype) {
    case DType::f32:
      widen_all<float>(t, out);
      break;
    case DType::f64:
      widen_all<double>(t, out);
      break;
    case DType::f16:
      widen_all<f16_t>(t, out);
      break;
    case DType::bf16:
      widen_all<bf16_t>(t, out);
      break;
    case DType::u8:
      widen_all<uint8_t>(t, out);
      break;
    case DType::i8:
      widen_all<int8_t>(t, out);
      break;
    case DType::u16:
      widen_all<uint16_t>(t, out);
      break;
    case DType::i16:
      widen_all<int16_t>(t, out);
      break;
    case DType::u32:
      widen_all<uint32_t>(t, out);
      break;
    case DType::i32:
      widen_all<int32_t>(t, out);
      break;
    case DType::u64:
      widen_all<uint64_t>(t, out);
      break;
    case DType::i64:
      widen_all<int64_t>(t, out);
      break;
    case DType::boolean:
      widen_all<bool8>(t, out);
      break;
    case DType::f8e4m3fn:
      widen_all<f8e4m3fn_t>(t, out);
      break;
    case DType::f8e4m3fnuz:
      widen_all<f8e4m3fnuz_t>(t, out);
      break;
    case DType::f8e5m2:
      widen_all<f8e5m2_t>(t, out);
      break;
    case DType::f8e5m2fnuz:
      widen_all<f8e5m2fnuz_t>(t, out);
      break;
    case DType::f8e8m0:
      widen_all<f8e8m0_t>(t, out);
      break;
    case DType::f4e2m1:
      for (size_t i = 0; i < out.size(); i++)
        out[i] = from_small_float(get_packed(t.bytes, static_cast<int64_t>(i), 4), f4e2m1_format);
      break;
    case DType::u4:
    case DType::u2:
      for (size_t i = 0; i < out.size(); i++)
        out[i] = static_cast<float>(get_packed(t.bytes, static_cast<int64_t>(i), dtype_bits(t.dtype)));
      break;
    case DType::i4:
    case DType::i2:
      for (size_t i = 0; i < out.size(); i++) {
        const int bits = dtype_bits(t.dtype);
        out[i] = static_cast<float>(sign_extend(get_packed(t.bytes, static_cast<int64_t>(i), bits), bits));
      }
      break;
    default:
      return error(Code::unsupported, "expected a tensor of numbers, got %s", dtype_name(t.dtype));
  }
  return out;
}

void store_floats(const float* from, const TensorView& out) {
  const int64_t n = out.elements();
  switch (out.dtype) {
    case DType::f32:
      std::copy_n(from, n, out.data<float>());
      break;
    case DType::f64:
      std::copy_n(from, n, out.data<double>());
      break;
    case DType::f16:
      std::transform(from, from + n, out.data<f16_t>(), to_f16);
      break;
    case DType::bf16:
      std::transform(from, from + n, out.data<bf16_t>(), to_bf16);
      break;
    default:
      break;
  }
}

}  // namespace hone

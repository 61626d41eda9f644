// Sets of element types, and the checks of inference that need them.
#pragma once
#include <initializer_list>

#include "ops/op.h"

namespace hone {

class TypeSet {
 public:
  constexpr TypeSet(std::initializer_list<DType> types) {
    for (DType d : types) bits_ |= 1u << static_cast<int>(d);
  }
  constexpr bool has(DType d) const { return bits_ >> static_cast<int>(d) & 1; }
  constexpr TypeSet operator|(TypeSet o) const {
    o.bits_ |= bits_;
    return o;
  }
  std::string str() const;  // "f32, f16 or f64"

 private:
  uint32_t bits_ = 0;
};
inline constexpr TypeSet float_types{DType::f32, DType::f16, DType::bf16, DType::f64};
inline constexpr TypeSet int_types{DType::i8, DType::i16, DType::i32, DType::i64,
                                   DType::u8, DType::u16, DType::u32, DType::u64};
inline constexpr TypeSet number_types = float_types | int_types;
inline constexpr TypeSet bool_type{DType::boolean};
inline constexpr TypeSet index_types{DType::i64, DType::i32};
inline constexpr TypeSet i64_type{DType::i64};

// Input i, where its type is known, is a tensor whose element type is in the set.
Status check_type(const Infer&, size_t i, TypeSet);
// All inputs from `first` on, where known, are tensors of the same element type.
Status check_same_types(const Infer&, size_t first = 0);
// Input i, where known, is a tensor (of any type).
Status check_tensor(const Infer&, size_t i);
// The element type of the first input that has one.
DType common_type(const Infer&);

// A shape of these dimensions; errors: a rank above max_rank, a negative dimension. `what` names it in the
// message.
Result<Shape> make_shape(std::span<const int64_t> dims, const char* what);
// Axes made non-negative and sorted; errors: out of range, given twice.
Result<std::vector<int>> normalize_axes(std::span<const int64_t> axes, int rank);
// The number of elements of a 1-D tensor input, or unknown_dim. Error: it is known not to be 1-D (a scalar
// counts as one).
Result<Dim> length_of(const Infer&, size_t i);

// --- for upgrades ---
// Below 7 the attributes "broadcast" and "axis" say how input 1 lies along input 0. Errors: it lies along
// axes other than the last and is no constant that could be given trailing dimensions of 1.
Status upgrade_broadcast(OpsetNode&);
inline constexpr Upgrade broadcast_upgrades[] = {{7, upgrade_broadcast}};
// For upgrades of attributes that became inputs: a scalar of a float type (none: f32).
Result<Tensor> float_scalar(DType, float);

// --- for reference kernels ---
// Runs the operator's inference on the actual inputs, all values known: all of its checks hold then. Returns
// the types of the outputs.
Result<std::vector<ValueType>> infer_outputs(EvalContext&);
// The same, and asks for output 0, which is the only one.
Result<TensorView> infer_output(EvalContext&);

}  // namespace hone

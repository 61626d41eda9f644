// Gather by constant indices: a row of neighbours for each index. (Indices known only at run time are left to
// the reference, which checks them each time.)
#include <algorithm>
#include <cstring>

#include "kernels/cpu/copy.h"

namespace hone {
namespace {

struct Params {
  int64_t outer, dim, count, row;  // row: bytes
  int64_t in_row, in_block;        // bytes from index to index, and from block to block of the input
  int64_t rows_per_task, tasks;
  bool narrow;  // indices are i32
};

int64_t index_at(const void* indices, bool narrow, int64_t i) {
  return narrow ? static_cast<const int32_t*>(indices)[i] : static_cast<const int64_t*>(indices)[i];
}

Accept accepts(const Problem& p) {
  REFUSE_UNLESS(can_copy(p.in[0].dtype), "the element type has not 8, 16, 32 or 64 bits");
  const Operand& indices = p.in[1];
  REFUSE_UNLESS(indices.constant, "the indices are not constant");
  const auto axis = normalize_axis(p.attrs->i("axis"), p.in[0].shape.rank());
  REFUSE_UNLESS(axis, "the axis does not exist");
  const int64_t d = p.in[0].shape[static_cast<size_t>(*axis)];
  for (int64_t i = 0; i < indices.shape.elements(); i++) {
    const int64_t at = index_at(indices.constant, indices.dtype == DType::i32, i);
    REFUSE_UNLESS(at >= -d && at < d, "an index is out of range");
  }
  return Accept::yes();
}

Status prepare(const Problem& p, Prepared& out) {
  auto& q = out.make<Params>();
  const Shape& s = p.in[0].shape;
  HONE_TRY(const int axis, normalize_axis(p.attrs->i("axis"), s.rank()));
  const int64_t size = dtype_bytes(p.in[0].dtype, 1);
  q.outer = s.product(0, axis);
  q.dim = s[static_cast<size_t>(axis)];
  q.count = p.in[1].shape.elements();
  q.row = q.in_row = s.product(axis + 1, s.rank()) * size;
  q.in_block = q.dim * q.in_row;
  q.narrow = p.in[1].dtype == DType::i32;
  const int64_t rows = q.row ? q.outer * q.count : 0;
  q.rows_per_task = std::max<int64_t>(1, 32768 / std::max<int64_t>(q.row, 16));
  q.tasks = (rows + q.rows_per_task - 1) / q.rows_per_task;
  return {};
}

void run(const Run& r) {
  const auto& q = r.as<Params>();
  r.pool.run(q.tasks, [&](int64_t task, int) {
    const int64_t to = std::min(q.outer * q.count, (task + 1) * q.rows_per_task);
    for (int64_t i = task * q.rows_per_task; i < to; i++) {
      int64_t at = index_at(r.in[1], q.narrow, i % q.count);
      if (at < 0) at += q.dim;
      std::memcpy(static_cast<char*>(r.out[0]) + i * q.row,
                  static_cast<const char*>(r.in[0]) + i / q.count * q.in_block + at * q.in_row,
                  static_cast<size_t>(q.row));
    }
  });
}

}  // namespace

extern const Tactic tactic_gather_copy{
    .name = "gather_copy", .op = "Gather", .accepts = accepts, .prepare = prepare, .run = run};

}  // namespace hone

#include "tune/estimate.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "ops/work.h"
#include "runtime/eval_context.h"

namespace hone {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double step_us = 0.3;            // to begin a step
constexpr double reference_step_us = 1.5;  // to check its inputs and make its outputs too

// Microseconds of the quickest of some runs, the first left out.
template <class F>
double quickest(F&& f) {
  f();
  double best = 1e30;
  for (int i = 0; i < 7; i++) {
    const auto start = Clock::now();
    f();
    best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  return std::max(best, 1e-3);
}

Operand matrix(int64_t n, const float* constant) { return {DType::f32, Shape{n, n}, n, constant}; }

Result<double> product_rate(Isa isa, ThreadPool& pool) {
  constexpr int64_t n = 256;
  const OpDef* op = find_op("MatMul");
  const Tactic* tactic = find_tactic("MatMul", "matmul_f32");
  if (!op || !tactic) return error(Code::internal, "matmul_f32 is not there");
  std::vector<float> a(n * n, 1), b(n * n, 1), y(n * n);
  Attrs attrs;
  HONE_CHECK(bind_attrs(*op, attrs, true));
  const Operand in[] = {matrix(n, nullptr), matrix(n, b.data())}, out[] = {matrix(n, nullptr)};
  const Problem problem{op, &attrs, in, out, isa, pool.threads()};
  if (const Accept ok = tactic->accepts(problem); !ok)
    return error(Code::internal, "matmul_f32: %s", ok.why().c_str());
  Prepared prepared;
  HONE_CHECK(tactic->prepare(problem, prepared));
  const auto memory = [](int64_t bytes) {
    const size_t size = (static_cast<size_t>(bytes) + 127) / 64 * 64;
    return std::unique_ptr<void, void (*)(void*)>(std::aligned_alloc(64, size), std::free);
  };
  const auto packed = memory(packed_size(prepared)), scratch = memory(prepared.scratch_bytes);
  if (!packed || !scratch) return error(Code::limit, "out of memory");
  if (prepared.packed_bytes > 0) tactic->pack(problem, prepared, packed.get());
  const void* from[] = {a.data(), b.data()};
  void* to[] = {y.data()};
  const double us = quickest([&] {
    tactic->run({prepared.params.data(), prepared.packed_bytes > 0 ? packed.get() : nullptr, from, to,
                 scratch.get(), pool});
  });
  return 2.0 * n * n * n / us;
}

double copy_rate(ThreadPool& pool) {
  constexpr int64_t size = 1 << 20;
  std::vector<std::byte> from(size), to(size);
  const int64_t parts = pool.threads(), share = size / parts;
  const double us = quickest([&] {
    pool.run(parts, [&](int64_t part, int) {
      std::memcpy(to.data() + part * share, from.data() + part * share, static_cast<size_t>(share));
    });
  });
  return 2.0 * size / us;
}

Result<double> reference_us(const char* name, std::vector<Value> in) {
  const OpDef* op = find_op(name);
  if (!op || !op->reference) return error(Code::internal, "%s has no reference", name);
  Attrs attrs;
  HONE_CHECK(bind_attrs(*op, attrs, true));
  Status status;
  const double us = quickest([&] {
    OwningContext context(*op, attrs, in, 1);
    if (status) status = op->reference(context);
  });
  if (!status) return status.take_error();
  return us;
}

}  // namespace

Result<MachineRates> measure_machine(Isa isa, int threads) {
  MachineRates m;
  m.threads = threads;
  ThreadPool pool(threads);
  HONE_TRY(m.flops, product_rate(isa, pool));
  m.bytes = copy_rate(pool);
  constexpr int64_t side = 64, length = 1 << 15;
  const auto ones = [](const Shape& s) -> Result<Tensor> {
    HONE_TRY(Tensor t, Tensor::allocate(DType::f32, s));
    std::fill_n(t.data<float>(), t.elements(), 1.0f);
    return t;
  };
  HONE_TRY(Tensor square, ones(Shape{side, side}));
  HONE_TRY(Tensor row, ones(Shape{length}));
  HONE_TRY(const double product, reference_us("MatMul", {square, square}));
  HONE_TRY(const double sum, reference_us("Add", {row, row}));
  m.reference_flops = 2.0 * side * side * side / product;
  m.reference_elements = 3.0 * length / sum;
  return m;
}

Estimate estimate(const MachineRates& m, const StepProblem& p, const Tactic* tactic) {
  Estimate e;
  double elements = 0;
  std::vector<ValueType> in, out;
  for (const auto* operands : {&p.in, &p.out})
    for (const Operand& o : *operands) {
      (operands == &p.in ? in : out).push_back(o ? ValueType(o.dtype, o.shape) : ValueType());
      if (!o) continue;
      const int64_t n = o.shape.elements();
      elements += static_cast<double>(n);
      e.bytes += o.dtype == DType::string ? 0 : static_cast<double>(dtype_bytes(o.dtype, n));
    }
  e.flops = 2 * multiply_adds(*p.resolved->op, in, out, p.resolved->attrs);
  if (!tactic) {
    e.us = reference_step_us + std::max(e.flops / m.reference_flops, elements / m.reference_elements);
    return e;
  }
  const double cost = tactic->cost ? 2 * tactic->cost(p.problem(1)) : e.flops;
  e.us = step_us + std::max(cost / m.flops, e.bytes / m.bytes);
  return e;
}

}  // namespace hone

#include "harness.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hone::test {
namespace {

class ReferenceContext : public EvalContext {
 public:
  ReferenceContext(const OpDef& op, const Attrs& attrs, const std::vector<Tensor>& in, size_t outputs)
      : ReferenceContext(op, attrs, std::vector<Value>(in.begin(), in.end()), outputs) {}
  bool wanted(size_t i) const override { return i < out.size(); }
  Result<TensorView> output(size_t i, DType d, const Shape& s) override {
    if (!wanted(i)) return spare(d, s);
    HONE_TRY(Tensor t, Tensor::allocate(d, s));
    out[i] = t;
    return t.view();
  }
  Status set_output(size_t i, Value v) override {
    if (i < out.size()) out[i] = v.tensor;
    return {};
  }
  Result<std::vector<Value>> run_graph(std::string_view, std::span<const Value>) override {
    return error(Code::unsupported, "no nested graphs here");
  }

 private:
  ReferenceContext(const OpDef& op, const Attrs& attrs, std::vector<Value> in, size_t outputs)
      : EvalContext(op, attrs, in, outputs), in_(std::move(in)), out(outputs) {}
  std::vector<Value> in_;

 public:
  std::vector<Tensor> out;
};

// A tensor laid out with a pitch, some elements past an aligned address, with guards before, between and
// after the rows.
class Guarded {
 public:
  static constexpr size_t margin = 256;
  Guarded(DType d, const Shape& s, int64_t extra, int64_t shift, int guard) : guard_(guard) {
    size_ = static_cast<size_t>(dtype_bytes(d, 1));
    row_ = s.rank() ? s.back() : 1;
    pitch = row_ + extra;
    rows_ = row_ ? s.elements() / row_ : 0;
    bytes_.assign(static_cast<size_t>(rows_ * pitch + shift) * size_ + 2 * margin + 64,
                  static_cast<unsigned char>(guard));
    const auto address = reinterpret_cast<uintptr_t>(bytes_.data()) + margin;
    data = reinterpret_cast<unsigned char*>((address + 63) / 64 * 64) + static_cast<size_t>(shift) * size_;
  }
  void write(const void* from) {
    for (int64_t r = 0; r < rows_; r++)
      std::memcpy(at(r), static_cast<const char*>(from) + static_cast<size_t>(r * row_) * size_, row_bytes());
  }
  void read(void* to) const {
    for (int64_t r = 0; r < rows_; r++)
      std::memcpy(static_cast<char*>(to) + static_cast<size_t>(r * row_) * size_, at(r), row_bytes());
  }
  bool intact() const {  // the guards
    const unsigned char* from = bytes_.data();
    for (int64_t r = 0; r < rows_; r++) {
      if (!only_guards(from, at(r))) return false;
      from = at(r) + row_bytes();
    }
    return only_guards(from, bytes_.data() + bytes_.size());
  }
  int64_t pitch;
  unsigned char* data;

 private:
  bool only_guards(const unsigned char* from, const unsigned char* to) const {
    return std::all_of(from, to, [&](unsigned char b) { return b == guard_; });
  }
  unsigned char* at(int64_t r) const { return data + static_cast<size_t>(r * pitch) * size_; }
  size_t row_bytes() const { return static_cast<size_t>(row_) * size_; }
  unsigned char guard_;
  size_t size_;
  int64_t row_, rows_;
  std::vector<unsigned char> bytes_;
};

struct Variant {
  const char* name;
  int64_t pitch, shift;
  bool in_place;
};
constexpr Variant variants[] = {
    {"plain", 0, 0, false}, {"unaligned, pitched", 3, 1, false}, {"in place", 0, 0, true}};

Problem problem_of(const Case& c, const OpDef& op, const Attrs& a, std::vector<Operand>& in,
                   std::vector<Operand>& out, const std::vector<Tensor>& want, Isa isa, int threads) {
  in.clear();
  out.clear();
  for (const Tensor& t : c.in)
    in.push_back(t ? Operand{t.dtype(), t.shape(), t.shape().rank() ? t.shape().back() : 1} : Operand{});
  for (size_t i : c.constants)
    if (c.in[i]) in[i].constant = c.in[i].bytes();
  for (const Tensor& t : want)
    out.push_back(t ? Operand{t.dtype(), t.shape(), t.shape().rank() ? t.shape().back() : 1} : Operand{});
  return {&op, &a, in, out, isa, threads};
}

Status bind(const Case& c, const OpDef*& op, Attrs& a) {
  op = find_op(c.op);
  if (!op) op = find_op(c.op, "hone");
  if (!op) return error(Code::not_found, "there is no operator %s", c.op.c_str());
  a = c.attrs;
  return bind_attrs(*op, a, true);
}

// Runs the tactic; its outputs are left in `got`. False: failed.
bool run_once(const Tactic& tactic, const Case& c, const OpDef& op, const Attrs& a,
              const std::vector<Tensor>& want, Isa isa, int threads, const Variant& v,
              std::vector<Tensor>& got) {
  std::vector<Operand> in, out;
  Problem p = problem_of(c, op, a, in, out, want, isa, threads);
  const auto bit = [](uint32_t mask, size_t i) { return i < 32 ? mask >> i & 1 : mask == ~0u; };
  std::vector<Guarded> in_memory, out_memory;
  std::vector<const void*> in_data;
  std::vector<void*> out_data;
  for (size_t i = 0; i < in.size(); i++) {
    if (!in[i] || in[i].constant) {
      in_memory.emplace_back(DType::u8, Shape{0}, 0, 0, 0);
      in_data.push_back(in[i] ? in[i].constant : nullptr);
      continue;
    }
    auto& g = in_memory.emplace_back(in[i].dtype, in[i].shape, bit(tactic.pitched_in, i) ? v.pitch : 0,
                                     v.shift, 0xff);
    g.write(c.in[i].bytes());
    in[i].pitch = g.pitch;
    in_data.push_back(g.data);
  }
  for (size_t i = 0; i < out.size(); i++) {
    if (v.in_place && i == 0) {
      out_memory.emplace_back(DType::u8, Shape{0}, 0, 0, 0);
      out_data.push_back(in_memory[static_cast<size_t>(tactic.in_place)].data);
      continue;
    }
    auto& g = out_memory.emplace_back(out[i].dtype, out[i].shape, bit(tactic.pitched_out, i) ? v.pitch : 0,
                                      v.shift, 0xcd);
    out[i].pitch = g.pitch;
    out_data.push_back(g.data);
  }
  p.in = in;
  p.out = out;
  if (const Accept again = tactic.accepts(p); !again) {
    ADD_FAILURE() << "accepts the problem contiguous but not pitched: " << again.why();
    return false;
  }
  Prepared prepared;
  if (const Status s = tactic.prepare(p, prepared); !s) {
    ADD_FAILURE() << "prepare: " << s.error().message;
    return false;
  }
  Guarded scratch(DType::u8, Shape{prepared.scratch_bytes}, 0, 0, 0xff),
      packed(DType::u8, Shape{prepared.packed_bytes}, 0, 0, 0xff);
  if (prepared.packed_bytes > 0) tactic.pack(p, prepared, packed.data);
  static ThreadPool pools[] = {ThreadPool(1), ThreadPool(2), ThreadPool(3)};
  ThreadPool& pool = pools[threads - 1];
  tactic.run({prepared.params.data(), packed.data, in_data, out_data, scratch.data, pool});
  got.clear();
  for (size_t i = 0; i < out.size(); i++) {
    got.push_back(*Tensor::allocate(out[i].dtype, out[i].shape));
    (v.in_place && i == 0 ? in_memory[static_cast<size_t>(tactic.in_place)] : out_memory[i])
        .read(got[i].bytes());
  }
  bool intact = scratch.intact() && packed.intact();
  for (const Guarded& g : in_memory) intact = intact && g.intact();
  for (const Guarded& g : out_memory) intact = intact && g.intact();
  EXPECT_TRUE(intact) << "wrote outside its operands";
  return intact;
}

double scale_of(const Case& c, const Tensor& want, int64_t i) {
  return std::abs(static_cast<double>((c.scale ? c.scale : want).data<float>()[i]));
}

bool close(const Case& c, const Tactic& tactic, const Tensor& want, const Tensor& got) {
  const int64_t n = want.elements();
  if (want.dtype() != DType::f32) {
    const bool same = std::memcmp(want.bytes(), got.bytes(), static_cast<size_t>(want.byte_size())) == 0;
    EXPECT_TRUE(same) << "bytes differ";
    return same;
  }
  double largest = 0;
  if (tactic.error_bound > 0)
    for (int64_t i = 0; i < n; i++) largest = std::max(largest, scale_of(c, want, i));
  for (int64_t i = 0; i < n; i++) {
    const double w = want.data<float>()[i], g = got.data<float>()[i];
    if (std::isnan(w) && std::isnan(g)) continue;
    if (w == g) continue;
    const double allowed =
        tactic.error_bound > 0 ? tactic.error_bound * largest : c.relative * scale_of(c, want, i);
    if (std::abs(w - g) <= c.absolute + allowed && std::isfinite(w)) continue;
    ADD_FAILURE() << "element " << i << " of " << want.shape().str() << " is " << g << ", expected " << w;
    return false;
  }
  return true;
}

}  // namespace

std::mt19937& rng() {
  static std::mt19937 generator = [] {
    const char* text = std::getenv("HONE_SEED");
    const unsigned seed =
        text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : std::random_device{}();
    std::printf("HONE_SEED=%u\n", seed);
    return std::mt19937(seed);
  }();
  return generator;
}

Tensor random_f32(const Shape& s, float from, float to) {
  Tensor t = *Tensor::allocate(DType::f32, s);
  std::uniform_real_distribution<float> d(from, to);
  for (int64_t i = 0, n = s.elements(); i < n; i++) t.data<float>()[i] = d(rng());
  return t;
}

Tensor random_ints(DType d, const Shape& s, int64_t from, int64_t to) {
  Tensor t = *Tensor::allocate(d, s);
  std::uniform_int_distribution<int64_t> u(from, to);
  const size_t size = static_cast<size_t>(dtype_bytes(d, 1));
  for (int64_t i = 0, n = s.elements(); i < n; i++) {
    const int64_t value = u(rng());  // little-endian: the low bytes
    std::memcpy(static_cast<char*>(t.bytes()) + static_cast<size_t>(i) * size, &value, size);
  }
  return t;
}

Tensor f32(const Shape& s, std::vector<float> values) {
  Tensor t = *Tensor::allocate(DType::f32, s);
  for (size_t i = 0; i < values.size() && static_cast<int64_t>(i) < s.elements(); i++)
    t.data<float>()[i] = values[i];
  return t;
}
Tensor i64s(std::vector<int64_t> values) { return Tensor::of_ints(values); }
Tensor scalar_f32(float x) { return Tensor::scalar<float>(DType::f32, x); }
Attrs attrs(std::vector<Attrs::Item> items) {
  Attrs a;
  for (auto& [name, value] : items) a.set(name, std::move(value));
  return a;
}

Result<std::vector<Tensor>> reference(const Case& c) {
  const OpDef* op = nullptr;
  Attrs a;
  HONE_CHECK(bind(c, op, a));
  ReferenceContext context(*op, a, c.in, c.outputs);
  HONE_CHECK(op->reference(context));
  return context.out;
}

std::string refusal(const Case& c, const std::string& name) {
  const OpDef* op = nullptr;
  Attrs a;
  if (const Status s = bind(c, op, a); !s) return s.error().message;
  const Tactic* tactic = find_tactic(c.op, name);
  if (!tactic) return "there is no tactic " + name;
  auto want = reference(c);
  if (!want) return want.error().message;
  std::vector<Operand> in, out;
  const Accept accept = tactic->accepts(problem_of(c, *op, a, in, out, *want, available_isas().back(), 1));
  return accept ? "" : accept.why();
}

int check(const Case& c) {
  const OpDef* op = nullptr;
  Attrs a;
  if (const Status s = bind(c, op, a); !s) {
    ADD_FAILURE() << s.error().message;
    return 0;
  }
  const auto want = reference(c);
  if (!want) {
    ADD_FAILURE() << c.op << ": " << want.error().message;
    return 0;
  }
  int accepted = 0;
  for (const Tactic* tactic : tactics_for(*op)) {
    if (!c.only.empty() && c.only != tactic->name) continue;
    for (Isa isa : available_isas()) {
      std::vector<Operand> in, out;
      if (!tactic->accepts(problem_of(c, *op, a, in, out, *want, isa, 1))) continue;
      accepted += isa == available_isas().back();
      for (const Variant& v : variants) {
        if (v.in_place) {
          if (tactic->in_place < 0) continue;
          const auto source = static_cast<size_t>(tactic->in_place);
          if (source >= in.size() || in[source].constant || in[source].shape != out[0].shape ||
              in[source].dtype != out[0].dtype)
            continue;
        }
        std::vector<Tensor> one, got;
        for (int threads : {1, 2, 3}) {
          std::string shapes;
          for (const Tensor& t : c.in) shapes += t ? t.shape().str() : "-";
          SCOPED_TRACE(c.op + " " + tactic->name + "@" + isa_name(isa) + " " + shapes + " " + v.name +
                       ", threads " + std::to_string(threads));
          if (!run_once(*tactic, c, *op, a, *want, isa, threads, v, got)) return accepted;
          for (size_t i = 0; i < got.size(); i++) {
            if (!close(c, *tactic, (*want)[i], got[i])) return accepted;
            if (threads == 1) continue;
            const auto size = static_cast<size_t>(got[i].byte_size());
            EXPECT_EQ(std::memcmp(one[i].bytes(), got[i].bytes(), size), 0)
                << "output " << i << " differs from one thread's";
          }
          if (threads == 1) one = got;
        }
      }
    }
  }
  return accepted;
}

}  // namespace hone::test

#include "random/run.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "base/cpu.h"
#include "build/build.h"
#include "import/import.h"
#include "ir/eval.h"
#include "ir/text.h"
#include "random/write_onnx.h"
#include "runtime/session.h"

namespace hone::test {
namespace {

using Values = std::vector<Value>;

// HONE_ISA for as long as it lives.
class Forced {
 public:
  explicit Forced(Isa isa) : before_(std::getenv("HONE_ISA") ? std::getenv("HONE_ISA") : "") {
    setenv("HONE_ISA", isa_name(isa), 1);
  }
  ~Forced() { before_.empty() ? unsetenv("HONE_ISA") : setenv("HONE_ISA", before_.c_str(), 1); }
  Forced(const Forced&) = delete;
  Forced& operator=(const Forced&) = delete;

 private:
  std::string before_;
};

// Deep, as the session reuses its memory.
Value copy(const Value& v) {
  if (v.kind == Value::Kind::sequence || v.kind == Value::Kind::optional) {
    Value out = v;
    if (v.items) {
      out.items = std::make_shared<std::vector<Value>>();
      for (const Value& item : *v.items) out.items->push_back(copy(item));
    }
    return out;
  }
  if (!v) return v;
  Tensor t = *Tensor::allocate(v.tensor.dtype(), v.tensor.shape());
  if (t.dtype() == DType::string)
    std::copy_n(v.tensor.data<std::string>(), t.elements(), t.data<std::string>());
  else if (t.byte_size() > 0) std::memcpy(t.bytes(), v.tensor.bytes(), static_cast<size_t>(t.byte_size()));
  return t;
}

Result<Values> run(Session& session, std::span<const Value> inputs) {
  HONE_CHECK(session.run(inputs));
  Values out;
  for (size_t i = 0; i < session.outputs(); i++) out.push_back(copy(session.output(i)));
  return out;
}

double unit(DType d) {
  switch (d) {
    case DType::f64:
      return 0x1p-52;
    case DType::f16:
      return 0x1p-10;
    case DType::bf16:
      return 0x1p-7;
    default:
      return 0x1p-23;
  }
}
double smallest_normal(DType d) { return d == DType::f64 ? 0x1p-1022 : d == DType::f16 ? 0x1p-14 : 0x1p-126; }

std::string number(double v) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", v);
  return text;
}

std::string tensor_difference(const Tensor& got, const Tensor& want, const Judge& judge, double scale,
                              const Tensor& input) {
  if (got.dtype() != want.dtype() || got.shape() != want.shape())
    return "is " + ValueType(got.dtype(), got.shape()).str() + ", expected " +
           ValueType(want.dtype(), want.shape()).str();
  if (judge.kind == Judge::types) return {};
  const DType d = want.dtype();
  const int64_t n = want.elements();
  const auto differs = [](int64_t i, const std::string& a, const std::string& b) {
    return "element " + std::to_string(i) + " is " + a + ", expected " + b;
  };
  if (d == DType::string) {
    for (int64_t i = 0; i < n; i++)
      if (got.data<std::string>()[i] != want.data<std::string>()[i])
        return differs(i, '"' + got.data<std::string>()[i] + '"', '"' + want.data<std::string>()[i] + '"');
    return {};
  }
  const bool real = is_float(d) && dtype_bits(d) >= 16;
  if (!real) {
    if (n == 0 || std::memcmp(got.bytes(), want.bytes(), static_cast<size_t>(want.byte_size())) == 0)
      return {};
    for (int64_t i = 0; i < n; i++)
      if (const double a = number_at(got, i), b = number_at(want, i);
          a != b && !(std::isnan(a) && std::isnan(b)))
        return differs(i, number(a), number(b));
    // The last bits of packed elements may be nobody's; complex and 64-bit integers differ in bits alone.
    if (dtype_bits(d) < 8 || is_float(d)) return {};
    if (d == DType::boolean) {
      for (int64_t i = 0; i < n; i++)
        if (bool{got.data<bool8>()[i]} != bool{want.data<bool8>()[i]}) return differs(i, "another", "truth");
      return {};
    }
    return "has other bits";
  }
  double largest = 0;
  for (int64_t i = 0; i < n; i++)
    if (const double v = std::fabs(number_at(want, i)); std::isfinite(v)) largest = std::max(largest, v);
  const double u = unit(d), least = smallest_normal(d);
  for (int64_t i = 0; i < n; i++) {
    const double a = number_at(got, i), b = number_at(want, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    double allowed = 0;
    switch (judge.kind) {
      case Judge::exact:
      case Judge::types:
        break;
      case Judge::gated:
        allowed = std::max(
            {std::fabs(b), least, input.shape() == want.shape() ? std::fabs(number_at(input, i)) : 0});
        break;
      case Judge::ulps:
        allowed = std::max(std::fabs(b), least);
        break;
      case Judge::sums:
        allowed = std::max(scale, least);
        break;
      case Judge::scaled:
        allowed = std::max(largest, least);
        break;
      case Judge::bound:
        allowed = 1;
        break;
    }
    if (std::isfinite(a) && std::isfinite(b) && std::fabs(a - b) <= judge.n * u * allowed) continue;
    return differs(i, number(a), number(b)) + " within " + number(judge.n * u * allowed);
  }
  return {};
}

// The greatest answers to the absolute values of the inputs, one for each output; 0 where it is no number.
std::vector<double> absolute_answers(Problem p) {
  for (Problem::Input& input : p.inputs) {
    if (input.value.kind != Value::Kind::tensor || !is_float(input.value.tensor.dtype())) continue;
    Tensor t = copy(input.value).tensor;
    for (int64_t i = 0; i < t.elements(); i++) set_number(t, i, std::fabs(number_at(t, i)));
    input.value = t;
  }
  std::vector<double> out(p.outputs);
  const Placed placed = place(p, 0);
  if (!ir::infer(*placed.graph)) return out;
  auto answers = ir::evaluate(*placed.graph, placed.inputs);
  for (size_t i = 0; answers && i < answers->size(); i++) {
    const Tensor& t = (*answers)[i].tensor;
    for (int64_t k = 0; k < t.elements() && is_float(t.dtype()); k++)
      if (const double v = std::fabs(number_at(t, k)); std::isfinite(v)) out[i] = std::max(out[i], v);
  }
  return out;
}

}  // namespace

std::string difference(const Value& got, const Value& want, const Judge& judge, double scale,
                       const Tensor& input) {
  if (got.kind != want.kind) return "is " + type_of(got).str() + ", expected " + type_of(want).str();
  if (want.kind == Value::Kind::sequence || want.kind == Value::Kind::optional) {
    const size_t a = got.items ? got.items->size() : 0, b = want.items ? want.items->size() : 0;
    if (a != b) return "has " + std::to_string(a) + " items, expected " + std::to_string(b);
    for (size_t i = 0; i < b; i++)
      if (std::string s = difference((*got.items)[i], (*want.items)[i], judge, scale); !s.empty())
        return "item " + std::to_string(i) + " " + s;
    return {};
  }
  return want ? tensor_difference(got.tensor, want.tensor, judge, scale, input) : "";
}

Placed place(const Problem& p, uint64_t seed) {
  std::mt19937_64 random(seed ^ 0x51ed);
  const auto chance = [&](unsigned percent) { return seed != 0 && random() % 100 < percent; };
  const bool vague = chance(30), all_constant = chance(5);
  Placed out;
  out.graph = std::make_shared<ir::Graph>();
  out.graph->name = "random";
  std::vector<ir::Value*> in;
  for (size_t i = 0; i < p.inputs.size(); i++) {
    const Value& v = p.inputs[i].value;
    if (!v) {
      in.push_back(nullptr);
      continue;
    }
    const bool tensor = v.kind == Value::Kind::tensor;
    if (tensor && (p.inputs[i].constant || all_constant || chance(i == 0 ? 5 : 40))) {
      in.push_back(out.graph->add_constant(v.tensor, "k" + std::to_string(i)));
      continue;
    }
    ValueType t = type_of(v);
    if (tensor && vague) {
      if (chance(15)) t.shape = Shape::unranked();
      for (size_t k = 0; k < t.shape.size(); k++)
        if (chance(40)) t.shape[k] = unknown_dim;
    }
    in.push_back(out.graph->add_input("x" + std::to_string(i), t));
    out.inputs.push_back(v);
  }
  ir::Node* n = out.graph->add_node(*p.op, in, p.attrs, p.outputs, "drawn");
  for (size_t i = 0; i < n->outputs.size(); i++) out.graph->add_output(n->outputs[i]);
  return out;
}

Result<std::shared_ptr<ir::Graph>> imported(std::shared_ptr<ir::Graph> g) {
  if (!can_be_onnx(*g)) {
    HONE_CHECK(ir::infer(*g));
    return g;
  }
  auto bytes = std::make_shared<std::string>(onnx_model(*g));
  return import_onnx({std::as_bytes(std::span(*bytes)), bytes}, "");
}

Verdict check(const std::shared_ptr<ir::Graph>& graph, std::span<const Value> inputs,
              std::span<const Judge> judges, std::span<const double> scale, uint64_t seed) {
  Verdict v;
  const auto want = ir::evaluate(*graph, inputs);
  v.accepted = static_cast<bool>(want);
  if (!want) v.reason = want.error().message;
  const auto compare = [&](const Values& got, const std::string& who) {
    const Tensor input = inputs.empty() ? Tensor() : inputs[0].tensor;
    for (size_t i = 0; i < got.size() && v.failure.empty(); i++)
      if (const std::string s = difference(got[i], (*want)[i], judges[std::min(i, judges.size() - 1)],
                                           scale.empty() ? 0 : scale[std::min(i, scale.size() - 1)], input);
          !s.empty())
        v.failure = who + ": output " + std::to_string(i) + " " + s;
  };
  for (const bool optimised : {false, true}) {
    BuildOptions options;
    options.optimise = optimised;
    const std::string build = optimised ? "optimised" : "--opt none";
    auto data = build_engine(graph->clone(), options);
    if (!data) {
      if (v.accepted) v.failure = build + " does not build: " + data.error().message;
      if (!v.failure.empty()) return v;
      continue;
    }
    const auto isas = available_isas();
    for (const Isa isa : optimised ? isas : isas.last(1)) {
      const Forced forced(isa);
      const std::string who = build + " on " + isa_name(isa);
      auto engine = Engine::load(*data);
      if (!engine) {
        v.failure = who + " does not load: " + engine.error().message;
        return v;
      }
      const int threads = 1 + static_cast<int>(seed % 3);
      auto session = Session::create(*engine, {.threads = threads});
      if (!session) {
        v.failure = who + ": " + session.error().message;
        return v;
      }
      auto got = run(**session, inputs);
      if (!v.accepted) {
        if (got) v.failure = who + " answers what the reference refuses: " + v.reason;
        if (!v.failure.empty()) return v;
        continue;
      }
      if (!got) {
        v.failure = who + ": " + got.error().message;
        return v;
      }
      compare(*got, who);
      auto again = run(**session, inputs);
      auto alone = Session::create(*engine, {.threads = threads == 1 ? 2 : 1});
      auto other = alone ? run(**alone, inputs) : Result<Values>(Values());
      const Judge same{judges[0].kind == Judge::types ? Judge::types : Judge::exact};
      for (size_t i = 0; i < got->size() && v.failure.empty(); i++) {
        if (again && other && again->size() == got->size() && other->size() == got->size()) {
          if (std::string s = difference((*again)[i], (*got)[i], same, 0); !s.empty())
            v.failure = who + ", the second time: output " + std::to_string(i) + " " + s;
          else if (s = difference((*other)[i], (*got)[i], same, 0); !s.empty())
            v.failure = who + ", with another number of threads: output " + std::to_string(i) + " " + s;
        } else {
          v.failure = who + ": the second run fails";
        }
      }
      if (!v.failure.empty()) return v;
    }
  }
  return v;
}

namespace {
char replay[160];
extern "C" void say_case(int signal) {
  (void)!write(STDERR_FILENO, replay, std::strlen(replay));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}
}  // namespace

void note_case(const std::string& how) {
  std::snprintf(replay, sizeof replay, "crashed or hangs in %s\n", how.c_str());
  for (const int s : {SIGSEGV, SIGFPE, SIGABRT, SIGBUS, SIGILL, SIGALRM}) std::signal(s, say_case);
  alarm(120);
}

Verdict check(const Drawn& drawn, uint64_t seed) {
  const Problem p = draw_problem(drawn, seed);
  const Placed placed = place(p, seed);
  const std::string before = ir::print(*placed.graph);
  auto graph = imported(placed.graph);
  if (!graph) return {.reason = graph.error().message + "\n" + before};
  std::vector<double> scale;
  if (p.judge.kind == Judge::sums) scale = absolute_answers(p);
  const std::vector<Judge> judges{p.judge};
  Verdict v = check(*graph, placed.inputs, judges, scale, seed);
  if (!v.reason.empty()) v.reason += "\n" + before;
  if (!v.failure.empty()) {
    v.failure += "\n" + ir::print(**graph);
    for (const Value& x : placed.inputs) v.failure += "  input " + type_of(x).str() + "\n";
  }
  return v;
}

bool seed_given() { return std::getenv("HONE_SEED") != nullptr; }
uint64_t base_seed() {
  static const uint64_t seed = [] {
    const char* text = std::getenv("HONE_SEED");
    const uint64_t s = text ? std::strtoull(text, nullptr, 10) : 1 + std::random_device()() % 1'000'000'000u;
    std::printf("HONE_SEED=%llu\n", static_cast<unsigned long long>(s));
    std::fflush(stdout);
    return s;
  }();
  return seed;
}
double budget(double share) {
  const char* text = std::getenv("HONE_RANDOM_SECONDS");
  return share * (text ? std::strtod(text, nullptr) : 15);
}

}  // namespace hone::test

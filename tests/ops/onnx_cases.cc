#include "ops/onnx_cases.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>

#include "base/convert.h"
#include "base/mapped_file.h"
#include "build/build.h"
#include "engine/read.h"
#include "engine/write.h"
#include "import/import.h"
#include "ir/eval.h"
#include "runtime/session.h"

namespace hone {
namespace {

namespace fs = std::filesystem;

template <class T>
const T& at(const Tensor& t, int64_t i) {
  return t.data<T>()[i];
}

// Real element i. Integers go their own way: a double does not hold every int64.
double real(const Tensor& t, int64_t i) {
  switch (t.dtype()) {
    case DType::f32:
      return at<float>(t, i);
    case DType::f64:
      return at<double>(t, i);
    case DType::f16:
      return to_float(at<f16_t>(t, i));
    case DType::bf16:
      return to_float(at<bf16_t>(t, i));
    case DType::f8e4m3fn:
      return to_float(at<f8e4m3fn_t>(t, i));
    case DType::f8e4m3fnuz:
      return to_float(at<f8e4m3fnuz_t>(t, i));
    case DType::f8e5m2:
      return to_float(at<f8e5m2_t>(t, i));
    case DType::f8e5m2fnuz:
      return to_float(at<f8e5m2fnuz_t>(t, i));
    case DType::f8e8m0:
      return to_float(at<f8e8m0_t>(t, i));
    case DType::f4e2m1:
      return from_small_float(get_packed(t.bytes(), i, 4), f4e2m1_format);
    default:
      return NAN;
  }
}

int64_t integer(const Tensor& t, int64_t i) {
  switch (t.dtype()) {
    case DType::u4:
    case DType::u2:
      return get_packed(t.bytes(), i, dtype_bits(t.dtype()));
    case DType::i4:
    case DType::i2:
      return sign_extend(get_packed(t.bytes(), i, dtype_bits(t.dtype())), dtype_bits(t.dtype()));
    case DType::boolean:
      return at<bool8>(t, i) ? 1 : 0;
    case DType::u8:
      return at<uint8_t>(t, i);
    case DType::i8:
      return at<int8_t>(t, i);
    case DType::u16:
      return at<uint16_t>(t, i);
    case DType::i16:
      return at<int16_t>(t, i);
    case DType::u32:
      return at<uint32_t>(t, i);
    case DType::i32:
      return at<int32_t>(t, i);
    default:
      return at<int64_t>(t, i);  // u64: the same bits
  }
}

bool close(double got, double want, double absolute, double relative) {
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got);
  return got == want || std::fabs(got - want) <= absolute + relative * std::fabs(want);
}

std::string position(const Shape& shape, int64_t i) {
  std::string text = "[";
  const auto strides = contiguous_strides(shape);
  for (size_t k = 0; k < shape.size(); k++) {
    text += (k ? "," : "") + std::to_string(i / strides[k]);
    i %= strides[k];
  }
  return text + "]";
}

std::string tensor_difference(const Tensor& got, const Tensor& want, double noise) {
  const std::string types =
      ValueType(got.dtype(), got.shape()).str() + ", expected " + ValueType(want.dtype(), want.shape()).str();
  if (got.dtype() != want.dtype() || got.shape() != want.shape()) return "is " + types;
  const DType d = want.dtype();
  const int64_t n = want.elements();
  const auto differs = [&](int64_t i, const std::string& a, const std::string& b) {
    return "element " + position(want.shape(), i) + " is " + a + ", expected " + b;
  };
  if (d == DType::string) {
    for (int64_t i = 0; i < n; i++)
      if (at<std::string>(got, i) != at<std::string>(want, i))
        return differs(i, "\"" + at<std::string>(got, i) + "\"", "\"" + at<std::string>(want, i) + "\"");
    return {};
  }
  if (!is_float(d) && dtype_kind(d) != DKind::complex) {
    for (int64_t i = 0; i < n; i++)
      if (integer(got, i) != integer(want, i))
        return differs(i, std::to_string(integer(got, i)), std::to_string(integer(want, i)));
    return {};
  }
  const bool half = d == DType::f16 || d == DType::bf16, exact = dtype_bits(d) <= 8;
  const double absolute = exact ? 0 : half ? 1e-3 : 1e-7, relative = exact ? 0 : half ? 1e-2 : 1e-3;
  // Complex numbers: part by part.
  const bool complex = dtype_kind(d) == DKind::complex;
  Tensor a = got, b = want;
  if (complex) {
    Shape parts = want.shape();
    parts.push_back(2);
    const DType part = d == DType::c64 ? DType::f32 : DType::f64;
    a = Tensor::view(got.owner(), got.bytes(), part, parts);
    b = Tensor::view(want.owner(), want.bytes(), part, parts);
  }
  double greatest = 0;
  for (int64_t i = 0; noise > 0 && i < b.elements(); i++)
    if (std::isfinite(real(b, i))) greatest = std::max(greatest, std::fabs(real(b, i)));
  for (int64_t i = 0; i < b.elements(); i++)
    if (!close(real(a, i), real(b, i), std::max(absolute, noise * greatest), relative)) {
      char x[40], y[40];
      std::snprintf(x, sizeof x, "%.9g", real(a, i));
      std::snprintf(y, sizeof y, "%.9g", real(b, i));
      return differs(complex ? i / 2 : i, x, y);
    }
  return {};
}

Result<Value> read_value(const fs::path& path, Value::Kind kind) {
  // A tensor without elements or name may be a file without bytes.
  std::error_code ignored;
  if (fs::file_size(path, ignored) == 0 && !ignored) return read_onnx_value({}, kind);
  HONE_TRY(const auto file, MappedFile::open(path));
  return read_onnx_value({file->bytes(), file}, kind);
}

using Execute = std::function<Result<std::vector<Value>>(std::span<const Value>)>;

Result<Execute> engine_executor(const std::string& model, bool optimise) {
  BuildOptions options;
  options.optimise = optimise;
  HONE_TRY(const EngineData built, build_engine(model, options));
  HONE_TRY(std::vector<std::byte> bytes, engine_bytes(built));
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  HONE_TRY(EngineData read, read_engine_bytes(owner, *owner));
  HONE_TRY(auto engine, Engine::load(std::move(read)));
  HONE_TRY(auto made, Session::create(std::move(engine), {.threads = 2}));
  std::shared_ptr<Session> session = std::move(made);
  return Execute([session](std::span<const Value> inputs) -> Result<std::vector<Value>> {
    HONE_CHECK(session->run(inputs));
    std::vector<Value> out;
    for (size_t i = 0; i < session->outputs(); i++) out.push_back(session->output(i));
    return out;
  });
}

std::string run_set(const ir::Graph& graph, const Execute& execute, const fs::path& folder) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < graph.inputs().size(); i++) {
    const fs::path path = folder / ("input_" + std::to_string(i) + ".pb");
    if (!fs::exists(path))
      return "there is no " + path.filename().string() + " for input '" + graph.inputs()[i]->name + "'";
    auto v = read_value(path, graph.inputs()[i]->type.kind);
    if (!v) return path.filename().string() + ": " + v.error().message;
    inputs.push_back(*std::move(v));
  }
  auto got = execute(inputs);
  if (!got) return "run: " + got.error().message;
  double noise = 0;
  for (const ir::Node* n : graph.nodes())
    if (std::string_view(n->op->name) == "DFT" || std::string_view(n->op->name) == "STFT") noise = 1e-6;
  for (size_t i = 0; i < graph.outputs().size(); i++) {
    const fs::path path = folder / ("output_" + std::to_string(i) + ".pb");
    if (!fs::exists(path)) return "there is no " + path.filename().string();
    auto want = read_value(path, (*got)[i].kind);
    if (!want) return path.filename().string() + ": " + want.error().message;
    if (const std::string text = first_difference((*got)[i], *want, noise); !text.empty())
      return "output '" + graph.outputs()[i]->name + "' " + text;
  }
  return {};
}

}  // namespace

std::string first_difference(const Value& got, const Value& want, double noise) {
  static const char* const kinds[] = {"nothing", "a tensor", "a sequence", "an optional"};
  if (got.kind != want.kind)
    return std::string("is ") + kinds[static_cast<size_t>(got.kind)] + ", expected " +
           kinds[static_cast<size_t>(want.kind)];
  if (got.kind == Value::Kind::tensor) return tensor_difference(got.tensor, want.tensor, noise);
  const size_t n = got.items ? got.items->size() : 0, m = want.items ? want.items->size() : 0;
  if (n != m) return strf("has %zu items, expected %zu", n, m);
  for (size_t i = 0; i < n; i++)
    if (const std::string text = first_difference((*got.items)[i], (*want.items)[i], noise); !text.empty())
      return strf("item %zu ", i) + text;
  return {};
}

std::vector<Case> find_cases(const std::string& folder) {
  std::vector<Case> cases;
  const auto add = [&](const fs::path& p) {
    cases.push_back({(p.parent_path().filename() / p.filename()).string(), p.string()});
  };
  const fs::path root = fs::weakly_canonical(folder);
  if (fs::exists(root / "model.onnx")) add(root);
  else if (fs::is_directory(root))
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.path().filename() == "model.onnx") add(entry.path().parent_path());
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
  return cases;
}

CaseResult run_case(const std::string& folder, Through through) {
  const std::string model = folder + "/model.onnx";
  auto graph = import_model(model);
  if (!graph) return {CaseResult::failed, "import: " + graph.error().message};
  Execute execute = [&](std::span<const Value> inputs) { return ir::evaluate(**graph, inputs); };
  if (through != Through::reference) {
    auto engine = engine_executor(model, through == Through::engine);
    if (!engine) return {CaseResult::failed, "build: " + engine.error().message};
    execute = *std::move(engine);
  }
  int sets = 0;
  for (fs::path set; fs::is_directory(set = fs::path(folder) / ("test_data_set_" + std::to_string(sets)));
       sets++)
    if (std::string reason = run_set(**graph, execute, set); !reason.empty()) {
      if (sets) reason = set.filename().string() + ": " + reason;
      return {CaseResult::failed, reason};
    }
  if (!sets) return {CaseResult::skipped, "there is no test_data_set_0"};
  return {CaseResult::passed, {}};
}

std::vector<CaseResult> run_cases(const std::vector<Case>& cases, int jobs, int seconds, Through through) {
  struct Child {
    size_t index;
    pid_t pid;
    int pipe;
    std::string text;
  };
  std::vector<CaseResult> results(cases.size());
  std::vector<Child> running;
  size_t next = 0;
  while (next < cases.size() || !running.empty()) {
    while (next < cases.size() && running.size() < static_cast<size_t>(jobs)) {
      int ends[2];
      if (::pipe(ends) != 0) break;
      const pid_t pid = ::fork();
      if (pid == 0) {
        ::close(ends[0]);
        ::signal(SIGALRM, SIG_DFL);
        ::alarm(static_cast<unsigned>(seconds));
        const CaseResult r = run_case(cases[next].folder, through);
        const std::string text = std::to_string(r.kind) + r.reason.substr(0, 4000);
        const bool sent = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
        ::_exit(sent ? 0 : 1);
      }
      ::close(ends[1]);
      running.push_back({next++, pid, ends[0], {}});
    }
    std::vector<pollfd> fds;
    for (const Child& c : running) fds.push_back({c.pipe, POLLIN, 0});
    ::poll(fds.data(), fds.size(), -1);
    for (size_t i = fds.size(); i-- > 0;) {
      if (!fds[i].revents) continue;
      Child& c = running[i];
      char buffer[4096];
      const ssize_t n = ::read(c.pipe, buffer, sizeof buffer);
      if (n > 0) {
        c.text.append(buffer, static_cast<size_t>(n));
        continue;
      }
      ::close(c.pipe);
      int status = 0;
      ::waitpid(c.pid, &status, 0);
      CaseResult& r = results[c.index];
      if (WIFSIGNALED(status))
        r.reason = WTERMSIG(status) == SIGALRM ? strf("took more than %d s", seconds)
                                               : strf("crashed: %s", ::strsignal(WTERMSIG(status)));
      else if (WEXITSTATUS(status) || c.text.empty())
        r.reason = strf("crashed: exit code %d", WEXITSTATUS(status));
      else r = {static_cast<CaseResult::Kind>(c.text[0] - '0'), c.text.substr(1)};
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return results;
}

}  // namespace hone

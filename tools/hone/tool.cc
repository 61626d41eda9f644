#include "tool.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <random>

#include "base/convert.h"

namespace cli {

using hone::Code;
using hone::DType;
using hone::error;

constinit const Option threads_option{.name = "--threads",
                                      .kind = Option::whole,
                                      .value = "N",
                                      .help = "threads to use; else HONE_THREADS, else all cores",
                                      .least = 1,
                                      .most = 256};
constinit const Option memory_option{
    .name = "--memory",
    .kind = Option::bytes,
    .value = "SIZE",
    .help =
        "what values may take while running, such as 512M; else HONE_MEMORY, else "
        "three quarters of the machine's"};
constinit const Option json_option{.name = "--json",
                                   .help = "one JSON object on standard output instead of text"};
constinit const Option plugin_option{
    .name = "--plugin",
    .kind = Option::text,
    .value = "FILE.so",
    .help = "operators of your own, which run with all rights of this process",
    .repeats = true};

namespace {
std::atomic<int> interrupts{0};

const std::vector<Option>& build_options() {
  static const std::vector<Option> options = {
      {.name = "--shape",
       .kind = Option::shape,
       .value = "NAME=1x3x224x224",
       .help = "shape of an input",
       .repeats = true},
      {.name = "--precision",
       .kind = Option::choice,
       .value = "fp32|fp16|int8|auto",
       .help = "arithmetic (default fp32)"},
      {.name = "--opt",
       .kind = Option::choice,
       .value = "none|default",
       .help = "none: run the model's graph as it is"},
      {.name = "--disable",
       .kind = Option::text,
       .value = "PASS",
       .help = "leave out a pass of the optimiser",
       .repeats = true},
      {.name = "--dump-after",
       .kind = Option::text,
       .value = "PASS",
       .help = "print the graph after a pass, 'import' or 'all', to standard error",
       .repeats = true},
      {.name = "--explain",
       .help =
           "print each change made to the graph, and each choice of a kernel, and why, to standard error"}};
  return options;
}
}  // namespace

std::vector<Option> with_build_options(std::vector<Option> options) {
  options.insert(options.end(), build_options().begin(), build_options().end());
  return options;
}

hone::Result<hone::api::Engine> build(const std::string& path, const Args& args, bool plain,
                                      const std::string& target) {
  hone::api::BuildOptions o;
  o.target = target;
  o.time_limit = args.seconds("--time", 0);
  o.timing_records = args.all("--time-record");
  o.precision = args.text("--precision", "fp32");
  o.shapes = args.shapes("--shape");
  o.optimise = !plain && args.text("--opt", "default") != "none";
  o.disabled_passes = args.all("--disable");
  if (!plain) {
    o.dump_after = args.all("--dump-after");
    o.explain = args.has("--explain");
  }
  Progress progress;
  o.progress = [&](double fraction, const char* what) {
    progress.update(fraction, what);
    return interrupted();
  };
  o.report = [&](const char* title, const char* text) {
    progress.clear();
    if (std::string_view(title) == "explain") std::fprintf(stderr, "%s\n", text);
    else if (std::string_view(title) == "note") std::fprintf(stderr, "note: %s\n", text);
    else std::fprintf(stderr, "# after %s\n%s\n", title, text);
  };
  return lift(hone::api::build(path, o));
}

hone::Result<hone::api::Explanation> explain(const std::string& path, const Args& args) {
  hone::api::BuildOptions o;
  o.shapes = args.shapes("--shape");
  o.optimise = args.text("--opt", "default") != "none";
  o.disabled_passes = args.all("--disable");
  return lift(hone::api::explain(path, o));
}

hone::Result<Loaded> load(const std::string& path, const Args& args) {
  HONE_TRY(const bool is_engine, lift(hone::api::Engine::probe(path)));
  const auto start = Clock::now();
  if (!is_engine) {
    HONE_TRY(auto engine, build(path, args));
    return Loaded{std::move(engine), true, ms_since(start)};
  }
  for (const Option& o : build_options())
    if (std::string_view(o.name) != "--shape" && args.has(o.name))
      return error(Code::invalid_argument,
                   "%s: option '%s' is for building, but this is an engine file; give the model",
                   path.c_str(), o.name);
  HONE_TRY(auto engine, lift(hone::api::Engine::load(path)));
  return Loaded{std::move(engine), false, ms_since(start)};
}

hone::Status check_shape_names(const std::vector<hone::api::ValueInfo>& inputs, const Args& args) {
  std::vector<std::string> names;
  std::string list;
  for (const auto& i : inputs) {
    names.push_back(i.name);
    list += (list.empty() ? "'" : ", '") + i.name + "'";
  }
  for (const auto& [name, dims] : args.shapes("--shape"))
    if (std::find(names.begin(), names.end(), name) == names.end())
      return error(Code::not_found, "--shape names input '%s'; the inputs are %s", name.c_str(),
                   list.c_str());
  return {};
}

hone::Result<std::vector<int64_t>> run_shape(const hone::api::ValueInfo& info, const Args& args) {
  const auto shapes = args.shapes("--shape");
  const auto it = shapes.find(info.name);
  if (it == shapes.end()) {
    if (!info.ranked)
      return error(Code::invalid_argument,
                   "input '%s' may have any shape: choose one with --shape %s=1x3x224x224", info.name.c_str(),
                   info.name.c_str());
    std::vector<int64_t> dims = info.dims;
    for (int64_t& d : dims) d = d < 0 ? 1 : d;
    return dims;
  }
  bool same = !info.ranked || info.dims.size() == it->second.size();
  for (size_t i = 0; info.ranked && same && i < info.dims.size(); i++)
    same = info.dims[i] < 0 || info.dims[i] == it->second[i];
  if (!same)
    return error(Code::invalid_argument, "--shape %s=%s does not fit the engine's %s", info.name.c_str(),
                 shape_text(it->second).c_str(), info_text(info).c_str());
  return it->second;
}

namespace {
// Stores x at element i of a tensor of any real or integer type.
void store(hone::Tensor& t, int64_t i, double x) {
  const auto whole = static_cast<int64_t>(x);
  switch (t.dtype()) {
    case DType::f64:
      t.data<double>()[i] = x;
      return;
    case DType::f32:
      t.data<float>()[i] = static_cast<float>(x);
      return;
    case DType::f16:
      t.data<hone::f16_t>()[i] = hone::to_f16(static_cast<float>(x));
      return;
    case DType::bf16:
      t.data<hone::bf16_t>()[i] = hone::to_bf16(static_cast<float>(x));
      return;
    case DType::f8e4m3fn:
      t.data<uint8_t>()[i] =
          static_cast<uint8_t>(to_small_float(x, hone::small_float<hone::f8e4m3fn_t>, true));
      return;
    case DType::f8e4m3fnuz:
      t.data<uint8_t>()[i] =
          static_cast<uint8_t>(to_small_float(x, hone::small_float<hone::f8e4m3fnuz_t>, true));
      return;
    case DType::f8e5m2:
      t.data<uint8_t>()[i] = static_cast<uint8_t>(to_small_float(x, hone::small_float<hone::f8e5m2_t>, true));
      return;
    case DType::f8e5m2fnuz:
      t.data<uint8_t>()[i] =
          static_cast<uint8_t>(to_small_float(x, hone::small_float<hone::f8e5m2fnuz_t>, true));
      return;
    case DType::f8e8m0:
      t.data<hone::f8e8m0_t>()[i] = hone::to_f8e8m0(x, hone::Round::nearest, true);
      return;
    case DType::f4e2m1:
      hone::set_packed(t.bytes(), i, 4, static_cast<uint8_t>(to_small_float(x, hone::f4e2m1_format, true)));
      return;
    case DType::i4:
    case DType::u4:
      hone::set_packed(t.bytes(), i, 4, static_cast<uint8_t>(whole));
      return;
    case DType::i2:
    case DType::u2:
      hone::set_packed(t.bytes(), i, 2, static_cast<uint8_t>(whole));
      return;
    default:
      std::memcpy(t.data<std::byte>() + i * dtype_bits(t.dtype()) / 8, &whole,
                  static_cast<size_t>(dtype_bits(t.dtype())) / 8);
  }
}
bool numpy_has(DType d) {
  switch (d) {
    case DType::bf16:
    case DType::f8e4m3fn:
    case DType::f8e4m3fnuz:
    case DType::f8e5m2:
    case DType::f8e5m2fnuz:
    case DType::f8e8m0:
    case DType::f4e2m1:
    case DType::i4:
    case DType::u4:
    case DType::i2:
    case DType::u2:
      return false;
    default:
      return true;
  }
}
}  // namespace

namespace {
hone::Result<hone::Tensor> converted(const hone::Tensor& from, DType want) {
  const DType have = from.dtype();
  HONE_TRY(hone::Tensor to, hone::Tensor::allocate(want, from.shape()));
  for (int64_t i = 0, n = from.elements(); i < n; i++)
    store(to, i,
          have == DType::f32  ? static_cast<double>(from.data<float>()[i])
          : have == DType::i8 ? static_cast<double>(from.data<int8_t>()[i])
          : have == DType::u8 ? static_cast<double>(from.data<uint8_t>()[i])
                              : static_cast<double>(from.data<int64_t>()[i]));
  return to;
}
}  // namespace

hone::Result<hone::Tensor> as_type(const hone::Tensor& from, DType want) {
  const DType have = from.dtype();
  if (have == want) return from;
  if (numpy_has(want) || (have != DType::f32 && have != DType::i8 && have != DType::u8))
    return error(Code::invalid_argument, "is %s, the engine takes %s: convert it", dtype_name(have),
                 dtype_name(want));
  return converted(from, want);
}

hone::Result<hone::Tensor> random_input(const hone::api::ValueInfo& info, const std::vector<int64_t>& dims,
                                        uint64_t seed) {
  if (info.kind != HONE_TENSOR)
    return error(Code::unsupported, "input '%s' is no tensor; random inputs are tensors only",
                 info.name.c_str());
  const auto want = static_cast<DType>(info.dtype);
  const bool real = hone::is_float(want);
  const hone::DKind kind = hone::dtype_kind(want);
  const DType made = real                                                     ? DType::f32
                     : kind == hone::DKind::sint || kind == hone::DKind::uint ? DType::i64
                                                                              : want;
  HONE_TRY(hone::Tensor t, hone::Tensor::allocate(made, hone::Shape(dims)));
  std::mt19937_64 random(seed);
  // 24 random bits give every float in [-1, 1) of that spacing, the same on every machine.
  auto uniform = [&] { return static_cast<float>(random() >> 40) * 0x1p-23f - 1.0f; };
  for (int64_t i = 0, n = t.elements(); i < n; i++) {
    if (made == DType::f32) t.data<float>()[i] = uniform();
    else if (made == DType::i64) t.data<int64_t>()[i] = static_cast<int64_t>(random() >> 63);
    else if (made == DType::boolean) t.data<uint8_t>()[i] = static_cast<uint8_t>(random() >> 63);
    else if (made == DType::c64 || made == DType::c128) {
      if (made == DType::c64) t.data<float>()[2 * i] = uniform(), t.data<float>()[2 * i + 1] = uniform();
      else t.data<double>()[2 * i] = uniform(), t.data<double>()[2 * i + 1] = uniform();
    }
  }
  return made == want ? t : converted(t, want);
}

hone::Status bind(hone::api::Session& session, size_t input, const hone::Tensor& t) {
  const auto dims = t.shape().dims();
  if (t.dtype() != DType::string)
    return lift(session.set(
        input, {static_cast<hone_dtype>(t.dtype()), dims, t.bytes(), static_cast<size_t>(t.byte_size())}));
  std::vector<hone_text> texts;  // the library copies strings
  for (int64_t i = 0, n = t.elements(); i < n; i++) {
    const std::string& s = t.data<std::string>()[i];
    texts.push_back({s.data(), s.size()});
  }
  return lift(session.set(input, {HONE_STRING, dims, texts.data(), texts.size() * sizeof(hone_text)}));
}

hone::Result<hone::Tensor> tensor_of(const hone::api::TensorView& v) {
  if (v.kind() != HONE_TENSOR) return error(Code::unsupported, "it is no tensor");
  const auto d = static_cast<DType>(v.dtype());
  HONE_TRY(hone::Tensor t, hone::Tensor::allocate(d, hone::Shape(v.dims())));
  if (d == DType::string) {
    const auto texts = v.values<hone_text>();
    for (size_t i = 0; i < texts.size(); i++) t.data<std::string>()[i].assign(texts[i].data, texts[i].size);
  } else if (v.bytes()) {
    std::memcpy(t.bytes(), v.data(), v.bytes());
  }
  return t;
}

std::string shape_text(const std::vector<int64_t>& dims, const std::vector<std::string>& names) {
  if (dims.empty()) return "scalar";
  std::string s;
  for (size_t i = 0; i < dims.size(); i++) {
    if (i) s += 'x';
    s += dims[i] >= 0 ? std::to_string(dims[i]) : i < names.size() && !names[i].empty() ? names[i] : "?";
  }
  return s;
}

std::string info_text(const hone::api::ValueInfo& i) {
  const std::string inner = std::string(hone_dtype_name(i.dtype)) + " " +
                            (i.ranked ? shape_text(i.dims, i.dim_names) : "any shape");
  return i.kind == HONE_SEQUENCE   ? "sequence of " + inner
         : i.kind == HONE_OPTIONAL ? "optional " + inner
                                   : inner;
}

std::string bytes_text(double b) {
  return b >= 1e9   ? hone::strf("%.2f GB", b / 1e9)
         : b >= 1e6 ? hone::strf("%.1f MB", b / 1e6)
         : b >= 1e3 ? hone::strf("%.1f kB", b / 1e3)
                    : hone::strf("%.0f bytes", b);
}

bool interrupted() { return interrupts.load() > 0; }
void catch_interrupt() {
  std::signal(SIGINT, [](int) {
    if (interrupts.fetch_add(1) > 0) ::_exit(130);
  });
}

void Progress::update(double fraction, const char* what) {
  const double elapsed = ms_since(start_) / 1000;
  if (elapsed < 2 || (visible_ && ms_since(shown_) < 100) || !::isatty(STDERR_FILENO)) return;
  shown_ = Clock::now();
  visible_ = true;
  constexpr int width = 30;
  const int full = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * width);
  const double left = fraction > 0.01 ? elapsed * (1 - fraction) / fraction : 0;
  std::fprintf(stderr, "\r\033[K[%s%s] %3.0f %%  %s  %.40s",
               std::string(static_cast<size_t>(full), '#').c_str(),
               std::string(static_cast<size_t>(width - full), '.').c_str(), 100 * fraction,
               left > 0 ? hone::strf("%.0f s left", left).c_str() : "", what);
  std::fflush(stderr);
}
void Progress::clear() {
  if (visible_) std::fprintf(stderr, "\r\033[K");
  visible_ = false;
}

}  // namespace cli

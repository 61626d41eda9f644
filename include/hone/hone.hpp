// Hone's C++20 interface: hone.h with objects, header-only. What can fail returns Result<T>: look at ok() and
// error(), or take value(), which throws hone::Error. Ownership, threads and units are as in hone.h.
//
//   auto engine = hone::Engine::load("m.hone").value();
//   auto session = engine.session().value();
//   session.set(0, hone::TensorView::of<float>(pixels, {1, 3, 224, 224})).value();
//   session.run().value();
//   std::span<const float> scores = session.output(0).value().values<float>();
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hone/hone.h"

namespace hone {
namespace api {

class Error : public std::runtime_error {
 public:
  Error(hone_code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  explicit Error(hone_status* taken)  // takes the status over
      : Error(hone_status_code(taken), hone_status_message(taken)) {
    hone_status_free(taken);
  }
  hone_code code() const { return code_; }
  std::string message() const { return what(); }

 private:
  hone_code code_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : error_(std::move(error)) {}
  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }
  T& value() & { return check(), *value_; }
  T&& value() && { return check(), *std::move(value_); }
  T& operator*() & { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }

 private:
  void check() const {
    if (error_) throw *error_;
  }
  std::optional<T> value_;
  std::optional<Error> error_;
};
template <>
class [[nodiscard]] Result<void> {
 public:
  Result(hone_status* taken) {
    if (taken) error_.emplace(taken);
  }
  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }
  void value() const {
    if (error_) throw *error_;
  }

 private:
  std::optional<Error> error_;
};

template <class T>
inline constexpr hone_dtype dtype_of = HONE_NONE;
template <>
inline constexpr hone_dtype dtype_of<float> = HONE_F32;
template <>
inline constexpr hone_dtype dtype_of<double> = HONE_F64;
template <>
inline constexpr hone_dtype dtype_of<bool> = HONE_BOOLEAN;
template <>
inline constexpr hone_dtype dtype_of<int8_t> = HONE_I8;
template <>
inline constexpr hone_dtype dtype_of<int16_t> = HONE_I16;
template <>
inline constexpr hone_dtype dtype_of<int32_t> = HONE_I32;
template <>
inline constexpr hone_dtype dtype_of<int64_t> = HONE_I64;
template <>
inline constexpr hone_dtype dtype_of<uint8_t> = HONE_U8;
template <>
inline constexpr hone_dtype dtype_of<uint16_t> = HONE_U16;
template <>
inline constexpr hone_dtype dtype_of<uint32_t> = HONE_U32;
template <>
inline constexpr hone_dtype dtype_of<uint64_t> = HONE_U64;
template <>
inline constexpr hone_dtype dtype_of<hone_text> = HONE_STRING;

// A tensor that someone else owns.
class TensorView {
 public:
  TensorView() : raw_{} { raw_.size = sizeof raw_; }
  // `dims` beyond HONE_MAX_RANK are refused when the tensor is used.
  TensorView(hone_dtype dtype, std::span<const int64_t> dims, const void* data, size_t bytes) : TensorView() {
    raw_.kind = HONE_TENSOR;
    raw_.dtype = dtype;
    raw_.rank = static_cast<int>(dims.size());
    for (size_t i = 0; i < dims.size() && i < HONE_MAX_RANK; i++) raw_.dims[i] = dims[i];
    raw_.data = data;
    raw_.bytes = bytes;
  }
  template <class T>
  static TensorView of(std::span<const T> values, std::span<const int64_t> dims) {
    static_assert(dtype_of<T> != HONE_NONE, "no element type of Hone is stored like this");
    return {dtype_of<T>, dims, values.data(), values.size_bytes()};
  }
  template <class T>
  static TensorView of(std::span<const T> values, std::initializer_list<int64_t> dims) {
    return of<T>(values, std::span<const int64_t>(dims.begin(), dims.size()));
  }

  hone_kind kind() const { return raw_.kind; }
  hone_dtype dtype() const { return raw_.dtype; }
  std::span<const int64_t> dims() const { return {raw_.dims, static_cast<size_t>(raw_.rank)}; }
  const void* data() const { return raw_.data; }
  size_t bytes() const { return raw_.bytes; }
  size_t items() const { return raw_.items; }  // of a sequence
  // Throws Error if the elements are of another type.
  template <class T>
  std::span<const T> values() const {
    if (raw_.dtype != dtype_of<T>)
      throw Error(HONE_INVALID_ARGUMENT, std::string("the tensor is ") + hone_dtype_name(raw_.dtype) +
                                             ", asked for as " + hone_dtype_name(dtype_of<T>));
    return {static_cast<const T*>(raw_.data), raw_.bytes / sizeof(T)};
  }
  hone_tensor* raw() { return &raw_; }
  const hone_tensor* raw() const { return &raw_; }

 private:
  hone_tensor raw_;
};

// Operators of a shared library, for the whole process (hone.h).
inline Result<void> load_plugin(const std::string& path) { return hone_load_plugin(path.c_str()); }

struct ValueInfo {
  std::string name;
  hone_kind kind = HONE_ABSENT;
  hone_dtype dtype = HONE_NONE;
  bool ranked = false;
  std::vector<int64_t> dims;           // -1: any
  std::vector<std::string> dim_names;  // "" where there is none
};

struct SessionOptions {
  int threads = 0;
  bool profile = false;
  bool keep_values = false;
  std::function<bool()> cancelled;
  bool pin = false;
  int64_t memory = 0;  // bytes; 0: the default
};

class Session {
 public:
  Result<void> set(size_t input, const TensorView& t) {
    return hone_session_set_input(get(), input, t.raw());
  }
  Result<void> set_sequence(size_t input, std::span<const TensorView> items) {
    static_assert(sizeof(TensorView) == sizeof(hone_tensor));
    return hone_session_set_input_sequence(get(), input, items.empty() ? nullptr : items[0].raw(),
                                           items.size());
  }
  Result<void> prepare() { return hone_session_prepare(get()); }
  Result<void> run() { return hone_session_run(get()); }
  Result<TensorView> output(size_t i) {
    TensorView t;
    if (auto* s = hone_session_output(get(), i, t.raw())) return Error(s);
    return t;
  }
  Result<TensorView> output_item(size_t i, size_t item) {
    TensorView t;
    if (auto* s = hone_session_output_item(get(), i, item, t.raw())) return Error(s);
    return t;
  }
  Result<TensorView> value(const std::string& name) {
    TensorView t;
    if (auto* s = hone_session_value(get(), name.c_str(), t.raw())) return Error(s);
    return t;
  }
  hone_memory memory() const {
    hone_memory m{};
    m.size = sizeof m;
    Result<void>(hone_session_memory(get(), &m)).value();
    return m;
  }
  int threads() const { return hone_session_threads(get()); }
  std::vector<hone_step> steps() {  // texts live until the next call
    std::vector<hone_step> list(hone_session_step_count(get()));
    for (size_t i = 0; i < list.size(); i++) {
      list[i].size = sizeof list[i];
      Result<void>(hone_session_step(get(), i, &list[i])).value();
    }
    return list;
  }

 private:
  friend class Engine;
  struct Free {
    void operator()(hone_session* s) const { hone_session_free(s); }
  };
  hone_session* get() const { return session_.get(); }
  std::unique_ptr<std::function<bool()>> cancelled_;
  std::unique_ptr<hone_session, Free> session_;
};

// Texts and bytes that the library allocated.
struct Freed {
  void operator()(void* p) const { hone_free(p); }
};

class Engine {
 public:
  static Result<Engine> load(const std::string& path, bool verify = false) {
    hone_load_options o{sizeof o, verify};
    hone_engine* e = nullptr;
    if (auto* s = hone_engine_load(path.c_str(), &o, &e)) return Error(s);
    return Engine(e);
  }
  static Result<Engine> load(std::span<const std::byte> bytes, bool verify = false) {
    hone_load_options o{sizeof o, verify};
    hone_engine* e = nullptr;
    if (auto* s = hone_engine_load_memory(bytes.data(), bytes.size(), &o, &e)) return Error(s);
    return Engine(e);
  }
  // Whether the file begins as an engine file does.
  static Result<bool> probe(const std::string& path) {
    int yes = 0;
    if (auto* s = hone_engine_probe(path.c_str(), &yes)) return Error(s);
    return yes != 0;
  }
  explicit Engine(hone_engine* taken) : engine_(taken) {}

  Result<Session> session(const SessionOptions& options = {}) const {
    Session session;
    hone_session_options o{sizeof o, options.threads, options.profile, options.keep_values,
                           nullptr,  nullptr,         options.pin,     options.memory};
    if (options.cancelled) {
      session.cancelled_ = std::make_unique<std::function<bool()>>(options.cancelled);
      o.cancel = [](void* user) -> int { return (*static_cast<std::function<bool()>*>(user))(); };
      o.user = session.cancelled_.get();
    }
    hone_session* raw = nullptr;
    if (auto* s = hone_session_create(get(), &o, &raw)) return Error(s);
    session.session_.reset(raw);
    return session;
  }
  std::vector<ValueInfo> inputs() const { return infos(hone_engine_input_count(get()), hone_engine_input); }
  std::vector<ValueInfo> outputs() const {
    return infos(hone_engine_output_count(get()), hone_engine_output);
  }
  std::string meta(const std::string& key) const {
    const char* text = hone_engine_meta(get(), key.c_str());
    return text ? text : "";
  }
  // Any bytes; empty: not known.
  std::string_view meta_bytes(const std::string& key) const {
    size_t n = 0;
    const void* bytes = hone_engine_meta_bytes(get(), key.c_str(), &n);
    return bytes ? std::string_view(static_cast<const char*>(bytes), n) : std::string_view();
  }
  Result<void> set_meta(const std::string& key, std::string_view bytes) {
    return hone_engine_set_meta(get(), key.c_str(), bytes.data() ? bytes.data() : "", bytes.size());
  }
  Result<std::string> describe() const {
    char* json = nullptr;
    if (auto* s = hone_engine_describe(get(), &json)) return Error(s);
    return std::string(std::unique_ptr<char, Freed>(json).get());
  }
  Result<void> save(const std::string& path) const { return hone_engine_save(get(), path.c_str()); }
  Result<std::vector<std::byte>> serialize() const {
    void* bytes = nullptr;
    size_t n = 0;
    if (auto* s = hone_engine_serialize(get(), &bytes, &n)) return Error(s);
    const std::unique_ptr<void, Freed> held(bytes);
    return std::vector<std::byte>(static_cast<std::byte*>(bytes), static_cast<std::byte*>(bytes) + n);
  }
  hone_engine* get() const { return engine_.get(); }
  // Gives the engine up: the caller frees it.
  hone_engine* release() { return engine_.release(); }

 private:
  template <class F>
  std::vector<ValueInfo> infos(size_t n, F ask) const {
    std::vector<ValueInfo> list(n);
    for (size_t i = 0; i < n; i++) {
      hone_value_info raw{};
      raw.size = sizeof raw;
      Result<void>(ask(get(), i, &raw)).value();
      list[i] = {raw.name, raw.kind, raw.dtype, raw.rank >= 0, {}, {}};
      for (int k = 0; k < raw.rank; k++) {
        list[i].dims.push_back(raw.dims[k]);
        list[i].dim_names.emplace_back(raw.dim_names[k] ? raw.dim_names[k] : "");
      }
    }
    return list;
  }
  struct Free {
    void operator()(hone_engine* e) const { hone_engine_free(e); }
  };
  std::unique_ptr<hone_engine, Free> engine_;
};

struct BuildOptions {
  std::string precision = "fp32";
  std::map<std::string, std::vector<int64_t>> shapes;
  bool optimise = true;
  std::vector<std::string> disabled_passes, dump_after;
  bool explain = false;
  std::function<bool(double fraction, const char* what)> progress;  // true stops the build
  std::function<void(const char* title, const char* text)> report;
  std::string target = "generic";  // or "native" (hone.h)
  double time_limit = 0;           // seconds for timing kernels
  std::vector<std::string> timing_records;
};

namespace detail {
// The C form of BuildOptions, which must outlive it.
struct CBuildOptions {
  explicit CBuildOptions(const BuildOptions& from) {
    for (const auto& [name, dims] : from.shapes)
      shapes.push_back({name.c_str(), static_cast<int>(dims.size()), dims.data()});
    for (const auto& p : from.disabled_passes) disabled.push_back(p.c_str());
    for (const auto& p : from.dump_after) dump.push_back(p.c_str());
    for (const auto& r : from.timing_records) records.push_back(r.c_str());
    c.size = sizeof c;
    c.precision = from.precision.c_str();
    c.target = from.target.c_str();
    c.shapes = shapes.data();
    c.shape_count = shapes.size();
    c.no_optimise = !from.optimise;
    c.disabled_passes = disabled.data();
    c.disabled_pass_count = disabled.size();
    c.dump_after = dump.data();
    c.dump_after_count = dump.size();
    c.explain = from.explain;
    c.time_limit = from.time_limit;
    c.timing_records = records.data();
    c.timing_record_count = records.size();
    c.user = const_cast<BuildOptions*>(&from);
    if (from.progress)
      c.progress = [](double f, const char* what, void* u) -> int {
        return static_cast<BuildOptions*>(u)->progress(f, what);
      };
    if (from.report)
      c.report = [](const char* title, const char* text, void* u) {
        static_cast<BuildOptions*>(u)->report(title, text);
      };
  }
  std::vector<hone_shape> shapes;
  std::vector<const char*> disabled, dump, records;
  hone_build_options c{};
};
}  // namespace detail

inline Result<Engine> build(const std::string& model_path, const BuildOptions& options = {}) {
  const detail::CBuildOptions c(options);
  const hone_model model{sizeof model, model_path.c_str(), nullptr, 0};
  hone_engine* e = nullptr;
  if (auto* s = hone_build(&model, &c.c, &e)) return Error(s);
  return Engine(e);
}
inline Result<Engine> build(std::span<const std::byte> model_bytes, const BuildOptions& options = {}) {
  const detail::CBuildOptions c(options);
  const hone_model model{sizeof model, nullptr, model_bytes.data(), model_bytes.size()};
  hone_engine* e = nullptr;
  if (auto* s = hone_build(&model, &c.c, &e)) return Error(s);
  return Engine(e);
}
inline Result<std::string> describe_model(const std::string& model_path, const BuildOptions& options = {}) {
  const detail::CBuildOptions c(options);
  const hone_model model{sizeof model, model_path.c_str(), nullptr, 0};
  char* text = nullptr;
  if (auto* s = hone_model_describe(&model, &c.c, &text)) return Error(s);
  return std::string(std::unique_ptr<char, Freed>(text).get());
}

struct CaseResult {
  hone_outcome outcome = HONE_FAILED;
  std::string reason;  // of what did not pass
};
struct CaseOptions {
  bool optimise = true;
  bool reference = false;
  int threads = 0;
};
inline Result<CaseResult> conform_case(const std::string& folder, const CaseOptions& options = {}) {
  const hone_conform_options c{sizeof c, !options.optimise, options.reference, options.threads};
  CaseResult result;
  char* reason = nullptr;
  if (auto* s = hone_conform_case(folder.c_str(), &c, &result.outcome, &reason)) return Error(s);
  if (reason) result.reason = std::unique_ptr<char, Freed>(reason).get();
  return result;
}

struct Explanation {
  bool supported = false;
  std::string json;
};
inline Result<Explanation> explain(const std::string& path, const BuildOptions& options = {}) {
  const detail::CBuildOptions c(options);
  const hone_model model{sizeof model, path.c_str(), nullptr, 0};
  char* json = nullptr;
  int supported = 0;
  if (auto* s = hone_explain(&model, &c.c, &supported, &json)) return Error(s);
  return Explanation{supported != 0, std::unique_ptr<char, Freed>(json).get()};
}

}  // namespace api

// Not in Hone's own sources, which have other things of these names in hone.
#ifndef HONE_OWN_SOURCES
using namespace api;
#endif

}  // namespace hone

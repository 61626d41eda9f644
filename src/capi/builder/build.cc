#include "capi/builder/build.h"

#include <cstring>

#include "base/log.h"
#include "base/write_file.h"
#include "capi/runtime/handles.h"
#include "engine/validate.h"
#include "plugin/plugin.h"
#include "runtime/prepack.h"
#include "tune/tune.h"

namespace hone::capi {

Result<BuildOptions> build_options(const hone_build_options& o, bool& stop) {
  BuildOptions b;
  b.log = [](const std::string& line) { log(LogLevel::info, "%s", line.c_str()); };
  if (o.precision) b.precision = o.precision;
  for (size_t i = 0; i < o.shape_count; i++) {
    const hone_shape& s = o.shapes[i];
    if (!s.input || s.rank < 0 || s.rank > max_rank)
      return error(Code::invalid_argument, "shape %zu names no input, or its rank %d is outside 0..%d", i,
                   s.rank, max_rank);
    b.shapes[s.input] = Shape(std::span<const Dim>(s.dims, static_cast<size_t>(s.rank)));
  }
  b.optimise = !o.no_optimise;
  for (size_t i = 0; i < o.disabled_pass_count; i++) b.disabled.insert(o.disabled_passes[i]);
  for (size_t i = 0; i < o.dump_after_count; i++) b.dump_after.insert(o.dump_after[i]);
  if (o.report)
    b.dump = [&o](const std::string& pass, const std::string& text) {
      o.report(pass.c_str(), text.c_str(), o.user);
    };
  if (o.progress) {
    b.progress = [&o, &stop](double fraction, const std::string& what) {
      if (o.progress(fraction * (o.time_limit > 0 ? share_of_building : 1), what.c_str(), o.user))
        stop = true;
    };
    b.cancelled = [&stop] { return stop; };
  }
  return b;
}

Status check(const hone_model& m) {
  if (!m.path == !m.bytes)
    return error(Code::invalid_argument, "a model is a path or bytes: give one of them");
  return {};
}

// How the engine was made, for `hone inspect`.
void add_provenance(EngineData& data, const BuildOptions& options) {
  data.meta["hone.version"] = HONE_VERSION;
  std::string& opt = data.meta["opt"] = options.optimise ? "default" : "none";
  for (const std::string& pass : options.disabled) opt += (opt == "default" ? " without " : ", ") + pass;
}

}  // namespace hone::capi

namespace {
using namespace hone;
using capi::guarded;

// Kernels may want other tiles where more threads share the pixels: the usual numbers of threads of a board.
constexpr int thread_counts[] = {1, 2, 4};

Result<bool> is_native(const hone_build_options& o) {
  const std::string_view target = o.target ? o.target : "generic";
  if (target != "generic" && target != "native")
    return error(Code::invalid_argument, "target '%s' is unknown; use native or generic", o.target);
  return target == "native";
}
}  // namespace

namespace {
// The timing records of the caller: merged, and written again if there is more to say than the first one does.
class Records {
 public:
  Status read(const hone_build_options& o) {
    for (size_t i = 0; i < o.timing_record_count; i++) {
      if (!o.timing_records || !o.timing_records[i])
        return error(Code::invalid_argument, "timing record %zu is NULL", i);
      HONE_TRY(const TimingRecord one, TimingRecord::read(o.timing_records[i]));
      if (i == 0) first_ = o.timing_records[0];
      if (i == 0) written_ = one.text();
      all.merge(one);
    }
    return {};
  }
  Status write() const {
    if (first_.empty() || all.empty() || all.text() == written_) return {};
    return write_file(first_, all.text());
  }
  TimingRecord all;

 private:
  std::string first_, written_;
};

Status check_timing(const hone_build_options& o, bool native) {
  if (!(o.time_limit >= 0) || o.time_limit > 1e6)
    return error(Code::invalid_argument, "a time limit of %g seconds is outside 0 to 1e6", o.time_limit);
  if ((o.time_limit > 0 || o.timing_record_count > 0) && !native)
    return error(Code::invalid_argument,
                 "times of kernels are kept in the plan for this machine: use them with target \"native\"");
  return {};
}

Result<std::shared_ptr<const Engine>> tuned(EngineData data, const TuneOptions& options, TuneReport& report) {
  HONE_TRY(auto engine, Engine::load(std::move(data)));
  return tune(std::move(engine), options, report);
}

Result<std::shared_ptr<const Engine>> tuned(EngineData data, const hone_build_options& o,
                                            const BuildOptions& options, Records& records) {
  TuneReport report;
  TuneOptions tuning{.timed = o.time_limit > 0 || o.timing_record_count > 0,
                     .seconds = o.time_limit,
                     .record = &records.all,
                     .explain = o.explain && o.report,
                     .progress = {},
                     .cancelled = options.cancelled};
  if (options.progress)
    tuning.progress = [&](double fraction, const std::string& what) {
      options.progress(1 + fraction * (1 / capi::share_of_building - 1), what);
    };
  HONE_TRY(auto engine, tuned(std::move(data), tuning, report));
  for (const std::string& line : report.lines) o.report("explain", line.c_str(), o.user);
  for (const std::string& note : report.notes) {
    if (o.report) o.report("note", note.c_str(), o.user);
    else log(LogLevel::warning, "%s", note.c_str());
  }
  return engine;
}
}  // namespace

namespace hone::capi {
Result<std::shared_ptr<const Engine>> engine_of_model(const char* path) {
  HONE_TRY(EngineData data, build_engine(path));
  capi::add_provenance(data, {});
  HONE_CHECK(validate(data));
  TuneReport report;
  return tuned(std::move(data), TuneOptions(), report);
}
}  // namespace hone::capi

hone_status* hone_build(const hone_model* model, const hone_build_options* given, hone_engine** out) {
  return guarded([&]() -> Status {
    const hone_model m = capi::take(model);
    const hone_build_options o = capi::take(given);
    HONE_CHECK(capi::check(m));
    HONE_CHECK(load_environment_plugins());
    HONE_TRY(const bool native, is_native(o));
    HONE_CHECK(check_timing(o, native));
    Records records;
    HONE_CHECK(records.read(o));
    bool stop = false;
    HONE_TRY(const BuildOptions options, capi::build_options(o, stop));
    BuildReport report;
    auto data =
        m.path ? build_engine(std::string(m.path), options, &report)
               : build_engine(ModelBytes{{static_cast<const std::byte*>(m.bytes), m.byte_count}, nullptr},
                              options, &report);
    if (o.explain && o.report)
      for (const std::string& note : report.notes) o.report("explain", note.c_str(), o.user);
    if (!data) return data.take_error();
    capi::add_provenance(*data, options);
    HONE_CHECK(validate(*data));
    HONE_TRY(auto engine, tuned(*std::move(data), o, options, records));
    HONE_CHECK(records.write());
    if (native) {
      HONE_TRY(EngineData more, with_packed_plan(*engine, thread_counts));
      HONE_TRY(engine, Engine::load(std::move(more)));
    }
    *out = new hone_engine(std::move(engine));
    return {};
  });
}

hone_status* hone_model_describe(const hone_model* model, const hone_build_options* given, char** text) {
  return guarded([&]() -> Status {
    const hone_model m = capi::take(model);
    const hone_build_options o = capi::take(given);
    HONE_CHECK(capi::check(m));
    HONE_CHECK(load_environment_plugins());
    if (!m.path) return error(Code::unsupported, "hone_model_describe reads models from files only");
    bool stop = false;
    HONE_TRY(BuildOptions options, capi::build_options(o, stop));
    HONE_TRY(const std::string description,
             describe_model(m.path, {.shapes = options.shapes, .limits = {}, .log = {}}));
    *text = strdup(description.c_str());
    if (!*text) return error(Code::limit, "out of memory");
    return {};
  });
}

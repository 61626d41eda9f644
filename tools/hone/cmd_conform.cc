#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/cpu.h"
#include "base/json.h"
#include "processes.h"
#include "tool.h"

namespace cli {
namespace {
namespace fs = std::filesystem;
using hone::Code;
using hone::error;
using hone::Json;

struct Case {
  std::string name;  // its path below the folder given
  std::string folder;
  hone_outcome outcome = HONE_FAILED;
  std::string reason = {};
  double ms = 0;
};

// A folder with a model, or with data for one.
bool marks_case(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return name == "model.onnx" || name.starts_with("test_data_set_");
}

hone::Result<std::vector<Case>> find_cases(const std::string& folder) {
  std::error_code failed;
  const fs::path root = fs::canonical(folder, failed);
  if (!failed && !fs::is_directory(root, failed) && !failed)
    failed = std::make_error_code(std::errc::not_a_directory);
  if (failed) return error(Code::not_found, "%s: %s", folder.c_str(), failed.message().c_str());
  std::set<fs::path> folders;
  fs::recursive_directory_iterator it(root, fs::directory_options::skip_permission_denied, failed), end;
  for (; !failed && it != end; it.increment(failed)) {
    if (!marks_case(*it)) continue;
    folders.insert(it->path().parent_path());
    it.disable_recursion_pending();
  }
  if (failed) return error(Code::io, "%s: %s", folder.c_str(), failed.message().c_str());
  std::vector<Case> cases;
  for (const fs::path& p : folders)
    cases.push_back({(p == root ? root.filename() : p.lexically_relative(root)).string(), p.string()});
  return cases;
}

// A pattern with * ? [] stands for the whole name or its last part; other text for a part of the name.
bool matches(const std::string& name, const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return name.find(pattern) != std::string::npos;
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0 ||
         ::fnmatch(pattern.c_str(), name.substr(name.rfind('/') + 1).c_str(), 0) == 0;
}

// The outcome of a case on its way from its process: a digit, then the reason. 'E': not even the call worked.
std::string encoded(const Case& c, const hone::api::CaseOptions& options) {
  auto result = hone::api::conform_case(c.folder, options);
  if (!result) return "E" + result.error().message();
  return std::to_string(static_cast<int>(result->outcome)) + result->reason;
}

const char* word(hone_outcome o) {
  return o == HONE_PASSED ? "passed" : o == HONE_FAILED ? "failed" : "skipped";
}

std::vector<const Case*> slowest(const std::vector<Case>& cases) {
  std::vector<const Case*> list;
  for (const Case& c : cases) list.push_back(&c);
  const size_t n = std::min<size_t>(5, list.size());
  std::partial_sort(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(n), list.end(),
                    [](const Case* a, const Case* b) { return a->ms > b->ms; });
  list.resize(n);
  return list;
}

hone::Result<int> run(const Args& args) {
  const auto start = Clock::now();
  const std::string folder = args.positional(0), filter = args.text("--filter"),
                    opt = args.text("--opt", "default");
  HONE_TRY(std::vector<Case> cases, find_cases(folder));
  if (cases.empty())
    return error(Code::not_found, "%s: there is no case: no folder in it has a model.onnx", folder.c_str());
  if (!filter.empty()) std::erase_if(cases, [&](const Case& c) { return !matches(c.name, filter); });
  if (cases.empty())
    return error(Code::not_found, "%s: no case there has a name like '%s'", folder.c_str(), filter.c_str());
  const hone::api::CaseOptions options{.optimise = opt == "default",
                                       .reference = args.has("--reference"),
                                       .threads = static_cast<int>(args.whole("--threads", 2))};

  const bool json = args.has("--json"), verbose = args.has("--verbose");
  Progress progress;
  size_t ended = 0;
  std::string unusable;
  const auto take = [&](size_t i, Piece piece) {
    Case& c = cases[i];
    c.ms = piece.ms;
    if (piece.text.starts_with('E')) {
      unusable = piece.text.substr(1);
      return false;
    }
    c.outcome = piece.mishap.empty() ? static_cast<hone_outcome>(piece.text[0] - '0') : HONE_FAILED;
    c.reason = piece.mishap.empty() ? piece.text.substr(1) : piece.mishap;
    if (!json && (verbose || c.outcome != HONE_PASSED)) {
      progress.clear();
      const char* title = c.outcome == HONE_PASSED ? "pass" : c.outcome == HONE_FAILED ? "FAIL" : "SKIP";
      if (c.outcome == HONE_PASSED) std::printf("%s %s (%.0f ms)\n", title, c.name.c_str(), c.ms);
      else std::printf("%s %s: %s\n", title, c.name.c_str(), c.reason.c_str());
      std::fflush(stdout);
    }
    progress.update(static_cast<double>(++ended) / static_cast<double>(cases.size()), c.name.c_str());
    return true;
  };
  HONE_CHECK(in_processes(
      cases.size(), static_cast<int>(args.whole("--jobs", hone::available_cores())),
      static_cast<int>(args.whole("--seconds", 60)), [&](size_t i) { return encoded(cases[i], options); },
      take));
  progress.clear();
  if (!unusable.empty()) return error(Code::unsupported, "%s", unusable.c_str());

  size_t counts[3] = {};
  for (const Case& c : cases) counts[c.outcome]++;
  if (json) {
    Json j = Json::object(), slow = Json::array(), list = Json::array();
    for (const Case* c : slowest(cases)) slow.push(Json::object().set("name", c->name).set("ms", c->ms));
    for (const Case& c : cases) {
      Json one = Json::object();
      one.set("name", c.name).set("outcome", word(c.outcome)).set("ms", c.ms);
      list.push(c.outcome == HONE_PASSED ? one : one.set("reason", c.reason));
    }
    j.set("folder", folder)
        .set("opt", opt)
        .set("reference", options.reference)
        .set("passed", counts[HONE_PASSED])
        .set("failed", counts[HONE_FAILED])
        .set("skipped", counts[HONE_SKIPPED])
        .set("seconds", ms_since(start) / 1000)
        .set("slowest", slow)
        .set("cases", list);
    std::printf("%s\n", j.str().c_str());
  } else {
    if (verbose)
      for (const Case* c : slowest(cases)) std::printf("slow %s: %.0f ms\n", c->name.c_str(), c->ms);
    std::printf("%zu passed, %zu failed, %zu skipped\n", counts[HONE_PASSED], counts[HONE_FAILED],
                counts[HONE_SKIPPED]);
  }
  return counts[HONE_FAILED] ? 3 : 0;
}
}  // namespace

extern const Command command_conform;
const Command command_conform{
    "conform",
    "DIR [options]",
    "Runs ONNX's backend test cases: all folders in DIR, at any depth, with a model.onnx and folders "
    "test_data_set_N of\n"
    "input_K.pb and output_K.pb. Each is built and run in a process of its own, and what comes out is "
    "compared with ONNX's\n"
    "tolerances (docs/conformance.md). Prints what did not pass, with the first element that differs, and "
    "last the counts.\n"
    "If a case failed, the exit code is 3.",
    {"DIR"},
    {{.name = "--opt",
      .kind = Option::choice,
      .value = "default|none",
      .help = "how graphs are optimised; none: not at all"},
     {.name = "--reference", .help = "build no engines: run operators one by one by their definitions"},
     {.name = "--filter",
      .kind = Option::text,
      .value = "PATTERN",
      .help =
          "only cases whose name has this in it; with * ? [] the whole name, or its last part, must match"},
     {.name = "--jobs",
      .letter = 'j',
      .kind = Option::whole,
      .value = "N",
      .help = "cases at a time (default: one for each core)",
      .least = 1,
      .most = 1024},
     {.name = "--threads",
      .letter = 't',
      .kind = Option::whole,
      .value = "N",
      .help = "threads that run a case (default 2)",
      .least = 1,
      .most = 256},
     {.name = "--seconds",
      .kind = Option::whole,
      .value = "N",
      .help = "time for one case, after which it has failed (default 60)",
      .least = 1,
      .most = 86400},
     {.name = "--verbose", .letter = 'v', .help = "print the cases that passed too, and the slowest ones"},
     json_option},
    "hone conform onnx/backend/test/data\n"
    "hone conform onnx/backend/test/data/node --filter 'test_conv*' --opt none",
    run};

}  // namespace cli

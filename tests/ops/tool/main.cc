// onnx_cases DIR [--through reference|plain-engine|engine] [--filter TEXT] [--list] [--jobs N] [--seconds N]
//            [--expect FILE [--update]]
//
// Runs the ONNX test cases below DIR on the reference executor (or through an engine file built without or
// with the optimiser) and prints each failure with its reason. With --expect FILE, the names of the cases
// that are known to pass, only a case in FILE that does not pass makes the exit code 1; --update writes what
// passes now to FILE.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>

#include "base/cpu.h"
#include "ops/onnx_cases.h"

namespace {

int usage() {
  std::fprintf(
      stderr,
      "usage: onnx_cases DIR [--through reference|plain-engine|engine] [--filter TEXT] [--list] [--jobs N]\n"
      "                      [--seconds N] [--expect FILE [--update]]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace hone;
  std::string folder, filter, expect;
  bool list = false, update = false;
  int jobs = available_cores(), seconds = 60;
  Through through = Through::reference;
  for (int i = 1; i < argc; i++) {
    const std::string arg = argv[i];
    const bool more = i + 1 < argc;
    if (arg == "--list") list = true;
    else if (arg == "--update") update = true;
    else if (arg == "--filter" && more) filter = argv[++i];
    else if (arg == "--expect" && more) expect = argv[++i];
    else if (arg == "--through" && more) {
      const std::string name = argv[++i];
      if (name == "reference") through = Through::reference;
      else if (name == "plain-engine") through = Through::plain_engine;
      else if (name == "engine") through = Through::engine;
      else return usage();
    } else if (arg == "--jobs" && more) jobs = std::max(1, std::atoi(argv[++i]));
    else if (arg == "--seconds" && more) seconds = std::max(1, std::atoi(argv[++i]));
    else if (arg[0] != '-' && folder.empty()) folder = arg;
    else return usage();
  }
  if (folder.empty() || (update && expect.empty())) return usage();
  std::vector<Case> cases = find_cases(folder);
  std::erase_if(cases, [&](const Case& c) { return c.name.find(filter) == std::string::npos; });
  if (cases.empty()) {
    std::fprintf(stderr, "onnx_cases: no case (a folder with a model.onnx) below '%s'%s%s\n", folder.c_str(),
                 filter.empty() ? "" : " has a name containing ", filter.c_str());
    return 2;
  }
  if (list) {
    for (const Case& c : cases) std::printf("%s\n", c.name.c_str());
    return 0;
  }
  std::set<std::string> expected;
  if (!expect.empty()) {
    std::ifstream in(expect);
    for (std::string line; std::getline(in, line);)
      if (!line.empty() && line[0] != '#') expected.insert(line);
  }

  const std::vector<CaseResult> results = run_cases(cases, jobs, seconds, through);
  int counts[3] = {}, regressions = 0, gains = 0;
  std::set<std::string> passing = expected;
  for (size_t i = 0; i < cases.size(); i++) {
    const auto& [kind, reason] = results[i];
    counts[kind]++;
    const std::string& name = cases[i].name;
    const bool known = expected.contains(name);
    if (kind == CaseResult::passed) passing.insert(name);
    else passing.erase(name);
    if (!expect.empty() && known && kind != CaseResult::passed) regressions++;
    if (!expect.empty() && !known && kind == CaseResult::passed) gains++;
    // With a list of expectations, failures that it does not know are old news.
    if (kind == CaseResult::passed || (!expect.empty() && !known)) continue;
    std::printf("%s %s: %s\n", kind == CaseResult::failed ? "FAIL" : "SKIP", name.c_str(), reason.c_str());
  }
  if (update) {
    std::ofstream out(expect);
    out << "# ONNX test cases that pass; written by onnx_cases --update.\n";
    for (const std::string& name : passing) out << name << '\n';
    if (!out.flush()) {
      std::fprintf(stderr, "onnx_cases: cannot write '%s'\n", expect.c_str());
      return 1;
    }
  }
  if (gains)
    std::printf("%d cases pass that %s does not list%s\n", gains, expect.c_str(),
                update ? " (added)" : "; add them with --update");
  if (regressions) std::printf("%d cases that used to pass do not\n", regressions);
  std::printf("%d passed, %d failed, %d skipped\n", counts[0], counts[1], counts[2]);
  return expect.empty() ? counts[1] != 0 : regressions != 0;
}

#include <algorithm>
#include <map>

#include "base/json.h"
#include "tool.h"

namespace cli {
namespace {
using hone::Json;

constexpr int most_names = 8;  // in a list

// "Conv '/features/0'", or the operator alone.
std::string label(const Json& j) {
  const std::string& name = j["name"].string();
  return j["op"].string() + (name.empty() ? "" : " '" + name + "'");
}
bool is(const Json& step, const char* how) { return step["how"].string() == how; }
bool reference(const Json& step) { return is(step, "reference"); }

// What stands in the column of kernels; references are marked, so that the eye finds them.
std::string kernel(const Json& step) {
  return is(step, "kernel") ? step["kernel"].string()
         : reference(step)  ? "! reference"
                            : step["how"].string();
}

std::string figure(const Json& number, double unit, const char* format) {
  if (number.is_null()) return "?";
  char text[32];
  std::snprintf(text, sizeof text, format, number.number() / unit);
  return number.number() > 0 ? text : "";
}

// What the optimiser has put into each step.
std::map<int64_t, std::string> merged_into(const Json& explained) {
  std::map<int64_t, std::string> into;
  for (const Json& n : explained["nodes"].items()) {
    if (n["fate"].string() != "merged" || n["step"].is_null()) continue;
    const int64_t step = n["step"].integer();
    const Json& s = explained["steps"].items()[static_cast<size_t>(step)];
    if (n["op"].string() != s["op"].string() || n["name"].string() != s["name"].string())
      into[step] += " + " + n["op"].string();
  }
  return into;
}

void print_steps(const Json& j) {
  const auto into = merged_into(j);
  const double all = j["us"].number();
  std::printf("%10s  %6s  %8s  %9s  %-22s  %s\n", "est. us", "share", "MFLOP", "kB", "kernel", "layer");
  std::string graph;
  int64_t step = 0;  // of the outermost graph: others are not counted
  for (const Json& s : j["steps"].items()) {
    if (s["graph"].string() != graph) {
      graph = s["graph"].string();
      if (!graph.empty()) std::printf("%s\n", ("    in " + graph + ", each time:").c_str());
    }
    std::string share;
    if (s["us"].number() > 0 && all > 0) share = hone::strf("%.1f%%", 100 * s["us"].number() / all);
    std::string what = label(s);
    if (graph.empty())
      if (const auto it = into.find(step++); it != into.end()) what += it->second;
    std::printf("%10s  %6s  %8s  %9s  %-22s  %s%s -> %s\n", figure(s["us"], 1, "%.1f").c_str(), share.c_str(),
                figure(s["flops"], 1e6, "%.2f").c_str(), figure(s["bytes"], 1e3, "%.1f").c_str(),
                kernel(s).c_str(), graph.empty() ? "" : "    ", what.c_str(), s["output"].string().c_str());
  }
}

// Steps of an operator with the same kernel, for the same reasons.
void print_choices(const Json& j) {
  struct Group {
    std::string title;
    const Json* others;
    int steps;
  };
  std::vector<Group> groups;
  std::map<std::string, size_t> index;
  for (const Json& s : j["steps"].items()) {
    if (!is(s, "kernel") && !reference(s) && !is(s, "while running")) continue;
    const std::string title = s["op"].string() + ": " + kernel(s) + ", " + s["why"].string();
    const auto [it, fresh] = index.try_emplace(title + s["others"].str(), groups.size());
    if (fresh) groups.push_back({title, &s["others"], 0});
    groups[it->second].steps++;
  }
  if (groups.empty()) return;
  std::printf("\nWhy this kernel, and no other:\n");
  for (const Group& g : groups) {
    std::printf("  %s (%d step%s)\n", g.title.c_str(), g.steps, g.steps == 1 ? "" : "s");
    for (const Json& o : g.others->items())
      std::printf("      not %s: %s\n", o["kernel"].string().c_str(), o["why"].string().c_str());
  }
}

// One line for each node that went into another's step; of those that need no step at all, one for each reason.
void print_fates(const Json& j) {
  const auto& steps = j["steps"].items();
  std::vector<std::string> lines;
  std::map<std::string, std::pair<size_t, int>> shared;  // line, nodes
  for (const Json& n : j["nodes"].items()) {
    const std::string& fate = n["fate"].string();
    const std::string rule = n["rule"].is_null() ? "" : n["rule"].string() + ": " + n["reason"].string();
    if (fate == "merged" && !n["step"].is_null()) {
      const Json& s = steps[static_cast<size_t>(n["step"].integer())];
      if (label(s) != label(n))
        lines.push_back(label(n) + ": part of " + label(s) + " (" + n["rule"].string() + ")");
    } else if (fate != "runs") {
      const std::string title = fate == "folded"   ? "computed when built"
                                : fate == "unused" ? "left out, as no output needs it"
                                                   : "removed";
      const auto [it, fresh] = shared.try_emplace(title + rule, lines.size(), 0);
      auto& [line, nodes] = it->second;
      if (fresh) lines.push_back(title + (rule.empty() ? "" : " (" + rule + ")") + ":");
      if (nodes++ < most_names) lines[line] += (nodes > 1 ? ", " : " ") + label(n);
    }
  }
  for (const auto& [key, entry] : shared)
    if (entry.second > most_names)
      lines[entry.first] += hone::strf(" and %d more", entry.second - most_names);
  if (lines.empty()) return;
  std::printf("\nNodes of the model that are no steps of their own:\n");
  for (const std::string& line : lines) std::printf("  %s\n", line.c_str());
}

void print_supported(const Json& j) {
  print_steps(j);
  print_choices(j);
  print_fates(j);
  std::printf("\n");
  if (!j["note"].is_null()) std::printf("Shapes are not known: %s\n", j["note"].string().c_str());
  const Json& assumed = j["assumed_shapes"];
  for (size_t i = 0; i < assumed.keys().size(); i++) {
    std::vector<int64_t> dims;
    for (const Json& d : assumed.items()[i].items()) dims.push_back(d.integer());
    std::printf("Input '%s' is open; its shape was taken for %s (--shape says otherwise)\n",
                assumed.keys()[i].c_str(), shape_text(dims).c_str());
  }
  const double us = j["us"].number(), slow = j["reference_us"].number();
  const int64_t references = j["reference_steps"].integer(), unknown = j["unknown_steps"].integer();
  std::printf("Supported. Estimated %.3f ms on %s, %lld thread%s (%.0f GFLOP/s, %.0f GB/s)", us / 1000,
              j["isa"].string().c_str(), static_cast<long long>(j["threads"].integer()),
              j["threads"].integer() == 1 ? "" : "s", j["machine"]["gflops"].number(),
              j["machine"]["gbytes"].number());
  if (unknown > 0)
    std::printf("; %lld step%s whose shapes are not known beforehand %s not counted",
                static_cast<long long>(unknown), unknown == 1 ? "" : "s", unknown == 1 ? "is" : "are");
  std::printf("\n");
  if (references == 0) {
    std::printf("Every step has a kernel.\n");
    return;
  }
  std::map<std::string, int> ops;
  for (const Json& s : j["steps"].items())
    if (reference(s)) ops[s["op"].string()]++;
  std::string list;
  for (const auto& [op, n] : ops)
    list += (list.empty() ? "" : ", ") + op + (n > 1 ? hone::strf(" (%d)", n) : "");
  std::printf("! %lld step%s by a reference kernel, %.1f%% of the estimated time: %s\n",
              static_cast<long long>(references), references == 1 ? " runs" : "s run",
              us > 0 ? 100 * slow / us : 0, list.c_str());
}

void print_problems(const Json& j) {
  const auto& nodes = j["nodes"].items();
  const auto& problems = j["problems"].items();
  std::map<std::string, std::pair<int, int>> ops;  // nodes, and how many of them are supported
  std::vector<std::string> order;
  for (const Json& n : nodes) {
    const std::string op = n["op"].string();
    if (!ops.count(op)) order.push_back(op);
    ops[op].first++;
    ops[op].second += n["supported"].boolean();
  }
  std::printf("%7s  %-13s  %s\n", "nodes", "supported", "operator");
  for (const std::string& op : order) {
    const auto [all, good] = ops[op];
    const std::string answer = good == all ? "yes" : good == 0 ? "! no" : hone::strf("! %d of %d", good, all);
    std::printf("%7d  %-13s  %s\n", all, answer.c_str(), op.c_str());
  }
  std::printf("\nNot supported, for %zu reason%s:\n", problems.size(), problems.size() == 1 ? "" : "s");
  for (const Json& p : problems) {
    const int64_t others = p["nodes"].integer() - 1;
    std::printf("  %s: %s%s\n", p["node"].string().c_str(), p["reason"].string().c_str(),
                others > 0 ? hone::strf(" (and %lld more)", static_cast<long long>(others)).c_str() : "");
    std::printf("      fix: %s\n", p["fix"].string().c_str());
  }
}

hone::Result<int> run(const Args& args) {
  const std::string& path = args.positional(0);
  HONE_TRY(const auto explained, explain(path, args));
  HONE_TRY(Json j, Json::parse(explained.json));
  if (args.has("--json")) std::printf("%s\n", explained.json.c_str());
  else if (explained.supported) print_supported(j);
  else print_problems(j);
  if (explained.supported) return 0;
  const size_t n = j["problems"].items().size();
  return hone::error(hone::Code::unsupported, "%s: not supported, for %zu reason%s", path.c_str(), n,
                     n == 1 ? "" : "s");
}
}  // namespace

extern const Command command_explain;
const Command command_explain{"explain",
                              "MODEL|ENGINE [options]",
                              "Tells for each node of a model, or of an engine file, whether it can run, by "
                              "which kernel, at what estimated\n"
                              "cost on this machine, why by no faster one, and what the optimiser has put it "
                              "into. What only a reference\n"
                              "kernel runs is marked with '!'. Of a model that cannot run, all reasons are "
                              "given at once, each with the\n"
                              "nearest remedy; the exit code is then 1.",
                              {"MODEL"},
                              {{.name = "--shape",
                                .kind = Option::shape,
                                .value = "NAME=1x3x224x224",
                                .help = "shape of an input (open dimensions are 1 otherwise)",
                                .repeats = true},
                               {.name = "--opt",
                                .kind = Option::choice,
                                .value = "none|default",
                                .help = "none: the model's graph as it is"},
                               {.name = "--disable",
                                .kind = Option::text,
                                .value = "PASS",
                                .help = "leave out a pass of the optimiser",
                                .repeats = true},
                               json_option},
                              "hone explain yolo.onnx\n"
                              "hone explain net.onnx --shape images=1x3x320x320 --opt none\n"
                              "hone explain net.hone --json",
                              run};

}  // namespace cli

// Trained model -> EngineData: import, optimise, lower. The file is written by engine/write.h; in memory the
// same data can be run at once (runtime/engine.h).
#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/program.h"
#include "import/import.h"

namespace hone {

struct BuildOptions {
  std::map<std::string, Shape> shapes;  // input name -> shape, in place of the model's own
  std::string precision = "fp32";       // the only one so far
  bool optimise = true;                 // false: the plan is the imported graph as it is (--opt none)
  std::set<std::string> disabled;  // passes left out; unknown names are refused with the list of known ones
  std::set<std::string>
      dump_after;  // passes after which `dump` gets the graph as text; "import" and "all" too
  std::function<void(const std::string& pass, const std::string& text)> dump;
  std::function<void(const std::string& line)> log;
  std::function<void(double fraction, const std::string& what)> progress;  // fraction of the whole in [0, 1]
  std::function<bool()> cancelled;  // true stops the build with Code::cancelled
  ImportSurvey* survey = nullptr;   // import.h
};

struct PassTime {
  std::string pass;
  double ms = 0;
  int changes = 0;
};
// What became of a node of the model (of its outermost graph, once local functions and decompositions are
// expanded).
struct NodeFate {
  enum class Kind : uint8_t {
    runs,     // as it was, or rewritten for itself alone
    merged,   // it and others became one step
    removed,  // another step's output, or an input, takes its place
    folded,   // computed when building
    unused    // no output needs it
  };
  std::string op, domain, name, label;
  Kind kind = Kind::runs;
  int step = -1;             // of the generic plan; runs, merged, removed (there -1: an input)
  std::string rule, reason;  // of the last change; "" where nothing changed
};
struct BuildReport {
  std::vector<PassTime> passes;
  std::vector<std::string> notes;  // one line per change made to the graph: rule, reason, node
  std::vector<NodeFate> nodes;
};

Result<EngineData> build_engine(const std::string& model_path, const BuildOptions& = {},
                                BuildReport* = nullptr);
Result<EngineData> build_engine(const ModelBytes&, const BuildOptions& = {}, BuildReport* = nullptr);

// What the importer makes of a model, as text (ir/text.h).
Result<std::string> describe_model(const std::string& model_path, const ImportOptions& = {});

// Graph in memory -> EngineData; `original` is optimised in place.
Result<EngineData> build_engine(std::shared_ptr<ir::Graph> original, const BuildOptions& = {},
                                BuildReport* = nullptr);

}  // namespace hone

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/json.h"
#include "base/npy.h"
#include "compare.h"
#include "tool.h"

namespace cli {
namespace {
namespace fs = std::filesystem;
using hone::Code;
using hone::error;

// Input index -> file, from NAME=FILE; an input may omit its name where only one is without a file.
hone::Result<std::map<size_t, std::string>> assign(const std::vector<hone::api::ValueInfo>& inputs,
                                                   const Args& args) {
  std::vector<std::string> names, unnamed;
  for (const auto& i : inputs) names.push_back(i.name);
  std::map<size_t, std::string> files;
  for (const std::string& given : args.all("--input")) {
    // Names may contain '=' and so may files: the longest name that is an input's wins.
    size_t best = names.size();
    for (size_t i = 0; i < names.size(); i++)
      if (given.rfind(names[i] + "=", 0) == 0 &&
          (best == names.size() || names[i].size() > names[best].size()))
        best = i;
    if (best < names.size()) {
      if (!files.emplace(best, given.substr(names[best].size() + 1)).second)
        return error(Code::invalid_argument, "input '%s' is given twice", names[best].c_str());
      continue;
    }
    const size_t eq = given.find('=');
    std::error_code ignored;
    if (eq != std::string::npos && !fs::exists(given, ignored)) {
      std::string list;
      for (const auto& i : inputs) list += (list.empty() ? "'" : ", '") + i.name + "' (" + info_text(i) + ")";
      return error(Code::not_found, "the engine has no input '%s'; it has %s", given.substr(0, eq).c_str(),
                   list.c_str());
    }
    unnamed.push_back(given);
  }
  if (unnamed.size() > 1)
    return error(Code::invalid_argument, "%zu inputs are given without a name; write --input NAME=FILE",
                 unnamed.size());
  for (size_t i = 0; i < inputs.size(); i++) {
    if (files.count(i)) continue;
    if (!unnamed.empty()) {
      files[i] = unnamed.back();
      unnamed.pop_back();
    } else if (inputs[i].kind != HONE_OPTIONAL) {
      return error(Code::invalid_argument, "input '%s' (%s) is missing: --input %s=FILE.npy",
                   names[i].c_str(), info_text(inputs[i]).c_str(), names[i].c_str());
    }
  }
  if (!unnamed.empty())
    return error(Code::invalid_argument, "all inputs have a file already; %s is left over",
                 unnamed[0].c_str());
  return files;
}

// One line about a tensor, for people.
std::string summary(const hone::Tensor& t) {
  const std::string head =
      std::string(dtype_name(t.dtype())) + " " + shape_text({t.shape().begin(), t.shape().end()});
  const auto values = to_doubles(t);
  if (!values || values->empty()) return head;
  const auto [least, greatest] = std::minmax_element(values->begin(), values->end());
  double sum = 0;
  for (double v : *values) sum += v;
  return head + hone::strf("  min %g  max %g (at %td)  mean %g", *least, *greatest,
                           greatest - values->begin(), sum / static_cast<double>(values->size()));
}

std::string file_name(const std::string& output, size_t index) {
  std::string name = output.empty() ? "output" + std::to_string(index) : output;
  std::replace(name.begin(), name.end(), '/', '_');
  return name + ".npy";
}

hone::Result<int> run(const Args& args) {
  HONE_TRY(const Loaded loaded, load(args.positional(0), args));
  const auto inputs = loaded.engine.inputs(), outputs = loaded.engine.outputs();
  HONE_TRY(const auto files, assign(inputs, args));
  const std::string folder = args.text("--output-dir");
  std::map<std::string, std::string> written;  // file -> output
  for (size_t i = 0; i < outputs.size(); i++)
    if (const auto [it, fresh] = written.emplace(file_name(outputs[i].name, i), outputs[i].name);
        !fresh && !folder.empty())
      return error(Code::unsupported, "outputs '%s' and '%s' would both be written to %s", it->second.c_str(),
                   outputs[i].name.c_str(), it->first.c_str());

  hone::api::SessionOptions options;
  options.threads = static_cast<int>(args.whole("--threads", 0));
  options.memory = args.bytes("--memory", 0);
  options.cancelled = interrupted;
  HONE_TRY(auto session, lift(loaded.engine.session(options)));
  std::vector<hone::Tensor> held;
  for (const auto& [i, file] : files) {
    HONE_TRY(const hone::Tensor raw, hone::read_npy(file));
    auto t = as_type(raw, static_cast<hone::DType>(inputs[i].dtype));
    if (!t) return hone::in(file + ": input '" + inputs[i].name + "'", t.take_error());
    held.push_back(*t);
    if (auto s = bind(session, i, held.back()); !s) return hone::in(file, s.take_error());
  }
  const auto start = Clock::now();
  HONE_CHECK(lift(session.run()));
  const double ms = ms_since(start);

  if (!folder.empty()) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed)
      return error(Code::io, "%s: cannot create the folder: %s", folder.c_str(), failed.message().c_str());
  }
  hone::Json list = hone::Json::array();
  for (size_t i = 0; i < outputs.size(); i++) {
    const std::string& name = outputs[i].name;
    HONE_TRY(const auto view, lift(session.output(i)));
    auto t = tensor_of(view);
    if (!t) return hone::in("output '" + name + "'", t.take_error());
    hone::Json j = hone::Json::object(), shape = hone::Json::array();
    for (hone::Dim d : t->shape()) shape.push(d);
    j.set("name", name).set("dtype", dtype_name(t->dtype())).set("shape", shape);
    std::string file;
    if (!folder.empty()) {
      file = (fs::path(folder) / file_name(name, i)).string();
      HONE_CHECK(hone::write_npy(file, t->view()));
      j.set("file", file);
    }
    list.push(j);
    if (!args.has("--json"))
      std::printf("%s: %s%s\n", name.c_str(), summary(*t).c_str(),
                  file.empty() ? "" : (" -> " + file).c_str());
  }
  if (args.has("--json")) {
    hone::Json j = hone::Json::object();
    j.set("outputs", list).set("ms", ms).set("threads", session.threads());
    std::printf("%s\n", j.str().c_str());
  }
  return 0;
}
}  // namespace

extern const Command command_run;
const Command command_run{
    "run",
    "ENGINE|MODEL --input NAME=FILE.npy ... [--output-dir DIR] [options]",
    "Runs once. Each output goes to DIR/<output name>.npy ('/' in names becomes '_'); without DIR it is only "
    "summed up.\n"
    "One input may omit its name.",
    {"ENGINE"},
    with_build_options({{.name = "--input",
                         .letter = 'i',
                         .kind = Option::text,
                         .value = "[NAME=]FILE.npy",
                         .help = "an input",
                         .repeats = true},
                        {.name = "--output-dir",
                         .letter = 'o',
                         .kind = Option::text,
                         .value = "DIR",
                         .help = "where the outputs go"},
                        threads_option,
                        memory_option,
                        json_option}),
    "hone run mobilenet.hone --input image.npy --output-dir out\n"
    "hone run pair.onnx --input left=a.npy --input right=b.npy --output-dir out --threads 2",
    run};

}  // namespace cli

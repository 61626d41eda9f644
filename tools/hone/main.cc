// hone: the one command. Everything it does goes through the public interface.
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "args.h"
#include "tool.h"

#ifdef HONE_VISION
#include "imageio/imageio.h"
#define PICTURE_COMMAND COMMAND
#else
#define PICTURE_COMMAND(name, summary)
#endif

namespace cli {
#define COMMAND(name, summary) extern const Command command_##name;
#include "commands.def"
#undef COMMAND

namespace {
struct Entry {
  const Command* command;
  const char* summary;
};
const std::vector<Entry>& commands() {
  static const std::vector<Entry> list = {
#define COMMAND(name, summary) {&command_##name, summary},
#include "commands.def"
#undef COMMAND
  };
  return list;
}

void print_usage(FILE* to) {
  std::fprintf(
      to,
      "usage: hone COMMAND ...\n\nHone %s turns trained models (ONNX) into engine files and runs them.\n\n",
      hone_version());
  for (const Entry& e : commands()) std::fprintf(to, "  %-8s  %s\n", e.command->name, e.summary);
  std::fprintf(
      to, "\nhone COMMAND --help says more, with examples. Wherever an engine stands, a model will do.\n");
}

int run(const std::vector<std::string>& words) {
  if (words.empty()) {
    print_usage(stderr);
    return 2;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_usage(stdout);
    return 0;
  }
  if (words[0] == "--version") {
    std::printf("hone %s\n", hone_version());
    return 0;
  }
  std::vector<std::string> names;
  for (const Entry& e : commands()) {
    names.push_back(e.command->name);
    if (words[0] != e.command->name) continue;
    Command command = *e.command;
    command.options.push_back(plugin_option);
    const Parsed parsed = parse(command, {words.begin() + 1, words.end()});
    if (!parsed.args) return parsed.exit_code;
    catch_interrupt();
    for (const std::string& plugin : parsed.args->all("--plugin"))
      if (const auto ok = hone::api::load_plugin(plugin); !ok) {
        std::fprintf(stderr, "hone %s: %s\n", e.command->name, ok.error().what());
        return 1;
      }
    const auto code = e.command->run(*parsed.args);
    if (code) return *code;
    std::fflush(stdout);
    std::fprintf(stderr, "hone %s: %s\n", e.command->name, code.error().message.c_str());
    return 1;
  }
  const std::string near = nearest(words[0], names);
  std::fprintf(stderr, "hone: unknown command '%s'%s (hone --help)\n", words[0].c_str(),
               near.empty() ? "" : ("; did you mean '" + near + "'?").c_str());
  return 2;
}
}  // namespace
}  // namespace cli

int main(int argc, char** argv) {
  int code = 1;
  try {
#ifdef HONE_VISION
    hone::imageio::serve_models();
#endif
    code = cli::run({argv + 1, argv + argc});
  } catch (const std::exception& e) { std::fprintf(stderr, "hone: %s\n", e.what()); }
  // What was printed may only now meet a full disk.
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    std::fprintf(stderr, "hone: cannot write to standard output: %s\n", std::strerror(errno));
    return code ? code : 1;
  }
  return code;
}

#include <dlfcn.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "plugin/guard.h"
#include "plugin/op.h"
#include "plugin/plugin.h"

namespace hone {
namespace {

constexpr size_t max_ops = 1000;  // of one plugin

// A library that is closed again unless kept.
struct Library {
  void* handle = nullptr;
  explicit Library(void* h) : handle(h) {}
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (handle) dlclose(handle);
  }
};

struct Loaded {
  std::mutex mutex;
  std::vector<void*> handles;
  std::vector<const PluginOp*> ops;
  bool environment_done = false;
};
Loaded& loaded() {
  static auto* const state = new Loaded;  // operators outlive static destructors
  return *state;
}

Result<std::string> absolute(const std::string& path) {
  HONE_TRY(const auto file, MappedFile::open(path));  // its errors say what is wrong with the path
  const auto bytes = file->bytes();
  if (bytes.size() < 4 || std::memcmp(bytes.data(), "\177ELF", 4) != 0)
    return error(Code::invalid_argument, "it is no shared library");
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), &std::free);
  if (!real) return error(Code::io, "%s", std::strerror(errno));
  return std::string(real.get());
}

Result<std::vector<std::unique_ptr<PluginOp>>> read_table(const hone_plugin& table, const std::string& path) {
  if (table.abi != HONE_PLUGIN_ABI)
    return error(Code::unsupported,
                 "it was made for version %u of plugin.h, this library has version %u: compile it with the "
                 "plugin.h of this library",
                 table.abi, static_cast<unsigned>(HONE_PLUGIN_ABI));
  if (table.op_count == 0 || !table.ops) return error(Code::invalid_argument, "it has no operators");
  if (table.op_count > max_ops)
    return error(Code::limit, "it claims %zu operators; at most %zu are allowed", table.op_count, max_ops);
  std::vector<std::unique_ptr<PluginOp>> ops;
  for (size_t i = 0; i < table.op_count; i++) {
    ops.push_back(std::make_unique<PluginOp>());
    if (auto ok = make_op(table.ops[i], path, *ops.back()); !ok) {
      const char* name = table.ops[i].name;
      return in(name && *name ? strf("operator '%.100s'", name) : strf("operator %zu", i), ok.take_error());
    }
  }
  return ops;
}

Status load(const std::string& path) {
  HONE_TRY(const std::string file, absolute(path));
  Library library(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!library.handle) {
    const char* why = dlerror();
    return error(Code::io, "%s", why ? why : "it cannot be loaded");
  }
  for (void* h : loaded().handles)
    if (h == library.handle) return {};
  const auto entry = reinterpret_cast<const hone_plugin* (*)()>(dlsym(library.handle, "hone_plugin_entry"));
  if (!entry)
    return error(Code::invalid_argument, "it is no plugin: there is no function hone_plugin_entry in it");
  const hone_plugin* table = nullptr;
  HONE_CHECK(guard("hone_plugin_entry", [&] { table = entry(); }));
  if (!table) return error(Code::invalid_argument, "hone_plugin_entry returned NULL");
  HONE_TRY(auto ops, read_table(*table, path));
  std::vector<const OpDef*> list;
  for (const auto& op : ops) {
    for (const PluginOp* other : loaded().ops)
      if (op->name_text == other->name_text && op->domain_text == other->domain_text)
        return error(Code::invalid_argument, "operator %s of domain '%s' is there already, from plugin '%s'",
                     op->name, op->domain, other->plugin.c_str());
    list.push_back(op.get());
  }
  loaded().handles.reserve(loaded().handles.size() + 1);
  loaded().ops.reserve(loaded().ops.size() + ops.size());
  HONE_CHECK(add_ops(list));
  for (auto& op : ops) loaded().ops.push_back(op.release());  // for ever, as the registry has them
  loaded().handles.push_back(library.handle);
  library.handle = nullptr;
  return {};
}

Status load_locked(const std::string& path) {
  if (auto ok = load(path); !ok) return in("plugin '" + path + "'", ok.take_error());
  return {};
}

}  // namespace

Status load_plugin(const std::string& path) {
  std::lock_guard lock(loaded().mutex);
  return load_locked(path);
}

Status load_environment_plugins() {
  std::lock_guard lock(loaded().mutex);
  if (loaded().environment_done) return {};
  const char* given = secure_getenv("HONE_PLUGINS");
  for (std::string_view rest = given ? given : ""; !rest.empty();) {
    const size_t end = std::min(rest.find(':'), rest.size());
    if (end > 0)
      if (auto ok = load_locked(std::string(rest.substr(0, end))); !ok)
        return in("HONE_PLUGINS", ok.take_error());
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  loaded().environment_done = true;
  return {};
}

}  // namespace hone

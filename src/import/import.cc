#include "import/import.h"

#include <filesystem>

#include "base/mapped_file.h"
#include "import/quote.h"

namespace hone {
namespace {

// What a file that is no model is, for the message: people hand over the wrong file far more often than a
// damaged one.
std::string describe_start(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  struct Known {
    std::string_view magic;
    const char* what;
  };
  static constexpr Known known_formats[] = {
      {"%PDF", "%PDF (a PDF document)"},
      {"\xff\xd8\xff", "the bytes ff d8 ff (a JPEG image)"},
      {"\x89PNG", "\\x89PNG (a PNG image)"},
      {"\x7f"
       "ELF",
       "\\x7fELF (a program)"},
      {"PK\x03\x04", "PK (a zip archive, perhaps a PyTorch model; export it to ONNX)"},
      {"version https://git-lfs",
       "'version https://git-lfs' (a Git LFS pointer; fetch the real file with 'git lfs pull')"},
      {"HONE", "'HONE' (an engine file)"},
  };
  for (const Known& k : known_formats)
    if (text.starts_with(k.magic)) return k.what;
  return quote(text.substr(0, 8));
}

}  // namespace

Result<std::shared_ptr<ir::Graph>> import_model(const std::string& path, const ImportOptions& options) {
  HONE_TRY(const auto file, MappedFile::open(path));
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const ModelBytes model{file->bytes(), file};
#define IMPORTER(name, title, looks_like, import)                                \
  if (looks_like(model.bytes)) {                                                 \
    auto graph = import(model, folder.empty() ? "." : folder.string(), options); \
    if (!graph) return in("'" + path + "'", graph.take_error());                 \
    return graph;                                                                \
  }
#include "import/importers.def"
#undef IMPORTER
  std::string titles;
#define IMPORTER(name, title, looks_like, import) titles += std::string(titles.empty() ? "" : " or ") + title;
#include "import/importers.def"
#undef IMPORTER
  return error(Code::corrupt, "'%s' is not an %s model: it starts with %s", path.c_str(), titles.c_str(),
               describe_start(model.bytes).c_str());
}

}  // namespace hone

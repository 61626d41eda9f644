#include "vision/pictures.h"

#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace cli {
namespace {
namespace fs = std::filesystem;
using hone::Code;
using hone::error;

std::string extension_of(const std::string& path) {
  std::string e = fs::path(path).extension().string();
  for (char& c : e) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return e;
}

hone::Result<std::vector<std::string>> expand(const std::string& pattern) {
  glob_t found{};
  const int failed = ::glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + (failed ? 0 : found.gl_pathc));
  ::globfree(&found);
  if (failed && failed != GLOB_NOMATCH)
    return error(Code::io, "%s: the folders of the pattern cannot be read", pattern.c_str());
  if (paths.empty()) return error(Code::not_found, "%s: no file is called like this", pattern.c_str());
  return paths;
}

// The folder for a file to be written.
hone::Status make_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed)
    return error(Code::io, "%s: cannot create the folder: %s", folder.c_str(), failed.message().c_str());
  if (!fs::is_directory(folder, failed))
    return error(Code::io, "%s: is no folder; choose another name", folder.c_str());
  if (::access(folder.c_str(), W_OK) != 0)
    return error(Code::io, "%s: no permission to write in the folder", folder.c_str());
  return {};
}
}  // namespace

bool is_picture_name(const std::string& path) {
  static const std::set<std::string> known = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".ppm",
                                              ".pgm", ".pnm",  ".tif", ".tiff", ".jp2", ".j2k"};
  return known.count(extension_of(path)) > 0;
}

hone::Result<std::vector<PictureFile>> pictures_in(const std::string& folder, bool recursive) {
  std::vector<PictureFile> found;
  std::vector<fs::path> folders = {folder};
  while (!folders.empty()) {
    const fs::path at = folders.back();
    folders.pop_back();
    std::error_code failed;
    for (fs::directory_iterator it(at, failed), end; !failed && it != end; it.increment(failed)) {
      const fs::path path = it->path();
      std::error_code ignored;
      if (path.filename().string()[0] == '.') continue;
      if (it->is_directory(ignored)) {
        // Links to folders could lead round in a circle.
        if (recursive && !it->is_symlink(ignored)) folders.push_back(path);
      } else if (is_picture_name(path.string())) {
        found.push_back({path.string(), path.lexically_relative(folder).string()});
      }
    }
    if (failed) return error(Code::io, "%s: %s", at.c_str(), failed.message().c_str());
  }
  std::sort(found.begin(), found.end(),
            [](const PictureFile& a, const PictureFile& b) { return a.path < b.path; });
  return found;
}

hone::Result<std::vector<PictureFile>> find_pictures(const std::vector<std::string>& words, bool recursive) {
  std::vector<PictureFile> found;
  for (const std::string& word : words) {
    std::error_code ignored;
    std::vector<std::string> paths = {word};
    if (!fs::exists(word, ignored) && word.find_first_of("*?[") != std::string::npos) {
      HONE_TRY(paths, expand(word));
    }
    for (const std::string& path : paths) {
      if (!fs::is_directory(path, ignored)) {
        found.push_back({path, fs::path(path).filename().string()});
        continue;
      }
      HONE_TRY(const auto inside, pictures_in(path, recursive));
      if (inside.empty())
        return error(Code::not_found, "%s: no pictures in this folder%s", path.c_str(),
                     recursive ? "" : " (--recursive looks into those below it too)");
      found.insert(found.end(), inside.begin(), inside.end());
    }
  }
  std::set<std::string> seen;
  std::erase_if(found, [&](const PictureFile& p) { return !seen.insert(p.path).second; });
  return found;
}

hone::Result<std::vector<std::string>> place_outputs(const std::vector<PictureFile>& pictures,
                                                     const std::string& target,
                                                     const std::vector<std::string>& formats) {
  std::error_code ignored;
  std::vector<std::string> outputs;
  const bool one = pictures.size() == 1 && fs::path(target).has_extension() &&
                   !fs::is_directory(target, ignored) && target.back() != '/';
  std::map<std::string, std::string> taken;
  for (const PictureFile& p : pictures) {
    fs::path to = target;
    if (!one) {
      to /= p.name;
      if (std::find(formats.begin(), formats.end(), extension_of(p.name)) == formats.end())
        to.replace_extension(formats[0]);
    }
    if (one && std::find(formats.begin(), formats.end(), extension_of(target)) == formats.end())
      return error(Code::invalid_argument, "%s: is to be written, but not in this format; end the name in %s",
                   target.c_str(), formats[0].c_str());
    const auto [it, fresh] = taken.emplace(to.lexically_normal().string(), p.path);
    if (!fresh)
      return error(Code::invalid_argument, "%s and %s would both be written to %s: take them one by one",
                   it->second.c_str(), p.path.c_str(), to.c_str());
    outputs.push_back(to.string());
  }
  for (const std::string& to : outputs) {
    if (!fs::exists(to, ignored)) continue;
    for (const PictureFile& p : pictures)
      if (fs::equivalent(p.path, to, ignored))
        return error(Code::invalid_argument,
                     "%s: would be replaced by what is made of it; choose another name", p.path.c_str());
  }
  std::set<fs::path> folders;
  for (const std::string& to : outputs)
    folders.insert(fs::path(to).has_parent_path() ? fs::path(to).parent_path() : fs::path("."));
  for (const fs::path& folder : folders) HONE_CHECK(make_folder(folder));
  return outputs;
}

}  // namespace cli

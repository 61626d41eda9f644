// Picture files named on a command line, and where what is made of them goes.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"

namespace cli {

struct PictureFile {
  std::string path;
  std::string name;   // below the folder that was given, else the file's name: what it is called elsewhere
  std::string bytes;  // of a picture that an engine carries; path is then for people
};

// Words are files (taken whatever they are, so that a broken one is told when it is read), folders (all files
// in them that are called like pictures, sorted; `recursive`: in folders below too) and patterns of glob(3).
// Errors: a folder or pattern without pictures.
hone::Result<std::vector<PictureFile>> find_pictures(const std::vector<std::string>& words, bool recursive);
// Whether a file is called like a picture that Hone reads.
bool is_picture_name(const std::string& path);
// The picture files in a folder, as find_pictures has them; none is no error.
hone::Result<std::vector<PictureFile>> pictures_in(const std::string& folder, bool recursive);

// The file for each picture, in order. `target` is a file if there is one picture and target's name has an
// extension, else a folder, which is created, for files called as the pictures are. `formats`: extensions
// that are kept, the first in place of others. Errors: a folder that cannot be made or written to, two
// pictures of one name, a picture that would be replaced.
hone::Result<std::vector<std::string>> place_outputs(const std::vector<PictureFile>&,
                                                     const std::string& target,
                                                     const std::vector<std::string>& formats);

}  // namespace cli

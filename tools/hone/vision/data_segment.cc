#include <filesystem>

#include "vision/data.h"
#include "vision/pictures.h"

namespace cli {
namespace fs = std::filesystem;
using hone::Code;
using hone::error;

hone::Result<DataSet> read_masks(const DataPlace& place, const hone::vision::Task&) {
  auto folders = place.labels.empty() ? folders_called(place.folder, {"labels", "masks"})
                                      : std::vector<std::string>{place.labels};
  HONE_TRY(const auto pictures, pictures_in(folder_of_images(place.folder), true));
  for (const std::string& folder : folders) {
    DataSet data{fs::path(folder).filename().string() + "/*.png", {}};
    for (const PictureFile& p : pictures) {
      const std::string mask = (fs::path(folder) / p.name).replace_extension(".png").string();
      if (std::error_code ignored; !fs::exists(mask, ignored)) continue;
      data.samples.push_back(sample_of_file(p.name, p.path));
      data.samples.back().mask = mask;
    }
    if (!data.samples.empty()) return data;
  }
  return error(
      Code::not_found,
      "%s: no labelled pictures; there must be images/, and labels/ or masks*/ with an 8-bit PNG of class "
      "indices for each, of the same name",
      place.folder.c_str());
}

}  // namespace cli

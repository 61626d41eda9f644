#include "import/import.h"
#include "import/onnx/builder.h"
#include "import/onnx/fields.h"

namespace hone {
namespace {

using onnx::Text;

Text text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The wire type of each field of ModelProto; -1: there is no such field.
int wire_type(unsigned field) {
  switch (field) {
    case 1:
    case 5:
      return 0;
    case 2:
    case 3:
    case 4:
    case 6:
    case 7:
    case 8:
    case 14:
    case 20:
    case 25:
    case 26:
      return 2;
    default:
      return -1;
  }
}

}  // namespace

// ONNX files have no magic number. Nearly all begin with their IR version, a small number; the others must be
// a row of ModelProto's fields with a graph among them.
bool looks_like_onnx(std::span<const std::byte> bytes) {
  if (bytes.size() >= 2 && bytes[0] == std::byte{0x08} && bytes[1] > std::byte{0} &&
      bytes[1] < std::byte{0x80})
    return true;
  onnx::Cursor cursor{text_of(bytes).data(), text_of(bytes).data()};
  bool graph = false;
  (void)onnx::guarded(cursor, [&]() -> Status {
    protozero::pbf_reader reader(text_of(bytes).data(), bytes.size());
    for (bool known = true; known && reader.next(); reader.skip()) {
      known = static_cast<int>(reader.wire_type()) == wire_type(reader.tag());
      graph = known && (graph || reader.tag() == 7);
    }
    return {};
  });
  return graph;
}

Result<std::shared_ptr<ir::Graph>> import_onnx(const ModelBytes& model, const std::string& folder,
                                               const ImportOptions& options) {
  HONE_TRY(const onnx::ModelP message, onnx::read_model(text_of(model.bytes), options.limits));
  if (!message.has_graph)
    return error(Code::corrupt, "the model contains no graph; the file is truncated or not a model");
  HONE_TRY(const onnx::Library library, onnx::Library::check(message, options));
  if (message.training_infos && options.log) options.log("the model's training information is ignored");
  onnx::ExternalData external(folder);
  return onnx::Builder(message, library, {model.owner, &external}, options).build();
}

}  // namespace hone

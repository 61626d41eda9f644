// Raw: the outputs are the answer, and whoever runs the network reads them.
#include "vision/decode/common.h"

namespace hone::vision {

Decoder decoder_raw() {
  return {"raw",
          TaskKind::raw,
          "nothing is decoded: the outputs are the answer",
          {},
          [](const DecodeContext& context, std::span<const Output>, Results&) -> Status {
            return decoding::check_roles(context, {});
          }};
}

}  // namespace hone::vision

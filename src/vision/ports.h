// Inputs and outputs of an engine as the task sees them.
#pragma once
#include <string>

#include "vision/guess.h"

namespace hone::vision {

// "f32[1,3,?,?]"; "f32" and nothing more without a rank.
std::string port_type(const PortInfo&);
// "output 'scores' is f32[1,1000]".
std::string port_is(const char* kind, const PortInfo&);
std::string list_ports(const std::vector<PortInfo>&);  // "'a' f32[1,2], 'b' f32[1,4]"

// Channels, height and width of a picture's input, -1 where free. Errors: not of the shape of a picture.
struct PictureShape {
  Layout layout = Layout::nchw;
  int64_t channels = 0, height = 0, width = 0;
  bool layout_certain = true;  // false: both ends could be the channels
};
// `channels`: 1 or 3, what the task expects; 0: either.
Result<PictureShape> picture_shape(const PortInfo&, int channels);

}  // namespace hone::vision

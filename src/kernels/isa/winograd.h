// The outer steps of 3x3 convolution at stride 1 after Winograd, for channels-last maps: F(m x m, 3 x 3),
// m = 2 or 4. With n = m + 2, an m x m tile of outputs is
//   Y = A^T [ (G g G^T) * (B^T d B^T^T) ] A,    * element by element and summed over input channels,
// where d is the n x n patch of inputs under the tile (Lavin & Gray, "Fast Algorithms for Convolutional Neural
// Networks", 2015, arXiv:1509.09308). The sum over channels is one matrix product for each of the n * n
// elements ("points"), done by isa/gemm.h between `input` and `output`.
//
// Of the matrices, which interpolate a polynomial at 0, +-p, (+-q,) infinity:
//   m = 4: p = 5/8, q = 3/2;  m = 2: p = 1.
// Points of such magnitudes keep the powers in A and B small, and no coefficient of A and B is rounded.
//
// Error on random data in [-1, 1), as a share of the largest output, with 64 to 512 channels:
//                     largest error      root mean square
//   m = 4             1.5e-6 to 5.1e-6   1.7e-7 to 5.1e-7
//   m = 2             0.3e-6 to 1.0e-6   0.6e-7 to 1.8e-7
//   plain summation   0.8e-6 to 2.8e-6   0.9e-7 to 3.1e-7
// At the usual points of m = 4, +-1 and +-2, the mean would be 2.5 times as large and the largest up to 4 times.
// An infinity or NaN in the input reaches all outputs of the tiles that see it.
#pragma once
#include <cstdint>

#include "kernels/isa/unary.h"

namespace hone {

// The following are indexed by m.

// Errors stay within this share of the largest sum of magnitudes |w x| behind any output (measured for m = 4:
// 3.7e-7).
inline constexpr float winograd_error[5] = {0, 0, 3e-7f, 0, 1e-6f};
inline constexpr double winograd_p[5] = {0, 0, 1, 0, 0.625};
inline constexpr double winograd_q[5] = {0, 0, 0, 0, 1.5};

struct WinogradTile {
  const float* in = nullptr;  // where the patch starts: inside the map or, at edges, beyond it
  float* out = nullptr;
  const float* residual = nullptr;
  // What of the patch is inside the map: rows [top, bottom), columns [left, right).
  int32_t top = 0, bottom = 0, left = 0, right = 0;
  int32_t rows = 0, columns = 0;  // outputs inside the map, 1..m
};

// Transforms the patches of tiles [0, count): point i of tile t is at v + i * v_point + t * v_tile. All full
// vectors of channels are written, zero in surplus lanes.
struct WinogradInput {
  int m = 0;
  const WinogradTile* tiles = nullptr;
  int64_t count = 0, channels = 0;
  int64_t in_row = 0, in_pixel = 0;
  const float* zeros = nullptr;  // as many floats as channels
  float* v = nullptr;
  int64_t v_point = 0, v_tile = 0;
};

// Transforms products (laid out as v above) of channels [first, first + channels) of the outputs, adds bias
// and residual, applies the activation as isa/gemm.h does; writes what is inside the map and nothing else. A tile's residual may be
// its output.
struct WinogradOutput {
  int m = 0;
  const WinogradTile* tiles = nullptr;
  int64_t count = 0, first = 0, channels = 0;
  const float* products = nullptr;
  int64_t point = 0, tile = 0;
  const float* bias = nullptr;  // of channel `first`; padded to full vectors
  int64_t out_row = 0, out_pixel = 0, residual_row = 0, residual_pixel = 0;
  float lo = 0, hi = 0;
  UnaryKernels::Apply act = nullptr;
  float alpha = 0, beta = 0;
};

struct WinogradKernels {
  void (*input)(const WinogradInput&);
  void (*output)(const WinogradOutput&);
};

}  // namespace hone

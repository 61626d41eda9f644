// A sliding-window product over channels-last maps, as an implicit matrix product: the windows of a row of
// output pixels are segments of input rows, which the microkernel (isa/gemm.h) reads in place. Taps above and
// below the map are skipped. Where windows reach over the left or right edge, either the input rows of a block
// are first copied, with a margin of zeros, into a ring of rows in cache; or a row of outputs is cut into runs
// of pixels that see the same taps, each a row of its own to the microkernel, where runs are long (wide
// dilations). An input whose channels lie apart goes through the ring. Convolution is one such product, transposed convolution one for each residue of the output
// position.
#pragma once
#include "kernels/cpu/gemm_plan.h"
#include "kernels/isa/copy.h"

namespace hone {

struct WindowGemm {
  // What it computes: output pixel (y, x) is at out_base + y * out_row + x * out_pixel and sees input rows
  // y * sh - top + i * dh, i < kh; likewise columns. top and left may be negative.
  int64_t batch = 1, h = 1, w = 1, ic = 1;  // input
  int64_t oh = 1, ow = 1, oc = 1, groups = 1;
  int64_t kh = 1, kw = 1, sh = 1, sw = 1, dh = 1, dw = 1, top = 0, left = 0;
  int64_t in_pitch = 1;
  // > 0: channels lie so far apart, their rows in_pitch, pixels side by side; one group.
  int64_t in_plane = 0;
  int64_t out_base = 0, out_image = 0, out_row = 0, out_pixel = 0;
  int64_t residual_row = 0, residual_pixel = 0;  // an image of the residual has oh rows
  Epilogue epilogue;

  // How; set by plan().
  const GemmKernels* kernels = nullptr;
  const CopyKernels* copy = nullptr;
  PanelShape panels;  // of one group; B's rows are [kh][kw][ic / groups]
  ThreadGrid grid;
  bool copied = false;  // rows go through the ring
  bool cut = false;     // rows are cut into at most so many runs of pixels that see the same taps
  int64_t runs = 1;
  bool contiguous = false;  // the taps of a kernel row are one segment
  int64_t segment = 0,
          parts = 1;              // floats of a segment; segments of a tap, or of a row of taps if contiguous
  int64_t block_segments = 1;     // of B that stay in cache while a block of rows passes
  int64_t pixel = 0;              // floats from an input pixel to the next, as the microkernel sees it
  int64_t padded = 0, slots = 0;  // pixels of a row of the ring; its rows
  int64_t block_rows = 1, block_pixels = 1;  // of a block: at most so many rows, so many pixels of a row

  int64_t segments() const { return kh * (contiguous ? 1 : kw) * parts; }
  void plan(Isa, int threads);
  int64_t part_scratch_bytes() const;
  int64_t scratch_bytes() const { return part_scratch_bytes() * grid.parts(); }
  int64_t packed_floats() const { return groups * panels.floats(); }  // [group][panels, bias]
  int64_t first_bytes() const;  // of the weights: what a part multiplies by first
  // Does share `part` of grid.parts(); scratch is that of all parts. residual may be null.
  void run(int64_t part, const float* in, const float* residual, const float* packed, float* out,
           void* scratch, Ahead = {}) const;
  // Output pixels [begin, end) of those of all images, row by row, with the scratch of one part. The bits are
  // those of run().
  void run_pixels(Share, const float* in, const float* residual, const float* packed, float* out,
                  void* scratch) const;
};

}  // namespace hone

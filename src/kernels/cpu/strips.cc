#include "kernels/strips.h"

#include <algorithm>

#include "kernels/cpu/gemm_plan.h"

namespace hone {

Accept Strips::can_chain(const Tactic& t, const Problem& p, int chained, Reach& r) {
  REFUSE_UNLESS(t.strips, "its kernel makes whole maps only");
  REFUSE_UNLESS(p.in.size() <= max_operands && p.out.size() == 1, "it has too many operands");
  return t.strips->reach(p, chained, r);
}

// What a thread knows of the rows that it has made.
struct Strips::Band {
  std::span<const void* const> in;
  std::byte* scratch;
  int64_t made[max_steps] = {};  // per step with a ring: rows below this have passed through it
};

Strips::Strips(std::span<const StripStep> chain, int64_t cache_bytes) {
  size_t first_in = 0;
  for (size_t i = 0; i < chain.size(); i++) {
    const StripStep& c = chain[i];
    const Shape& shape = c.problem->out[0].shape;
    Step s{.kernel = c.tactic->strips,
           .params = c.prepared->params.data(),
           .packed = c.packed,
           .first_in = first_in,
           .ins = c.problem->in.size(),
           .chained = static_cast<size_t>(std::max(c.chained, 0))};
    first_in += s.ins;
    if (s.kernel->finish) {
      sum_ = s;
      partial_bytes_ = s.kernel->partial(s.params);
      by_rows_ = true;
      break;
    }
    // [image, (row,) column, channel]; other ranks are one row of an image.
    const auto height_of = [](const Shape& x) { return x.rank() == 4 ? x[1] : 1; };
    s.height = height_of(shape);
    s.width = shape.product(1, shape.rank() - 1) / std::max<int64_t>(s.height, 1);
    s.pixel_bytes = dtype_bytes(c.problem->out[0].dtype, shape.back());
    images_ = shape[0];
    threads_ = c.problem->threads;
    if (i > 0) {
      (void)c.tactic->strips->reach(*c.problem, c.chained, s.reach);
      s.in_height = height_of(c.problem->in[s.chained].shape);
      by_rows_ = by_rows_ || !s.reach.pixel;
    }
    s.scratch = c.tactic->strips->scratch ? round_up(c.tactic->strips->scratch(s.params)) : 0;
    steps_.push_back(s);
  }
  const Step& last = steps_.back();
  const auto summed = [&](int64_t pixels) { return sum_ ? pixels * last.pixel_bytes : 0; };
  const int64_t band = (images_ * last.height * last.width + threads_ - 1) / threads_;
  const int64_t unit = by_rows_ ? last.width : 16;
  // As tall as the cache allows, as loops within a strip are then long; but no taller than the band.
  strip_ = unit;
  while (strip_ < band && lay_out(strip_ + unit) + summed(strip_ + unit) <= cache_bytes) strip_ += unit;
  thread_bytes_ = round_up(lay_out(strip_));
}

// Places buffers for strips of so many pixels; returns the bytes of a thread.
int64_t Strips::lay_out(int64_t pixels) {
  int64_t bytes = 0;
  const auto take = [&](int64_t n) {
    const int64_t at = bytes;
    bytes += round_up(n);
    return at;
  };
  int64_t scratch = 0;
  for (size_t i = steps_.size(); i-- > 0;) {
    Step& s = steps_[i];
    scratch = std::max(scratch, s.scratch);
    if (i == 0) continue;
    Step& from = steps_[i - 1];
    if (s.reach.pixel) {
      from.slots = 0;
      from.buffer = take(pixels * from.pixel_bytes);
    } else {
      // A strip ends where its image does.
      const int64_t rows = std::clamp<int64_t>((pixels + s.width - 1) / s.width, 1, s.height);
      from.slots = std::min(from.height, (rows - 1) * s.reach.stride + s.reach.extent);
      from.slots = std::max<int64_t>(from.slots, 1);
      from.buffer = take(from.slots * from.row_bytes());
      from.chunk = std::min(from.slots, std::max<int64_t>(rows * s.reach.stride, 1));
      pixels = from.chunk * from.width;
    }
  }
  thread_scratch_ = bytes;
  return bytes + scratch;
}

// Pixels [begin, end) of the step's output to `to`, where the first pixel of all would be.
void Strips::make(Band& band, size_t step, int64_t begin, int64_t end, std::byte* to) const {
  const Step& s = steps_[step];
  const void* in[max_operands];
  std::copy_n(band.in.begin() + static_cast<std::ptrdiff_t>(s.first_in), s.ins, in);
  StripRun run{.params = s.params,
               .packed = s.packed,
               .in = {in, s.ins},
               .out = to,
               .begin = begin,
               .end = end,
               .wrap = INT64_MAX,
               .back = 0,
               .scratch = band.scratch + thread_scratch_};
  if (step > 0) {
    const Step& from = steps_[step - 1];
    std::byte* const buffer = band.scratch + from.buffer;
    if (s.reach.pixel) {
      std::byte* const base = buffer - begin * from.pixel_bytes;
      make(band, step - 1, begin, end, base);
      in[s.chained] = base;
    } else {
      const int64_t image = begin / (s.height * s.width), above = image * s.in_height;
      const int64_t first = begin / s.width % s.height, last = (end - 1) / s.width % s.height;
      const int64_t top =
          above + std::clamp<int64_t>(first * s.reach.stride - s.reach.before, 0, s.in_height);
      const int64_t bottom =
          above +
          std::clamp<int64_t>(last * s.reach.stride - s.reach.before + s.reach.extent, 0, s.in_height);
      int64_t& made = band.made[step - 1];
      for (made = std::max(made, top); made < bottom;) {
        const int64_t slot = made % from.slots;
        const int64_t rows = std::min({bottom - made, from.slots - slot, from.chunk});
        make(band, step - 1, made * from.width, (made + rows) * from.width,
             buffer + (slot - made) * from.row_bytes());
        made += rows;
      }
      const int64_t turn = top / from.slots * from.slots;
      in[s.chained] = buffer - turn * from.row_bytes();
      run.wrap = turn + from.slots;
      run.back = from.slots * from.row_bytes();
    }
  }
  s.kernel->run(run);
}

void Strips::run(std::span<const void* const> in, std::span<void* const> out, void* scratch,
                 ThreadPool& pool) const {
  const Step& last = steps_.back();
  const int64_t image = last.height * last.width, unit = by_rows_ ? last.width : 1,
                units = unit ? images_ * image / unit : 0;
  void* const made = out[steps_.size() - 1];
  void* const partial = static_cast<std::byte*>(scratch) + thread_bytes_ * threads_;
  pool.run(std::min<int64_t>(units, threads_), [&](int64_t part, int) {
    Band band{in, static_cast<std::byte*>(scratch) + part * thread_bytes_};
    const Share share(units, std::min<int64_t>(units, threads_), part);
    for (int64_t m = share.begin * unit, n; m < share.end * unit; m = n) {
      n = std::min(m + strip_, share.end * unit);
      if (by_rows_) n = std::min(n, (m / image + 1) * image);
      make(band, steps_.size() - 1, m, n, static_cast<std::byte*>(made));
      if (!sum_) continue;
      const void* operand = made;
      sum_->kernel->run({.params = sum_->params,
                         .packed = sum_->packed,
                         .in = {&operand, 1},
                         .out = partial,
                         .begin = m,
                         .end = n,
                         .wrap = INT64_MAX,
                         .back = 0,
                         .scratch = nullptr});
    }
  });
  if (sum_) sum_->kernel->finish(sum_->params, partial, out.back());
}

}  // namespace hone

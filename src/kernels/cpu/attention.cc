// Attention in blocks of queries against blocks of keys (Dao et al., 2022): scores exist for one pair of blocks at a
// time. Keys and values of a head are packed once by each thread that works on it. How queries and keys are cut depends
// on shapes only, so that the bits do not depend on threads.
#include <cmath>
#include <limits>

#include "kernels/cpu/gemm_plan.h"
#include "kernels/isa/attention.h"
#include "kernels/isa/copy.h"
#include "kernels/isa_kernels.h"

namespace hone {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// Where the rows of one of Q, K, V, Y and the mask lie; 0 where a mask is broadcast.
struct Rows {
  int64_t batch = 0, head = 0, row = 0;
  int64_t at(int64_t b, int64_t h, int64_t i) const { return b * batch + h * head + i * row; }
};

struct Params {
  const GemmKernels* gemm;
  const AttentionKernels* attention;
  const CopyKernels* copy;
  int64_t batch, heads, sharing;  // heads of Q for each head of K and V
  int64_t queries, keys, size, value_size;
  Rows q, k, v, y, mask;
  bool has_mask, causal;
  float scale;
  int64_t query_blocks, query_block, key_blocks, key_block;
  PanelShape k_panels, v_panels;  // of a whole block of keys
  int parts;
  int64_t v_offset, scores_offset, rows_offset, part_bytes;

  int64_t first_key(int64_t block) const { return block * key_block; }
  int64_t keys_of(int64_t block) const { return std::min(key_block, keys - first_key(block)); }
  int64_t score_row() const { return round_up(key_block, 16); }
};

bool folded(const Operand& o) { return o.shape.rank() == 3; }

Accept accepts(const Problem& p) {
  for (size_t i = 0; i < std::min<size_t>(p.in.size(), 4); i++)
    REFUSE_UNLESS(!p.in[i] || p.in[i].dtype == DType::f32, "an input is not f32");
  REFUSE_UNLESS(!p.input(4) && !p.input(5), "there is a cache");
  REFUSE_UNLESS(!p.input(6), "the numbers of keys differ");
  for (size_t i = 1; i < p.out.size(); i++) REFUSE_UNLESS(!p.out[i], "more than the result is wanted");
  REFUSE_UNLESS(p.attrs->f("softcap") == 0, "scores are capped");
  const auto length = [&](size_t i) { return p.input(i).shape[folded(p.input(i)) ? 1 : 2]; };
  REFUSE_UNLESS(!p.input(3) || p.input(3).shape.back() == length(1), "the mask is too short");
  for (size_t i = 0; i < 3; i++) REFUSE_UNLESS(p.in[i].shape.elements() > 0, "there are no elements");
  return Accept::yes();
}

Rows rows_of(const Operand& o, int64_t size) {
  const Shape& s = o.shape;
  if (folded(o)) return {s[1] * o.pitch, size, o.pitch};
  return {s[1] * s[2] * o.pitch, s[2] * o.pitch, o.pitch};
}
// Aligned to [batch, head, query, key] from the right.
Rows mask_rows(const Operand& o) {
  Rows r;
  int64_t step = o.pitch;
  int64_t* strides[] = {&r.row, &r.head, &r.batch};
  for (int i = 0; i + 1 < o.shape.rank(); i++) {
    const int64_t extent = o.shape[static_cast<size_t>(o.shape.rank() - 2 - i)];
    *strides[i] = extent == 1 ? 0 : step;
    step *= extent;
  }
  return r;
}

Status prepare(const Problem& p, Prepared& prepared) {
  Params& g = prepared.make<Params>();
  const Operand &q = p.in[0], &k = p.in[1], &v = p.in[2], &y = p.out[0];
  const IsaKernels& kernels = isa_kernels(p.isa);
  g.gemm = kernels.gemm;
  g.attention = kernels.attention;
  g.copy = kernels.copy;
  const auto heads = [&](const Operand& o, const char* name) {
    return folded(o) ? p.attrs->i(name) : o.shape[1];
  };
  g.batch = q.shape[0];
  g.heads = heads(q, "q_num_heads");
  const int64_t key_heads = heads(k, "kv_num_heads");
  g.sharing = g.heads / key_heads;
  g.queries = q.shape[folded(q) ? 1 : 2];
  g.keys = k.shape[folded(k) ? 1 : 2];
  g.size = folded(q) ? q.shape[2] / g.heads : q.shape[3];
  g.value_size = folded(v) ? v.shape[2] / key_heads : v.shape[3];
  g.q = rows_of(q, g.size);
  g.k = rows_of(k, g.size);
  g.v = rows_of(v, g.value_size);
  g.y = rows_of(y, g.value_size);
  g.has_mask = static_cast<bool>(p.input(3));
  if (g.has_mask) g.mask = mask_rows(p.input(3));
  g.causal = p.attrs->flag("is_causal");
  g.scale = p.attrs->has("scale") ? p.attrs->f("scale") : 1 / std::sqrt(static_cast<float>(g.size));

  // A block of scores stays in the nearest cache, beside the panels that pass.
  constexpr int64_t whole_keys = 384, keys_wanted = 256, score_bytes = 28 << 10;
  g.key_blocks = g.keys <= whole_keys ? 1 : (g.keys + keys_wanted - 1) / keys_wanted;
  g.key_block = g.key_blocks == 1 ? g.keys : round_up((g.keys + g.key_blocks - 1) / g.key_blocks, 16);
  g.key_blocks = (g.keys + g.key_block - 1) / g.key_block;
  const int64_t wanted = std::clamp<int64_t>(score_bytes / (g.key_block * 4), 12, 96);
  g.query_blocks = (g.queries + wanted - 1) / wanted;
  g.query_block = (g.queries + g.query_blocks - 1) / g.query_blocks;
  g.k_panels = choose_panels(*g.gemm, g.size, g.key_block, g.query_block);
  g.v_panels = choose_panels(*g.gemm, g.key_block, g.value_size, g.query_block);
  g.parts =
      static_cast<int>(std::clamp<int64_t>(g.batch * g.heads * g.query_blocks, 1, std::max(p.threads, 1)));

  g.v_offset = round_up(g.key_blocks * g.k_panels.weight_floats() * 4);
  g.scores_offset = g.v_offset + round_up(g.key_blocks * g.v_panels.weight_floats() * 4);
  g.rows_offset = g.scores_offset + round_up(g.query_block * g.score_row() * 4);
  g.part_bytes = g.rows_offset + round_up(3 * g.query_block * 4);
  prepared.scratch_bytes = g.part_bytes * g.parts;
  return {};
}

// K' of a block, times the scale: panels of keys, a row for each element of theirs.
void pack_keys(const Params& g, PanelShape s, const float* k, float* to) {
  for (int64_t p = 0; p < s.panels(); p++, to += s.panel_floats()) {
    const int64_t first = p * s.nr * s.lanes,
                  width = std::min<int64_t>(s.nr, s.vectors() - p * s.nr) * s.lanes,
                  used = std::min(width, s.n - first);
    if (used < width) std::fill_n(to, s.k * width, 0.0f);
    g.copy->transpose[2](to, width, k + first * g.k.row, g.k.row, used, s.k);
    g.attention->scale(to, s.k * width, g.scale);
  }
}
void pack_values(const Params& g, PanelShape s, const float* v, float* to) {
  for (int64_t p = 0; p < s.panels(); p++) {
    const int64_t first = p * s.nr * s.lanes,
                  width = std::min<int64_t>(s.nr, s.vectors() - p * s.nr) * s.lanes,
                  used = std::min(width, s.n - first);
    float* row = to + p * s.panel_floats();
    for (int64_t i = 0; i < s.k; i++, row += width) {
      std::copy_n(v + i * g.v.row + first, used, row);
      std::fill_n(row + used, width - used, 0.0f);
    }
  }
}

// What a thread works with.
struct Workspace {
  float *k, *v, *scores, *top, *sum, *factor;
  Workspace(const Params& g, char* scratch)
      : k(reinterpret_cast<float*>(scratch)),
        v(reinterpret_cast<float*>(scratch + g.v_offset)),
        scores(reinterpret_cast<float*>(scratch + g.scores_offset)),
        top(reinterpret_cast<float*>(scratch + g.rows_offset)),
        sum(top + g.query_block),
        factor(sum + g.query_block) {}
};

// The part of a block's panels that holds `keys` keys.
PanelShape k_shape(const Params& g, int64_t keys) {
  PanelShape s = g.k_panels;
  s.n = keys;
  return s;
}
PanelShape v_shape(const Params& g, int64_t keys) {
  PanelShape s = g.v_panels;
  s.k = keys;
  return s;
}

void product(const Params& g, const PanelShape& s, const float* b, GemmRow row, GemmJob job) {
  const GemmSegment whole;
  row.seg = &whole;
  job.rows = &row;
  job.row_count = 1;
  job.k = s.k;
  job.b = b;
  job.b_panel = s.panel_floats();
  job.nr = s.nr;
  job.n = s.n;
  job.panel_end = s.panels();
  job.lo = -infinity;
  job.hi = infinity;
  g.gemm->run(job);
}

struct Block {
  const float *q, *mask;
  float* y;
  int64_t first, rows;  // queries
};

void attend(const Params& g, const Block& b, const Workspace& w) {
  std::fill_n(w.top, b.rows, -infinity);
  std::fill_n(w.sum, b.rows, 0.0f);
  for (int64_t block = 0; block < g.key_blocks; block++) {
    const int64_t first = g.first_key(block), keys = g.keys_of(block);
    if (g.causal && first > b.first + b.rows - 1 && block > 0) break;
    product(g, k_shape(g, keys), w.k + block * g.k_panels.weight_floats(),
            {.a = b.q, .c = w.scores, .residual = b.mask ? b.mask + first : nullptr, .pixels = b.rows},
            {.lda = g.q.row, .ldc = g.score_row(), .ldr = g.mask.row});
    g.attention->weigh({.scores = w.scores,
                        .rows = b.rows,
                        .keys = keys,
                        .row = g.score_row(),
                        .first_limit = g.causal ? b.first + 1 - first : keys,
                        .top = w.top,
                        .sum = w.sum,
                        .shrink = w.factor});
    const bool more = block > 0;
    if (more) g.attention->scale_rows(b.y, b.rows, g.value_size, g.y.row, w.factor);
    product(g, v_shape(g, keys), w.v + block * g.v_panels.weight_floats(),
            {.a = w.scores, .c = b.y, .residual = more ? b.y : nullptr, .pixels = b.rows},
            {.lda = g.score_row(), .ldc = g.y.row, .ldr = g.y.row});
  }
  // A query that may look at nothing gives zeros.
  for (int64_t i = 0; i < b.rows; i++) w.factor[i] = w.sum[i] == 0 ? 0 : 1 / w.sum[i];
  g.attention->scale_rows(b.y, b.rows, g.value_size, g.y.row, w.factor);
}

void run(const Run& r) {
  const Params& g = r.as<Params>();
  const auto input = [&](size_t i) { return static_cast<const float*>(r.in[i]); };
  const int64_t units = g.batch * g.heads * g.query_blocks;
  r.pool.run(g.parts, [&](int64_t part, int) {
    const Workspace w(g, static_cast<char*>(r.scratch) + part * g.part_bytes);
    const Share share(units, g.parts, part);
    int64_t packed = -1;  // the head of K and V
    for (int64_t unit = share.begin; unit < share.end; unit++) {
      const int64_t head = unit / g.query_blocks % g.heads, batch = unit / g.query_blocks / g.heads,
                    key_head = head / g.sharing, wanted = batch * (g.heads / g.sharing) + key_head;
      if (wanted != packed) {
        packed = wanted;
        for (int64_t b = 0; b < g.key_blocks; b++) {
          pack_keys(g, k_shape(g, g.keys_of(b)), input(1) + g.k.at(batch, key_head, g.first_key(b)),
                    w.k + b * g.k_panels.weight_floats());
          pack_values(g, v_shape(g, g.keys_of(b)), input(2) + g.v.at(batch, key_head, g.first_key(b)),
                      w.v + b * g.v_panels.weight_floats());
        }
      }
      const Share rows(g.queries, g.query_blocks, unit % g.query_blocks);
      attend(g,
             {input(0) + g.q.at(batch, head, rows.begin),
              g.has_mask ? input(3) + g.mask.at(batch, head, rows.begin) : nullptr,
              static_cast<float*>(r.out[0]) + g.y.at(batch, head, rows.begin), rows.begin,
              rows.end - rows.begin},
             w);
    }
  });
}

}  // namespace

extern const Tactic tactic_attention_blocks_f32{.name = "attention_blocks_f32",
                                                .op = "Attention",
                                                .accepts = accepts,
                                                .prepare = prepare,
                                                .run = run,
                                                .pitched_in = 15,
                                                .pitched_out = 1};

}  // namespace hone

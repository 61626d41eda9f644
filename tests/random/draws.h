// What operators accept, a function for each kind of operator (draws.def says whose is which). They draw what
// ONNX allows; what an operator refuses all the same is counted by the test, and most must be accepted.
#pragma once
#include "random/draw.h"

namespace hone::test {

// --- one element at a time (draw_elementwise.cc) ---
void unary(Draw&, TypeSet, double ulps, double low = -4, double high = 4);  // alpha, beta... at random
void predicate(Draw&, TypeSet);                                             // of one input, exact
void binary(Draw&, TypeSet, double ulps = 1);
void variadic(Draw&, TypeSet, double n);
void prelu(Draw&);
void pow(Draw&);
void mod(Draw&);
void bit_shift(Draw&);
void clip(Draw&);
void where(Draw&);
void cast(Draw&, bool like);
void bit_cast(Draw&);
void swiglu(Draw&);

// --- moves (draw_moves.cc) ---
void identity(Draw&);
void reshape(Draw&);
void flatten(Draw&);
void squeeze(Draw&);
void unsqueeze(Draw&);
void transpose(Draw&);
void concat(Draw&);
void split(Draw&);
void slice(Draw&);
void pad(Draw&);
void expand(Draw&);
void tile(Draw&);
void shape_of(Draw&);
void size_of(Draw&);
void gather(Draw&);
void gather_elements(Draw&);
void gather_nd(Draw&);
void scatter_elements(Draw&);
void scatter_nd(Draw&);
void tensor_scatter(Draw&);
void depth_to_space(Draw&, bool to_space);
void channel_shuffle(Draw&);
void center_crop_pad(Draw&);
void reverse_sequence(Draw&);
void compress(Draw&);
void unique(Draw&);
void non_zero(Draw&);
void one_hot(Draw&);
void trilu(Draw&);
void eye_like(Draw&);
void constant(Draw&);
void constant_of_shape(Draw&);
void range(Draw&);
void col2im(Draw&);

// --- sums and products (draw_products.cc) ---
void matmul(Draw&);
void matmul_integer(Draw&);
void qlinear_matmul(Draw&);
void gemm(Draw&);
void einsum(Draw&);
void det(Draw&);
void reduce(Draw&, TypeSet, Judge::Kind, double positive);
void arg_reduce(Draw&);
void cumulative(Draw&, Judge::Kind);
void top_k(Draw&);
void softmax(Draw&, bool exact = false);
void attention(Draw&);
void flex_attention(Draw&);
void linear_attention(Draw&);
void causal_conv(Draw&);
void rotary(Draw&);
void recurrent(Draw&, int gates);
void loss(Draw&, bool cross_entropy);
void optimisation_step(Draw&, int states);

// --- pictures and signals (draw_spatial.cc) ---
void conv(Draw&);
void conv_transpose(Draw&);
void conv_integer(Draw&);
void qlinear_conv(Draw&);
void deform_conv(Draw&);
void pool(Draw&, Judge::Kind);
void global_pool(Draw&, Judge::Kind);
void max_unpool(Draw&);
void batch_norm(Draw&);
void instance_norm(Draw&);
void group_norm(Draw&);
void layer_norm(Draw&, bool rms);
void lrn(Draw&);
void lp_norm(Draw&);
void mean_variance(Draw&);
void resize(Draw&);
void upsample(Draw&);
void grid_sample(Draw&);
void affine_grid(Draw&);
void roi_align(Draw&);
void max_roi_pool(Draw&);
void non_max_suppression(Draw&);
void dft(Draw&);
void stft(Draw&);
void window(Draw&);
void mel_weights(Draw&);

// --- quantised, random, text, sequences, graphs (draw_others.cc) ---
void quantize(Draw&);
void dequantize(Draw&);
void dynamic_quantize(Draw&);
void qlinear_binary(Draw&);
void qlinear_unary(Draw&);
void qlinear_pool(Draw&);
void qlinear_concat(Draw&);
void dropout(Draw&);
void random(Draw&, bool like);
void bernoulli(Draw&);
void multinomial(Draw&);
void string_concat(Draw&);
void string_split(Draw&);
void string_normalizer(Draw&);
void regex(Draw&);
void tfidf(Draw&);
void label_encoder(Draw&);
void tree_ensemble(Draw&);
void array_features(Draw&);
void sequence_construct(Draw&);
void sequence_empty(Draw&);
void sequence_at(Draw&);
void sequence_insert(Draw&);
void sequence_length(Draw&);
void concat_from_sequence(Draw&);
void split_to_sequence(Draw&);
void sequence_map(Draw&);
void optional(Draw&);
void optional_get(Draw&);
void if_else(Draw&);
void loop(Draw&);
void scan(Draw&);

}  // namespace hone::test

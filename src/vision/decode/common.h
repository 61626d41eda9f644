// What decoders share: finding outputs, looking at them as matrices, collecting the best candidates.
// All numbers of outputs are hostile: what is not finite never becomes a result.
#pragma once
#include <cmath>
#include <limits>

#include "vision/decoder.h"

namespace hone::vision::decoding {

// At most so many candidates per picture go to suppression: the best by score.
inline constexpr int max_candidates = 30000;
// Coordinates beyond this many pixels are a network's nonsense (no picture is as large), and would overflow
// who counts in whole pixels.
inline constexpr float max_coordinate = 1 << 20;

// ---- outputs

std::string shape_of(const Output&);  // "[1,3549,85] f32"
// For messages: "'boxes' [1,100,4] f32, 'scores' [1,100] f32".
std::string list(std::span<const Output>);
// Errors: [head] outputs gives a role other than these.
Status check_roles(const DecodeContext&, std::initializer_list<const char*> roles);
// The output named in [head] outputs as that role, or null if the role is not given. Errors: no such output.
Result<const Output*> named(const DecodeContext&, std::span<const Output>, const char* role);
// The output of that role, else the only one for which `fits` holds. `expected` completes "... is expected to
// be".  Errors: none or several fit, or the named one does not.
Result<const Output*> find(const DecodeContext&, std::span<const Output>, const char* role,
                           bool (*fits)(const TensorView&, const DecodeContext&), const char* expected);
Error misfit(const Output&, const std::string& expected);
Status check_input_size(const DecodeContext&);

// A row of four numbers for each box, and a row of scores for each in another output. Roles "boxes" and
// "scores"; else by shape: the only one of four columns, and the only other one with as many rows.
struct BoxesAndScores {
  const Output *boxes = nullptr, *scores = nullptr;
  int64_t rows = 0, classes = 0;
};
Result<BoxesAndScores> find_boxes_and_scores(const DecodeContext&, std::span<const Output>);
// [1,N,C], [N,C] or, as TensorFlow has it, [1,N,1,C]: {N, C}; else {0, 0}.
struct RowsAndColumns {
  int64_t rows = 0, columns = 0;
};
RowsAndColumns rows_and_columns(const TensorView&);

// Dimensions of a tensor without the leading ones of batch size 1, as long as more than `rank` remain.
std::vector<int64_t> squeeze_front(const TensorView&, size_t rank);

// ---- scores

enum class Activation : uint8_t { none, sigmoid, softmax };
// As the task says; `otherwise` where it says nothing. Errors: an unknown word.
Result<Activation> activation_of(const DecodeContext&, Activation otherwise);
inline float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }
// The x of which the sigmoid is p; infinite at and beyond the ends of 0..1.
float logit(float p);
// Errors: the activation is softmax, where scores are of each class by itself.
Status refuse_softmax(const DecodeContext&, Activation);
// Index in the network's classes to index in labels: where the labels are one fewer than the classes, the
// background has no label, and those above it move down.
int label_of(const DecodeContext&, int index, int classes, int background);

// A view of rows (boxes) times columns (values of a box), in either order in memory.
struct Matrix {
  const float* data = nullptr;
  int64_t rows = 0, columns = 0, row_step = 0, column_step = 0;
  float at(int64_t row, int64_t column) const { return data[row * row_step + column * column_step]; }
  Matrix columns_from(int64_t first, int64_t count) const {
    return {data + first * column_step, rows, count, row_step, column_step};
  }
  Matrix rows_from(int64_t first, int64_t count) const {
    return {data + first * row_step, count, columns, row_step, column_step};
  }
};
inline Matrix row_major(const float* data, int64_t rows, int64_t columns) {
  return {data, rows, columns, columns, 1};
}
inline Matrix column_major(const float* data, int64_t rows, int64_t columns) {
  return {data, rows, columns, 1, rows};
}
// The first rows are distributions: nothing negative, the sum 1.
bool rows_are_distributions(const Matrix&);
// Values all within 0..1: probabilities, not logits. NaN does not count against it.
bool within_unit(const Matrix&);
// The greatest value of each row, -infinity where there are only NaN.
void row_maxima(const Matrix&, std::vector<float>& maxima);

struct Candidate {
  int64_t row = 0;
  int label = 0;  // index among the network's classes
  float score = 0;
};
// Keeps the best max_candidates of what is added. Order: score, then row, then label, so that equal scores
// come out the same on every machine.
class Candidates {
 public:
  void add(int64_t row, int label, float score);
  std::vector<Candidate> take();  // best first

 private:
  void shrink();
  std::vector<Candidate> all_;
  float floor_ = -std::numeric_limits<float>::infinity();
};

// All (row, class) whose activated score times the row's weight is at least the task's score_threshold; the
// best class of each row alone if one_class_per_box. `weights`: empty, or a number in 0..1 for each row
// (objectness). Column `background` (-1: none) is no class. Candidates' rows count from `first_row`.
void select(const DecodeContext&, const Matrix& scores, Activation, std::span<const float> weights,
            int background, Candidates&, int64_t first_row = 0);

// ---- boxes

bool sane(const Box&);  // finite, not absurdly far out, and not empty
inline Box from_centre(float cx, float cy, float w, float h) {
  return {cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2};
}
enum class BoxFormat : uint8_t { xyxy, cxcywh, yxyx };
Result<BoxFormat> box_format_of(const DecodeContext&, BoxFormat otherwise);
Box box_from(const float v[4], BoxFormat);
// The matrix's first four columns as a box, in pixels of the input.
Box read_box(const Matrix&, int64_t row, BoxFormat, float scale_x, float scale_y);

// What is not finite, or absurdly far out, becomes the origin with score 0.
Keypoint sane_keypoint(Keypoint);

// The smallest box that holds the keypoints of at least that score; all, where there are none.
Box box_around(std::span<const Keypoint>, float score);

// Suppression by the task's thresholds, and the limit on detections; sets results.detections.
void finish(const DecodeContext&, std::vector<Detection>, Results&);
// The same where the network has done suppression itself: order and limit alone.
void finish_without_suppression(const DecodeContext&, std::vector<Detection>, Results&);

// Feature maps: cells across and down.
struct Grid {
  int stride = 0, width = 0, height = 0;
  int64_t cells() const { return int64_t{width} * height; }
};
// Of the task's strides, else the decoder's. round_up: a cell for a part of a stride too. Errors: a stride
// below 1.
Result<std::vector<Grid>> grids_of(const DecodeContext&, std::initializer_list<int> otherwise, bool round_up);
std::string sum_of(const std::vector<Grid>&);  // "52x52 + 26x26 + 13x13 = 3549 (strides 8, 16, 32)"
int64_t cells_of(const std::vector<Grid>&);

}  // namespace hone::vision::decoding

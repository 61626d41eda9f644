#include "vision/decode/common.h"

namespace hone::vision::decoding {

std::string shape_of(const Output& o) { return o.tensor.shape.str() + " " + dtype_name(o.tensor.dtype); }

std::string list(std::span<const Output> outputs) {
  std::string all;
  for (const Output& o : outputs) all += (all.empty() ? "'" : ", '") + o.name + "' " + shape_of(o);
  return all.empty() ? "none" : all;
}

Status check_roles(const DecodeContext& context, std::initializer_list<const char*> roles) {
  for (const auto& [role, name] : context.head.outputs) {
    std::string all;
    bool found = false;
    for (const char* r : roles) {
      found |= role == r;
      all += (all.empty() ? "" : ", ") + std::string(r);
    }
    if (!found)
      return error(Code::invalid_argument,
                   "[head] outputs names '%s' as '%s', which decoder '%s' does not know: it takes %s",
                   name.c_str(), role.c_str(), context.head.decoder.c_str(),
                   all.empty() ? "no names of outputs" : all.c_str());
  }
  return {};
}

Result<const Output*> named(const DecodeContext& context, std::span<const Output> outputs, const char* role) {
  const auto at = context.head.outputs.find(role);
  if (at == context.head.outputs.end()) return nullptr;
  for (const Output& o : outputs)
    if (o.name == at->second) return &o;
  return error(Code::not_found, "[head] outputs names '%s' as '%s', but the network has no such output: %s",
               at->second.c_str(), role, list(outputs).c_str());
}

Error misfit(const Output& o, const std::string& expected) {
  return error(Code::invalid_argument, "output '%s' is %s: it is expected to be %s", o.name.c_str(),
               shape_of(o).c_str(), expected.c_str());
}

Result<const Output*> find(const DecodeContext& context, std::span<const Output> outputs, const char* role,
                           bool (*fits)(const TensorView&, const DecodeContext&), const char* expected) {
  HONE_TRY(const Output* found, named(context, outputs, role));
  if (found) {
    if (!fits(found->tensor, context)) return misfit(*found, expected);
    return found;
  }
  for (const Output& o : outputs) {
    if (!fits(o.tensor, context)) continue;
    if (found)
      return error(Code::invalid_argument,
                   "outputs '%s' and '%s' could both be the %s: say which in [head] outputs = {%s = \"...\"}",
                   found->name.c_str(), o.name.c_str(), role, role);
    found = &o;
  }
  if (found) return found;
  if (outputs.size() == 1) return misfit(outputs[0], expected);
  return error(Code::invalid_argument, "no output can be the %s, which are expected to be %s: %s", role,
               expected, list(outputs).c_str());
}

Status check_input_size(const DecodeContext& context) {
  if (context.input_width > 0 && context.input_height > 0) return {};
  return error(Code::invalid_argument, "decoder '%s' needs the size of the input, which is %d x %d",
               context.head.decoder.c_str(), context.input_width, context.input_height);
}

std::vector<int64_t> squeeze_front(const TensorView& t, size_t rank) {
  size_t from = 0;
  while (t.shape.size() - from > rank && t.shape[from] == 1) from++;
  return {t.shape.begin() + from, t.shape.end()};
}

RowsAndColumns rows_and_columns(const TensorView& t) {
  auto d = squeeze_front(t, 2);
  if (d.size() == 3 && d[1] == 1) d.erase(d.begin() + 1);
  if (d.size() != 2 || d[0] < 1 || d[1] < 1) return {};
  return {d[0], d[1]};
}

Result<BoxesAndScores> find_boxes_and_scores(const DecodeContext& context, std::span<const Output> outputs) {
  BoxesAndScores found;
  HONE_TRY(found.scores, named(context, outputs, "scores"));
  HONE_TRY(found.boxes, named(context, outputs, "boxes"));
  const auto again = [](const Output& a, const Output& b, const char* role) {
    return error(Code::invalid_argument,
                 "outputs '%s' and '%s' could both be the %s: say which in [head] outputs = {%s = \"...\"}",
                 a.name.c_str(), b.name.c_str(), role, role);
  };
  if (!found.boxes) {
    for (const Output& o : outputs) {
      if (&o == found.scores || rows_and_columns(o.tensor).columns != 4) continue;
      if (found.boxes) return again(*found.boxes, o, "boxes");
      found.boxes = &o;
    }
    if (!found.boxes)
      return error(Code::invalid_argument, "no output can be the boxes, which are expected to be [1,N,4]: %s",
                   list(outputs).c_str());
  }
  const RowsAndColumns boxes = rows_and_columns(found.boxes->tensor);
  if (boxes.columns != 4) return misfit(*found.boxes, "[1,N,4], boxes");
  if (!found.scores) {
    for (const Output& o : outputs) {
      if (&o == found.boxes || rows_and_columns(o.tensor).rows != boxes.rows) continue;
      if (found.scores) return again(*found.scores, o, "scores");
      found.scores = &o;
    }
    if (!found.scores)
      return error(Code::invalid_argument,
                   "no output can be the scores, which are expected to be [1,%lld,classes]: %s",
                   static_cast<long long>(boxes.rows), list(outputs).c_str());
  }
  const RowsAndColumns scores = rows_and_columns(found.scores->tensor);
  if (scores.rows != boxes.rows)
    return misfit(*found.scores, strf("[1,%lld,classes], scores of the boxes in '%s'",
                                      static_cast<long long>(boxes.rows), found.boxes->name.c_str()));
  found.rows = boxes.rows;
  found.classes = scores.columns;
  return found;
}

}  // namespace hone::vision::decoding

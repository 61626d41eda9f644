// docs/operators.md: what the registry, inference and the list of tactics say of each operator.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "kernels/tactic.h"

namespace hone {
namespace {

constexpr const char* begin = "<!-- from here on written by test_kernels -->\n\n";

struct OpsetRange {
  std::string domain;
  int64_t oldest, newest;
};
const OpsetRange opsets[] = {
#define OPSETS(domain, oldest, newest) {domain, oldest, newest},
#include "import/onnx/opsets.def"
#undef OPSETS
};

const DType dtypes[] = {
#define DTYPE(name, ...) DType::name,
#include "base/dtype.def"
#undef DTYPE
};

using Types = std::set<DType>;

// What may stand for attributes that must be there: "Operator.attribute", or anything of the right type.
Attrs stand_ins(const OpDef& op) {
  static const std::map<std::string, AttrValue> named = {
      {"BitShift.direction", AttrValue(std::string("LEFT"))},
      {"DepthToSpace.blocksize", AttrValue(int64_t{2})},
      {"LabelEncoder.keys_strings", AttrValue(std::vector<std::string>{"a"})},
      {"LabelEncoder.values_strings", AttrValue(std::vector<std::string>{"b"})},
      {"LinearAttention.update_rule", AttrValue(std::string("linear"))},
      {"MaxRoiPool.pooled_shape", AttrValue(std::vector<int64_t>{1, 1})},
      {"Momentum.mode", AttrValue(std::string("standard"))},
      {"TfIdfVectorizer.mode", AttrValue(std::string("TF"))}};
  Attrs attrs;
  for (const AttrDef& d : op.attrs) {
    const auto it = named.find(std::string(op.name) + "." + d.name);
    if (it != named.end()) attrs.set(d.name, it->second);
    else if (d.presence != AttrDef::required) continue;
    else if (d.type == AttrType::i) attrs.set(d.name, int64_t{1});
    else if (d.type == AttrType::f) attrs.set(d.name, 1.0f);
    else if (d.type == AttrType::s) attrs.set(d.name, std::string());
    else if (d.type == AttrType::ints) attrs.set(d.name, std::vector<int64_t>{1});
  }
  (void)bind_attrs(op, attrs, true);  // an attribute that no stand-in fits stays away
  return attrs;
}

ValueType tensor_of(DType d) { return {d, Shape::unranked()}; }
bool infers(const OpDef& op, const Attrs& attrs, const std::vector<ValueType>& in) {
  const std::vector<Tensor> values(in.size());
  for (size_t results = 0; results < 3; results++) {  // of nested graphs
    Infer c{op, attrs, in, values, std::vector<ValueType>(static_cast<size_t>(std::max(op.min_outputs, 1)))};
    c.infer_graph = [&](const SubgraphPtr&, std::span<const ValueType>) -> Result<std::vector<ValueType>> {
      return std::vector<ValueType>(results, tensor_of(DType::f32));
    };
    if (!op.infer || op.infer(c)) return true;
  }
  return false;
}

// Whether an input may be a sequence or an optional: those that take tensors too say so by name.
bool takes(const OpDef& op, const Attrs& attrs, size_t input, Value::Kind kind) {
  std::vector<ValueType> in(std::max(static_cast<size_t>(std::max(op.min_inputs, 0)), input + 1));
  in[input] = ValueType::of(kind, tensor_of(DType::f32));
  return infers(op, attrs, in);
}
size_t inputs_of(const OpDef& op) {
  return static_cast<size_t>(op.max_inputs < 0 ? std::max(op.min_inputs, 1) : op.max_inputs);
}
// The element types of each input that inference takes with others beside it, as many as it may have: of the same type
// where they take it.
std::vector<Types> taken_types(const OpDef& op, const Attrs& attrs) {
  const size_t n = inputs_of(op);
  std::vector<Types> sets(n, Types(std::begin(dtypes), std::end(dtypes)));
  const auto beside = [&](size_t k, DType d, bool same) {
    if (sets[k].empty()) return ValueType::of(Value::Kind::sequence, tensor_of(d));
    if (same && sets[k].count(d)) return tensor_of(d);
    for (const DType usual : {DType::f32, DType::i64, DType::u8})
      if (sets[k].count(usual)) return tensor_of(usual);
    return tensor_of(*sets[k].begin());
  };
  for (const bool alone : {true, false}) {  // first with nothing known of the others
    std::vector<Types> next(n);
    for (size_t i = 0; i < n; i++)
      for (const DType d : sets[i]) {
        const size_t least = std::max(static_cast<size_t>(std::max(op.min_inputs, 0)), i + 1);
        for (size_t inputs = least; inputs <= std::max(least, n) && !next[i].count(d); inputs++)
          for (const bool absent : {false, true})  // optional ones before it
            for (const bool same : {true, false}) {
              std::vector<ValueType> in(inputs);
              for (size_t k = 0; k < inputs; k++)
                if (k == i) in[k] = tensor_of(d);
                else if (!alone && !(absent && static_cast<int>(k) >= op.min_inputs))
                  in[k] = beside(k, d, same);
              if (infers(op, attrs, in)) next[i].insert(d);
            }
      }
    for (size_t i = 0; i < n; i++)
      if (!alone || !next[i].empty() || (i == 0 && takes(op, attrs, i, Value::Kind::sequence)))
        sets[i] = next[i];
  }
  return sets;
}
// Groups of types, largest first.
struct Group {
  const char* name;
  std::set<DType> types;
};
const std::vector<Group>& groups() {
  static const std::vector<Group> list = [] {
    const std::set<DType> all(std::begin(dtypes), std::end(dtypes));
    std::set<DType> but_texts = all, floats{DType::f32, DType::f16, DType::bf16, DType::f64}, integers,
                    eights;
    but_texts.erase(DType::string);
    for (const DType d : all) {
      if (dtype_bits(d) >= 8 && (dtype_kind(d) == DKind::sint || dtype_kind(d) == DKind::uint))
        integers.insert(d);
      if (dtype_bits(d) == 8 && is_float(d) && d != DType::f8e8m0) eights.insert(d);
    }
    std::set<DType> numbers = floats;
    numbers.insert(integers.begin(), integers.end());
    return std::vector<Group>{{"any", all},           {"any but texts", but_texts}, {"numbers", numbers},
                              {"integers", integers}, {"floats", floats},           {"f8", eights}};
  }();
  return list;
}

std::string names(Types types) {
  std::string text;
  const auto add = [&](const std::string& name) { text += (text.empty() ? "" : ", ") + name; };
  for (const Group& g : groups()) {
    if (!std::includes(types.begin(), types.end(), g.types.begin(), g.types.end())) continue;
    add(g.name);
    for (const DType d : g.types) types.erase(d);
  }
  for (const DType d : types) add(dtype_name(d));
  return text;
}

// "0, 1: floats; 2: i64".
std::string types_text(const OpDef& op) {
  const Attrs attrs = stand_ins(op);
  const std::set<std::string> anything{"Identity", "Optional", "OptionalGetElement", "OptionalHasElement"};
  std::vector<std::pair<std::string, std::vector<int>>> rows;
  const std::vector<Types> sets = taken_types(op, attrs);
  for (size_t i = 0; i < sets.size(); i++) {
    std::string text = names(sets[i]);
    if (sets[i].empty() || anything.count(op.name))
      for (const auto& [kind, name] :
           {std::pair(Value::Kind::sequence, "a sequence"), std::pair(Value::Kind::optional, "an optional")})
        if (takes(op, attrs, i, kind)) text += (text.empty() ? "" : ", ") + std::string(name);
    if (text.empty()) text = "as its attributes and other inputs say";
    const auto same = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.first == text; });
    if (same == rows.end()) rows.push_back({text, {static_cast<int>(i)}});
    else same->second.push_back(static_cast<int>(i));
  }
  std::string text;
  for (const auto& [taken, list] : rows) {
    if (rows.size() == 1) return taken;
    text += text.empty() ? "" : "; ";
    for (size_t i = 0; i < list.size(); i++) text += (i ? ", " : "") + std::to_string(list[i]);
    text += ": " + taken;
  }
  return text;
}

std::string opsets_text(const OpDef& op) {
  for (const OpsetRange& r : opsets) {
    if (r.domain != op.domain) continue;
    const int64_t since = std::max<int64_t>(op.since, r.oldest);
    std::string text = since == r.newest ? std::to_string(since)
                                         : strf("%lld to %lld", static_cast<long long>(since),
                                                static_cast<long long>(r.newest));
    std::string old;
    for (const Upgrade& u : op.upgrades)
      if (u.below > since && u.below <= r.newest) old += (old.empty() ? "" : ", ") + std::to_string(u.below);
    return text + (old.empty() ? "" : " (other below " + old + ")");
  }
  return "";
}

// The operators in a decomposition: the words before a bracket behind a "=".
std::string parts(const std::string& body) {
  std::string list;
  std::set<std::string> seen;
  for (size_t at = body.find('='); at != std::string::npos; at = body.find('=', at + 1)) {
    size_t begin_at = body.find_first_not_of(' ', at + 1), end = begin_at;
    if (begin_at == std::string::npos) break;
    while (end < body.size() && (std::isalnum(static_cast<unsigned char>(body[end])) || body[end] == '.'))
      end++;
    const std::string word = body.substr(begin_at, end - begin_at);
    if (end < body.size() && body[end] == '(' && find_op(word) && seen.insert(word).second)
      list += (list.empty() ? "" : ", ") + word;
  }
  return list;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '_' || c == '<') out += '\\';
    out += c;
  }
  return out;
}

std::string notes_text(const OpDef& op) {
  std::string text = op.doc;
  const auto add = [&](const std::string& note) { text += (text.empty() ? "" : ". ") + note; };
  if (op.body) add("Decomposed into " + parts(op.body));
  else if (!op.reference) add("Becomes another operator when imported");
  if (op.view) add("Takes no time: a view");
  if (!op.pure) add("Random");
  if (*op.notes) {
    std::string note = op.notes;
    note[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(note[0])));
    add(note);
  }
  return escaped(text);
}

std::string kernels_text(const OpDef& op) {
  std::string text;
  for (const Tactic* t : tactics_for(op)) text += (text.empty() ? "`" : ", `") + std::string(t->name) + "`";
  return text.empty() && !op.view && op.reference ? "reference" : text;
}

std::string operators_reference() {
  std::string text;
  int total = 0;
  for (const OpsetRange& r : opsets) {
    std::string rows;
    int count = 0;
    for (const OpDef* op : all_ops()) {
      if (r.domain != op->domain) continue;
      count++;
      rows += "| " + std::string(op->name) + " | " + opsets_text(*op) + " | " + escaped(types_text(*op)) +
              " | " + kernels_text(*op) + " | " + notes_text(*op) + " |\n";
    }
    if (!count) continue;
    total += count;
    text += strf("## %s: %d operators, opset%s %lld", r.domain.empty() ? "ai.onnx" : r.domain.c_str(), count,
                 r.oldest == r.newest ? "" : "s", static_cast<long long>(r.oldest));
    text += (r.oldest == r.newest ? "" : strf(" to %lld", static_cast<long long>(r.newest))) +
            "\n\n| operator | opsets | types of inputs | kernels for f32, best first | notes "
            "|\n|---|---|---|---|---|\n" +
            rows + "\n";
  }
  text += strf("%d operators in all.\n", total);
  return text;
}

// HONE_UPDATE=1 writes it anew.
TEST(Operators, are_in_the_documents) {
  const std::string path = HONE_SOURCE_DIR "/docs/operators.md";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const size_t at = text.str().find(begin);
  ASSERT_NE(at, std::string::npos);
  const std::string want = text.str().substr(0, at + std::string(begin).size()) + operators_reference();
  if (std::getenv("HONE_UPDATE")) std::ofstream(path) << want;
  EXPECT_TRUE(text.str() == want)
      << "docs/operators.md is not as the registry has it: HONE_UPDATE=1 test_kernels writes it anew";
}

// What the document says of types must be what inference says: a few that are known from ONNX's specification.
TEST(Operators, take_the_types_that_the_specification_gives) {
  EXPECT_EQ(types_text(*find_op("Relu")), "floats, i8, i16, i32, i64");
  EXPECT_EQ(types_text(*find_op("NonZero")), "numbers, string, boolean");
  EXPECT_EQ(types_text(*find_op("And")), "boolean");
  EXPECT_NE(types_text(*find_op("Gather")).find("1: i32, i64"), std::string::npos);
  EXPECT_EQ(types_text(*find_op("SequenceLength")), "a sequence");
  for (const OpDef* op : all_ops()) EXPECT_TRUE(op->max_inputs == 0 || !types_text(*op).empty()) << op->name;
}

}  // namespace
}  // namespace hone

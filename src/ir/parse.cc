#include <charconv>
#include <cstring>
#include <limits>

#include "ir/text.h"

namespace hone::ir {
namespace {

constexpr int max_depth = 16;  // of nested graphs, and of nested types

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '/' || c == '-';
}

// Characters and tokens, with the position for messages.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Error fail(const std::string& what) const {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at_ && i < text_.size(); i++) text_[i] == '\n' ? (line++, column = 1) : column++;
    return error(Code::corrupt, "%zu:%zu: %s", line, column, what.c_str());
  }
  // After blanks and comments; 0 at the end.
  char peek() {
    for (; at_ < text_.size(); at_++) {
      if (text_[at_] == '/' && at_ + 1 < text_.size() && text_[at_ + 1] == '/')
        while (at_ < text_.size() && text_[at_] != '\n') at_++;
      if (at_ == text_.size() || !std::strchr(" \t\r\n", text_[at_]) || !text_[at_]) break;
    }
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool end() { return peek(), at_ >= text_.size(); }
  bool take(char c) { return peek() == c && at_ < text_.size() ? (at_++, true) : false; }
  Status expect(char c) {
    if (take(c)) return {};
    return fail(strf("expected '%c'", c));
  }
  Status expect(std::string_view word) {
    peek();
    if (text_.substr(at_, word.size()) != word) return fail("expected '" + std::string(word) + "'");
    at_ += word.size();
    return {};
  }
  // A word of plain characters; empty if there is none.
  std::string_view word() {
    peek();
    const size_t from = at_;
    while (at_ < text_.size() && plain(text_[at_])) at_++;
    return text_.substr(from, at_ - from);
  }
  std::string_view peek_word() {
    peek();
    const size_t from = at_;
    const std::string_view w = word();
    at_ = from;
    return w;
  }
  Result<std::string> string() {
    HONE_CHECK(expect('"'));
    std::string out;
    for (; at_ < text_.size() && text_[at_] != '"'; at_++) {
      if (text_[at_] != '\\') {
        out += text_[at_];
        continue;
      }
      if (++at_ >= text_.size()) break;
      if (text_[at_] != 'x') {
        out += text_[at_];
        continue;
      }
      unsigned code = 0;
      const char* p = text_.data() + at_ + 1;
      if (at_ + 2 >= text_.size() || std::from_chars(p, p + 2, code, 16).ptr != p + 2)
        return fail("expected \\xHH");
      out += static_cast<char>(code);
      at_ += 2;
    }
    if (at_ >= text_.size()) return fail("a string does not end");
    at_++;
    return out;
  }
  // What stands after %, @ or before =: a word or a string.
  Result<std::string> name() {
    if (peek() == '"') return string();
    const std::string_view w = word();
    if (w.empty()) return fail("expected a name");
    return std::string(w);
  }
  // The characters of a number: digits, letters (inf, nan, 0x, e), signs and points.
  std::string_view number() {
    peek();
    const size_t from = at_;
    while (at_ < text_.size() && (plain(text_[at_]) || text_[at_] == '+')) at_++;
    return text_.substr(from, at_ - from);
  }
  template <class T>
  Result<T> integer() {
    const std::string_view w = number();
    T v{};
    const auto r = std::from_chars(w.data(), w.data() + w.size(), v);
    if (w.empty() || r.ec != std::errc() || r.ptr != w.data() + w.size())
      return fail("'" + std::string(w) + "' is not a number that fits here");
    return v;
  }
  template <class T, class Bits>
  Result<T> real() {
    const std::string_view w = number();
    T v{};
    if (w.starts_with("0x")) {
      Bits bits{};
      const auto r = std::from_chars(w.data() + 2, w.data() + w.size(), bits, 16);
      if (r.ec == std::errc() && r.ptr == w.data() + w.size()) return std::memcpy(&v, &bits, sizeof v), v;
    } else if (w == "nan") {
      return std::numeric_limits<T>::quiet_NaN();
    } else {
      const auto r = std::from_chars(w.data(), w.data() + w.size(), v);
      if (r.ptr == w.data() + w.size() && !w.empty() && r.ec == std::errc()) return v;
    }
    return fail("'" + std::string(w) + "' is not a number that fits here");
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

class Parser {
 public:
  Parser(std::string_view text, const ParseOptions& options) : lex_(text), options_(options) {}

  Result<std::shared_ptr<Graph>> whole(bool statements_only) {
    std::shared_ptr<Graph> g;
    if (statements_only) {
      g = std::make_shared<Graph>();
      while (!lex_.end()) HONE_CHECK(statement(*g));
    } else {
      HONE_TRY(g, graph(nullptr));
    }
    if (!lex_.end()) return lex_.fail("expected the end of the text");
    return g;
  }

 private:
  Result<std::shared_ptr<Graph>> graph(Graph* parent) {
    if (++depth_ > max_depth) return lex_.fail("graphs are nested too deeply");
    HONE_CHECK(lex_.expect("graph"));
    HONE_CHECK(lex_.expect('@'));
    auto g = std::make_shared<Graph>();
    g->parent = parent;
    if (lex_.peek() != '(') { HONE_TRY(g->name, lex_.name()); }
    HONE_CHECK(lex_.expect('('));
    while (!lex_.take(')')) {
      if (!g->inputs().empty()) HONE_CHECK(lex_.expect(','));
      HONE_TRY(const std::string name, value_name());
      HONE_TRY(ValueType t, optional_type(*g));
      HONE_CHECK(named(g->add_input(name, std::move(t)), name));
    }
    HONE_CHECK(lex_.expect("->"));
    HONE_CHECK(lex_.expect('('));
    std::vector<std::string> outputs;
    while (!lex_.take(')')) {
      if (!outputs.empty()) HONE_CHECK(lex_.expect(','));
      HONE_TRY(std::string name, value_name());
      outputs.push_back(std::move(name));
    }
    HONE_CHECK(lex_.expect('{'));
    while (!lex_.take('}')) HONE_CHECK(statement(*g));
    for (const std::string& name : outputs) {
      Value* v = g->find(name);
      if (!v) return lex_.fail("output '" + name + "' is not made in this graph");
      g->add_output(v);
    }
    depth_--;
    return g;
  }

  Result<std::string> value_name() {
    HONE_CHECK(lex_.expect('%'));
    return lex_.name();
  }
  Status named(const Value* v, const std::string& wanted) const {
    if (v->name == wanted) return {};
    return lex_.fail("the name '" + wanted + "' is taken");
  }

  Result<Value*> use(Graph& g) {
    if (lex_.take('_')) return nullptr;
    HONE_TRY(const std::string name, value_name());
    for (Graph* s = &g; s; s = s->parent)
      if (Value* v = s->find(name)) return v;
    if (!options_.free_names) return lex_.fail("value '" + name + "' is not defined before its use");
    return g.outermost()->add_input(name, {});
  }

  struct Output {
    std::string name;  // empty: not wanted
    ValueType type;
  };

  Status statement(Graph& g) {
    if (lex_.peek_word() == "meta") {
      lex_.word();
      HONE_TRY(std::string key, lex_.string());
      HONE_CHECK(lex_.expect('='));
      HONE_TRY(std::string value, lex_.string());
      g.metadata.emplace_back(std::move(key), std::move(value));
      return {};
    }
    std::vector<Output> outputs;
    while (!lex_.take('=')) {
      if (!outputs.empty()) HONE_CHECK(lex_.expect(','));
      Output o;
      if (!lex_.take('_')) {
        HONE_TRY(o.name, value_name());
        HONE_TRY(o.type, optional_type(g));
      }
      outputs.push_back(std::move(o));
    }
    if (lex_.peek_word() == "const") {
      HONE_TRY(Tensor t, constant(g));
      if (outputs.size() != 1 || outputs[0].name.empty()) return lex_.fail("a constant has one name");
      return named(g.add_constant(std::move(t), outputs[0].name), outputs[0].name);
    }
    return node(g, outputs);
  }

  Status node(Graph& g, const std::vector<Output>& outputs) {
    const std::string_view full = lex_.word();
    const size_t dot = full.rfind('.');
    const auto domain = dot == full.npos ? std::string_view() : full.substr(0, dot);
    const OpDef* op = find_op(dot == full.npos ? full : full.substr(dot + 1), domain);
    if (!op) return lex_.fail("there is no operator '" + std::string(full) + "'");
    HONE_CHECK(lex_.expect('('));
    std::vector<Value*> inputs;
    while (!lex_.take(')')) {
      if (!inputs.empty()) HONE_CHECK(lex_.expect(','));
      HONE_TRY(Value * v, use(g));
      inputs.push_back(v);
    }
    while (!inputs.empty() && !inputs.back()) inputs.pop_back();
    Attrs attrs;
    std::vector<AttrCapture> captured;
    if (lex_.take('{')) {
      while (!lex_.take('}')) {
        if (!attrs.empty() || !captured.empty()) HONE_CHECK(lex_.expect(','));
        HONE_CHECK(attribute(g, *op, attrs, captured));
      }
    }
    HONE_CHECK(bind(*op, attrs, captured));
    std::string name, origin;
    if (lex_.peek() == '"') { HONE_TRY(name, lex_.string()); }
    if (lex_.peek_word() == "by") {
      lex_.word();
      HONE_TRY(origin, lex_.string());
    }
    Node* n = g.add_node(*op, std::move(inputs), std::move(attrs), 0, std::move(name));
    n->origin = std::move(origin);
    n->outputs.resize(outputs.size());
    for (size_t i = 0; i < outputs.size(); i++) {
      if (outputs[i].name.empty()) continue;
      Value* v = g.add_output_value(n, i, outputs[i].name);
      v->type = outputs[i].type;
      HONE_CHECK(named(v, outputs[i].name));
    }
    for (AttrCapture& c : captured) {
      c.node = n;
      if (options_.captures) options_.captures->push_back(std::move(c));
    }
    return {};
  }

  // Captured attributes count as present, then are left out again: what they are is not known yet.
  Status bind(const OpDef& op, Attrs& attrs, const std::vector<AttrCapture>& captured) {
    for (const AttrCapture& c : captured)
      for (const AttrDef& d : op.attrs)
        if (c.attr == d.name) attrs.set(c.attr, placeholder(d.type));
    if (auto ok = bind_attrs(op, attrs, true); !ok) return lex_.fail(ok.error().message);
    for (const AttrCapture& c : captured) attrs.erase(c.attr);
    return {};
  }
  static AttrValue placeholder(AttrType t) {
    switch (t) {
      case AttrType::i:
        return int64_t{0};
      case AttrType::f:
        return 0.0f;
      case AttrType::s:
        return std::string();
      case AttrType::ints:
        return std::vector<int64_t>();
      case AttrType::floats:
        return std::vector<float>();
      case AttrType::strings:
        return std::vector<std::string>();
      case AttrType::tensor:
        return Tensor();
      case AttrType::graph:
        return SubgraphPtr();
      case AttrType::type:
        return ValueType();
    }
    return int64_t{0};
  }

  Status attribute(Graph& g, const OpDef& op, Attrs& attrs, std::vector<AttrCapture>& captured) {
    HONE_TRY(const std::string name, lex_.name());
    const AttrDef* def = nullptr;
    for (const AttrDef& d : op.attrs)
      if (name == d.name) def = &d;
    if (!def) return lex_.fail(std::string(op.name) + " has no attribute '" + name + "'");
    if (attrs.has(name)) return lex_.fail("attribute '" + name + "' stands twice");
    HONE_CHECK(lex_.expect('='));
    if (lex_.take('$')) {
      HONE_TRY(std::string variable, lex_.name());
      if (options_.bindings) {
        if (const AttrValue* v = options_.bindings->find(variable)) attrs.set(name, *v);
      } else if (options_.captures) {
        captured.push_back({nullptr, name, std::move(variable)});
      } else {
        return lex_.fail("$" + variable + " stands for nothing here");
      }
      return {};
    }
    HONE_TRY(AttrValue v, attr_value(g, def->type));
    attrs.set(name, std::move(v));
    return {};
  }

  template <class T, class F>
  Result<AttrValue> list(F&& element) {
    HONE_CHECK(lex_.expect('['));
    std::vector<T> out;
    while (!lex_.take(']')) {
      if (!out.empty()) HONE_CHECK(lex_.expect(','));
      HONE_TRY(T v, element());
      out.push_back(std::move(v));
    }
    return AttrValue(std::move(out));
  }

  Result<AttrValue> attr_value(Graph& g, AttrType type) {
    switch (type) {
      case AttrType::i: {
        HONE_TRY(const int64_t v, lex_.integer<int64_t>());
        return AttrValue(v);
      }
      case AttrType::f: {
        HONE_TRY(const float v, (lex_.real<float, uint32_t>()));
        return AttrValue(v);
      }
      case AttrType::s: {
        HONE_TRY(std::string v, lex_.string());
        return AttrValue(std::move(v));
      }
      case AttrType::ints:
        return list<int64_t>([&] { return lex_.integer<int64_t>(); });
      case AttrType::floats:
        return list<float>([&] { return lex_.real<float, uint32_t>(); });
      case AttrType::strings:
        return list<std::string>([&] { return lex_.string(); });
      case AttrType::tensor: {
        HONE_TRY(Tensor t, constant(g));
        return AttrValue(std::move(t));
      }
      case AttrType::graph: {
        HONE_TRY(std::shared_ptr<Graph> nested, graph(&g));
        return AttrValue(SubgraphPtr(std::move(nested)));
      }
      case AttrType::type: {
        HONE_TRY(ValueType t, this->type(g));
        return AttrValue(std::move(t));
      }
    }
    return lex_.fail("unknown attribute type");
  }

  Result<ValueType> optional_type(Graph& g) {
    if (!lex_.take(':')) return ValueType();
    return type(g);
  }

  Result<ValueType> type(Graph& g) {
    const std::string_view word = lex_.word();
    if (word == "seq" || word == "opt") {
      if (++depth_ > max_depth) return lex_.fail("types are nested too deeply");
      HONE_CHECK(lex_.expect('('));
      HONE_TRY(ValueType element, type(g));
      HONE_CHECK(lex_.expect(')'));
      depth_--;
      return ValueType::of(word == "seq" ? hone::Value::Kind::sequence : hone::Value::Kind::optional,
                           std::move(element));
    }
    DType d = DType::none;
    if (word.empty()) {
      HONE_CHECK(lex_.expect('?'));
      if (lex_.peek() != '[') return ValueType();
    } else {
      d = dtype_from_name(word);
      if (d == DType::none) return lex_.fail("there is no element type '" + std::string(word) + "'");
    }
    HONE_TRY(const Shape s, shape(g));
    return ValueType(d, s);
  }

  Result<Shape> shape(Graph& g) {
    HONE_CHECK(lex_.expect('['));
    if (lex_.take('*')) {
      HONE_CHECK(lex_.expect(']'));
      return Shape::unranked();
    }
    Shape s;
    for (bool first = true; !lex_.take(']'); first = false) {
      if (!first) HONE_CHECK(lex_.expect(','));
      if (s.rank() == max_rank) return lex_.fail(strf("a shape has at most %d dimensions", max_rank));
      const char c = lex_.peek();
      if (lex_.take('?')) {
        s.push_back(unknown_dim);
      } else if ((c >= '0' && c <= '9') || c == '-') {
        HONE_TRY(const Dim d, lex_.integer<Dim>());
        if (d < 0) return lex_.fail("a dimension is not negative");
        s.push_back(d);
      } else {
        HONE_TRY(const std::string symbol, lex_.name());
        s.push_back(symbol_dim(g.symbol(symbol)));
      }
    }
    return s;
  }

  Result<Tensor> constant(Graph& g) {
    HONE_CHECK(lex_.expect("const"));
    HONE_TRY(const ValueType t, type(g));
    if (t.kind != hone::Value::Kind::tensor || t.dtype == DType::none || !t.shape.all_known())
      return lex_.fail("a constant needs an element type and known dimensions");
    if (lex_.take('@')) {
      HONE_TRY(const uint64_t index, lex_.integer<uint64_t>());
      if (index >= options_.table.size())
        return lex_.fail("the constant is elided: its element of the table is needed");
      const Tensor& c = options_.table[static_cast<size_t>(index)];
      if (c.dtype() != t.dtype || c.shape() != t.shape)
        return lex_.fail("the table's constant is of another type");
      return c;
    }
    auto n = checked_elements(t.shape);
    if (!n) return lex_.fail(n.error().message);
    switch (t.dtype) {
      case DType::f32:
        return elements<float>(t, *n, [&] { return lex_.real<float, uint32_t>(); });
      case DType::f64:
        return elements<double>(t, *n, [&] { return lex_.real<double, uint64_t>(); });
      case DType::i8:
        return integers<int8_t>(t, *n);
      case DType::i16:
        return integers<int16_t>(t, *n);
      case DType::i32:
        return integers<int32_t>(t, *n);
      case DType::i64:
        return integers<int64_t>(t, *n);
      case DType::boolean:
      case DType::u8:
        return integers<uint8_t>(t, *n);
      case DType::u16:
        return integers<uint16_t>(t, *n);
      case DType::u32:
        return integers<uint32_t>(t, *n);
      case DType::u64:
        return integers<uint64_t>(t, *n);
      case DType::string:
        return elements<std::string>(t, *n, [&] { return lex_.string(); });
      default:
        return bit_patterns(t, *n);
    }
  }

  // The elements are read before memory is taken: a short text cannot claim a large tensor.
  template <class T, class F>
  Result<Tensor> elements(const ValueType& t, int64_t n, F&& one) {
    std::vector<T> values;
    HONE_CHECK(lex_.expect('{'));
    while (!lex_.take('}')) {
      if (!values.empty()) HONE_CHECK(lex_.expect(','));
      HONE_TRY(T v, one());
      values.push_back(std::move(v));
    }
    if (static_cast<int64_t>(values.size()) != n)
      return lex_.fail(strf("%zu elements, expected %lld", values.size(), static_cast<long long>(n)));
    HONE_TRY(Tensor out, Tensor::allocate(t.dtype, t.shape));
    for (size_t i = 0; i < values.size(); i++) out.data<T>()[i] = std::move(values[i]);
    return out;
  }
  template <class T>
  Result<Tensor> integers(const ValueType& t, int64_t n) {
    return elements<T>(t, n, [&] { return lex_.integer<T>(); });
  }
  Result<Tensor> bit_patterns(const ValueType& t, int64_t n) {
    using Bytes = std::array<uint8_t, 16>;
    const int bits = dtype_bits(t.dtype);
    auto one = [&]() -> Result<Bytes> {
      const std::string_view w = lex_.number();
      Bytes b{};
      if (!w.starts_with("0x") || w.size() < 3 || w.size() > 2 + static_cast<size_t>((bits + 3) / 4))
        return lex_.fail("expected a bit pattern: 0x...");
      for (size_t i = 0; i < w.size() - 2; i++) {
        unsigned digit = 0;
        const char* p = &w[w.size() - 1 - i];
        if (std::from_chars(p, p + 1, digit, 16).ptr != p + 1)
          return lex_.fail("expected a bit pattern: 0x...");
        b[i / 2] = static_cast<uint8_t>(b[i / 2] | digit << (i % 2 * 4));
      }
      if (bits < 8 && b[0] >> bits) return lex_.fail("the bit pattern is too wide");
      return b;
    };
    std::vector<Bytes> values;
    HONE_CHECK(lex_.expect('{'));
    while (!lex_.take('}')) {
      if (!values.empty()) HONE_CHECK(lex_.expect(','));
      HONE_TRY(const Bytes v, one());
      values.push_back(v);
    }
    if (static_cast<int64_t>(values.size()) != n)
      return lex_.fail(strf("%zu elements, expected %lld", values.size(), static_cast<long long>(n)));
    HONE_TRY(Tensor out, Tensor::allocate(t.dtype, t.shape));
    auto* p = static_cast<uint8_t*>(out.bytes());
    std::memset(p, 0, static_cast<size_t>(out.byte_size()));
    for (size_t i = 0; i < values.size(); i++) {
      const size_t at = i * static_cast<size_t>(bits);
      if (bits < 8) p[at / 8] = static_cast<uint8_t>(p[at / 8] | values[i][0] << (at % 8));
      else std::memcpy(p + at / 8, values[i].data(), static_cast<size_t>(bits / 8));
    }
    return out;
  }

  Lexer lex_;
  const ParseOptions& options_;
  int depth_ = 0;
};

}  // namespace

Result<std::shared_ptr<Graph>> parse_graph(std::string_view text, const ParseOptions& options) {
  return Parser(text, options).whole(false);
}
Result<std::shared_ptr<Graph>> parse_statements(std::string_view text, const ParseOptions& options) {
  return Parser(text, options).whole(true);
}

}  // namespace hone::ir

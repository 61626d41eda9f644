#include <charconv>
#include <cmath>
#include <cstring>

#include "ir/equal.h"
#include "ir/text.h"

namespace hone::ir {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '/' || c == '-';
}

std::string quoted(std::string_view s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (static_cast<unsigned char>(c) < 0x20) out += strf("\\x%02x", static_cast<unsigned>(c));
    else out += c;
  }
  return out + '"';
}

std::string name_of(std::string_view s) {
  bool ok = !s.empty();
  for (char c : s) ok = ok && plain(c);
  return ok ? std::string(s) : quoted(s);
}

template <class T>
std::string shortest(T v) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
  return {buffer, end};
}

template <class T, class Bits>
std::string real(T v) {
  if (!std::isnan(v)) return shortest(v);
  Bits bits;
  std::memcpy(&bits, &v, sizeof v);
  const T usual = std::numeric_limits<T>::quiet_NaN();
  return std::memcmp(&v, &usual, sizeof v) == 0 ? "nan"
                                                : strf("0x%llx", static_cast<unsigned long long>(bits));
}

std::string element(const Tensor& t, int64_t i) {
  switch (t.dtype()) {
    case DType::f32:
      return real<float, uint32_t>(t.data<float>()[i]);
    case DType::f64:
      return real<double, uint64_t>(t.data<double>()[i]);
    case DType::i8:
      return shortest(t.data<int8_t>()[i]);
    case DType::i16:
      return shortest(t.data<int16_t>()[i]);
    case DType::i32:
      return shortest(t.data<int32_t>()[i]);
    case DType::i64:
      return shortest(t.data<int64_t>()[i]);
    case DType::u8:
      return shortest(t.data<uint8_t>()[i]);
    case DType::u16:
      return shortest(t.data<uint16_t>()[i]);
    case DType::u32:
      return shortest(t.data<uint32_t>()[i]);
    case DType::u64:
      return shortest(t.data<uint64_t>()[i]);
    case DType::boolean:
      return t.data<uint8_t>()[i] ? "1" : "0";
    case DType::string:
      return quoted(t.data<std::string>()[i]);
    default:
      break;
  }
  const int bits = dtype_bits(t.dtype());
  const auto* p = static_cast<const uint8_t*>(t.bytes());
  if (bits < 8) {
    const int64_t at = i * bits;
    return strf("0x%x", (p[at / 8] >> (at % 8)) & ((1 << bits) - 1));
  }
  std::string out = "0x";
  for (int b = bits / 8 - 1; b >= 0; b--) out += strf("%02x", p[i * (bits / 8) + b]);
  return out;
}

class Printer {
 public:
  Printer(const Graph& g, const PrintOptions& o) : symbols_(g.outermost()->symbols), options_(o) {}

  void graph(const Graph& g, int depth) {
    out += "graph @" + (g.name.empty() ? "" : name_of(g.name)) + "(";
    list(g.inputs(), [&](const Value* v) { typed(v); });
    out += ") -> (";
    list(g.outputs(), [&](const Value* v) { out += "%" + name_of(v->name); });
    out += ") {\n";
    for (const auto& [key, value] : g.metadata)
      line(depth + 1), out += "meta " + quoted(key) + " = " + quoted(value) + "\n";
    for (const Value* v : g.values()) {
      if (!v->is_constant()) continue;
      line(depth + 1);
      out += "%" + name_of(v->name) + " = ";
      constant(v->constant);
      out += "\n";
    }
    auto order = g.sorted();
    for (const Node* n : order ? *order : g.nodes()) {
      line(depth + 1);
      node(*n, depth + 1);
      out += "\n";
    }
    line(depth);
    out += "}";
  }

  void node(const Node& n, int depth) {
    list(n.outputs, [&](const Value* v) { v ? typed(v) : void(out += "_"); });
    out += n.outputs.empty() ? "= " : " = ";
    if (*n.op->domain) out += std::string(n.op->domain) + ".";
    out += std::string(n.op->name) + "(";
    list(n.inputs, [&](const Value* v) { out += v ? "%" + name_of(v->name) : "_"; });
    out += ")";
    bool first = true;
    for (const auto& [name, value] : n.attrs) {
      if (is_default(*n.op, name, value)) continue;
      out += (first ? " {" : ", ") + name_of(name) + "=";
      attr(value, depth);
      first = false;
    }
    if (!first) out += "}";
    if (!n.name.empty()) out += " " + quoted(n.name);
    if (!n.origin.empty()) out += " by " + quoted(n.origin);
  }

  std::string out;

 private:
  template <class List, class F>
  void list(const List& items, F&& f) {
    bool first = true;
    for (const auto& item : items) {
      if (!first) out += ", ";
      first = false;
      f(item);
    }
  }
  void line(int depth) { out.append(static_cast<size_t>(2 * depth), ' '); }
  void typed(const Value* v) {
    out += "%" + name_of(v->name);
    if (v->type.kind != hone::Value::Kind::none) out += ": ", type(v->type);
  }
  void dim(Dim d) {
    if (known(d)) out += std::to_string(d);
    else if (!symbolic(d)) out += "?";
    else if (const auto s = static_cast<size_t>(symbol_of(d)); s < symbols_.size() && !symbols_[s].empty())
      out += (symbols_[s][0] >= '0' && symbols_[s][0] <= '9') || symbols_[s][0] == '-' ? quoted(symbols_[s])
                                                                                       : name_of(symbols_[s]);
    else out += "\"#" + std::to_string(symbol_of(d)) + "\"";
  }
  void type(const ValueType& t) {
    switch (t.kind) {
      case hone::Value::Kind::none:
        out += "?";
        return;
      case hone::Value::Kind::sequence:
      case hone::Value::Kind::optional:
        out += t.kind == hone::Value::Kind::sequence ? "seq(" : "opt(";
        if (t.element) type(*t.element);
        else out += "?";
        out += ")";
        return;
      case hone::Value::Kind::tensor:
        break;
    }
    out += dtype_name(t.dtype);
    if (!t.shape.ranked()) {
      out += "[*]";
      return;
    }
    out += "[";
    bool first = true;
    for (Dim d : t.shape) {
      if (!first) out += ",";
      first = false;
      dim(d);
    }
    out += "]";
  }
  void constant(const Tensor& t) {
    out += "const ";
    type(type_of(hone::Value(t)));
    const int64_t n = t.elements();
    if (n > options_.max_elements) {
      out += " @" + std::to_string(elided_++);
      if (options_.table) options_.table->push_back(t);
      return;
    }
    out += " {";
    for (int64_t i = 0; i < n; i++) out += (i ? ", " : "") + element(t, i);
    out += "}";
  }
  void attr(const AttrValue& value, int depth) {
    switch (attr_type(value)) {
      case AttrType::i:
        out += std::to_string(std::get<int64_t>(value));
        break;
      case AttrType::f:
        out += real<float, uint32_t>(std::get<float>(value));
        break;
      case AttrType::s:
        out += quoted(std::get<std::string>(value));
        break;
      case AttrType::ints:
        out += "[";
        list(std::get<std::vector<int64_t>>(value), [&](int64_t i) { out += std::to_string(i); });
        out += "]";
        break;
      case AttrType::floats:
        out += "[";
        list(std::get<std::vector<float>>(value), [&](float f) { out += real<float, uint32_t>(f); });
        out += "]";
        break;
      case AttrType::strings:
        out += "[";
        list(std::get<std::vector<std::string>>(value), [&](const std::string& s) { out += quoted(s); });
        out += "]";
        break;
      case AttrType::tensor:
        constant(std::get<Tensor>(value));
        break;
      case AttrType::graph:
        if (const auto* g = dynamic_cast<const Graph*>(std::get<SubgraphPtr>(value).get())) graph(*g, depth);
        else out += "graph ?";
        break;
      case AttrType::type:
        type(std::get<ValueType>(value));
        break;
    }
  }
  static bool is_default(const OpDef& op, const std::string& name, const AttrValue& value) {
    for (const AttrDef& d : op.attrs) {
      if (name != d.name || d.presence != AttrDef::defaulted) continue;
      switch (d.type) {
        case AttrType::i:
          return equal(value, d.i);
        case AttrType::f:
          return equal(value, d.f);
        case AttrType::s:
          return equal(value, std::string(d.s));
        default:
          return false;
      }
    }
    return false;
  }

  const std::vector<std::string>& symbols_;
  const PrintOptions& options_;
  int64_t elided_ = 0;
};

}  // namespace

std::string print(const Graph& g, const PrintOptions& options) {
  Printer p(g, options);
  p.graph(g, 0);
  return p.out + "\n";
}

std::string print(const Node& n, const PrintOptions& options) {
  Printer p(*n.graph, options);
  p.node(n, 0);
  return p.out;
}

}  // namespace hone::ir

#include "engine/write.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "base/hash.h"
#include "base/write_file.h"
#include "engine/format.h"
#include "engine/validate.h"

namespace hone {
namespace {
using Bytes = std::span<const std::byte>;
using format::SectionType;

uint64_t aligned(uint64_t n) { return (n + format::alignment - 1) / format::alignment * format::alignment; }
Bytes as_bytes(const std::string& s) { return std::as_bytes(std::span(s)); }

// Appends records to a string.
class Sink {
 public:
  template <class T>
  void number(T v) {
    char raw[sizeof v];
    std::memcpy(raw, &v, sizeof v);
    out.append(raw, sizeof v);
  }
  void u8(uint8_t v) { number(v); }
  void count(size_t n) {
    if (n > std::numeric_limits<uint32_t>::max()) too_long = true;
    number(static_cast<uint32_t>(n));
  }
  void string(const std::string& s) {
    count(s.size());
    out += s;
  }
  template <class T>
  void numbers(const std::vector<T>& v) {
    count(v.size());
    for (T x : v) number(x);
  }
  std::string out;
  bool too_long = false;
};

// The sections `tensors` and `bytes`: entries in the order asked for, contents once.
class TensorPool {
 public:
  uint32_t add(const Tensor& t) {
    table_.u8(static_cast<uint8_t>(t.dtype()));
    table_.u8(static_cast<uint8_t>(t ? t.shape().rank() : 0));
    if (t)
      for (Dim d : t.shape()) table_.number<int64_t>(d);
    Bytes contents{static_cast<const std::byte*>(t.bytes()), t ? static_cast<size_t>(t.byte_size()) : 0};
    std::string text;
    const bool packed = t.dtype() == DType::string;
    if (packed) contents = as_bytes(text = pack_strings(t));
    const uint64_t checksum = hash64(contents.data(), contents.size());
    table_.number(place(contents, checksum, packed));
    table_.number<uint64_t>(contents.size());
    table_.number(checksum);
    return count_++;
  }
  // The section `tensors`.
  std::string table(size_t constants) const {
    Sink s;
    s.count(constants);
    s.count(count_);
    return s.out + table_.out;
  }
  // The section `bytes`: (offset, contents) in the order of offsets.
  const std::vector<std::pair<uint64_t, Bytes>>& chunks() const { return chunks_; }
  uint64_t size() const { return size_; }

 private:
  static std::string pack_strings(const Tensor& t) {
    Sink lengths, text;
    for (int64_t i = 0, n = t.elements(); i < n; i++) {
      const std::string& s = t.data<std::string>()[i];
      lengths.count(s.size());
      text.out += s;
    }
    return lengths.out + text.out;
  }
  // `packed`: the contents are temporary and must be kept.
  uint64_t place(Bytes contents, uint64_t checksum, bool packed) {
    if (contents.empty()) return 0;
    for (auto [it, end] = by_checksum_.equal_range(checksum); it != end; ++it) {
      const Bytes old = chunks_[it->second].second;
      if (old.size() == contents.size() && !std::memcmp(old.data(), contents.data(), old.size()))
        return chunks_[it->second].first;
    }
    if (packed) {
      texts_.push_back(
          std::make_unique<std::string>(reinterpret_cast<const char*>(contents.data()), contents.size()));
      contents = as_bytes(*texts_.back());
    }
    const uint64_t offset = aligned(size_);
    by_checksum_.emplace(checksum, chunks_.size());
    chunks_.emplace_back(offset, contents);
    size_ = offset + contents.size();
    return offset;
  }

  Sink table_;
  uint32_t count_ = 0;
  uint64_t size_ = 0;
  std::vector<std::pair<uint64_t, Bytes>> chunks_;
  std::unordered_multimap<uint64_t, size_t> by_checksum_;  // -> index in chunks_
  std::vector<std::unique_ptr<std::string>> texts_;        // packed string tensors, which chunks_ view
};

void put(Sink& s, const ValueType& t) {
  s.u8(static_cast<uint8_t>(t.kind));
  if (t.kind == Value::Kind::tensor) {
    s.u8(static_cast<uint8_t>(t.dtype));
    s.number<int8_t>(t.shape.ranked() ? static_cast<int8_t>(t.shape.rank()) : int8_t{-1});
    for (Dim d : t.shape) s.number<int64_t>(d);
  } else if (t.kind != Value::Kind::none) {
    s.u8(t.element != nullptr);
    if (t.element) put(s, *t.element);
  }
}

void put(Sink&, const Program&, TensorPool&);

void put(Sink& s, const AttrValue& a, TensorPool& pool) {
  const AttrType type = attr_type(a);
  s.u8(static_cast<uint8_t>(type));
  switch (type) {
    case AttrType::i:
      return s.number(std::get<int64_t>(a));
    case AttrType::f:
      return s.number(std::get<float>(a));
    case AttrType::s:
      return s.string(std::get<std::string>(a));
    case AttrType::ints:
      return s.numbers(std::get<std::vector<int64_t>>(a));
    case AttrType::floats:
      return s.numbers(std::get<std::vector<float>>(a));
    case AttrType::strings: {
      const auto& v = std::get<std::vector<std::string>>(a);
      s.count(v.size());
      for (const auto& x : v) s.string(x);
      return;
    }
    case AttrType::tensor:
      return s.number(pool.add(std::get<Tensor>(a)));
    case AttrType::graph:
      return put(s, *std::dynamic_pointer_cast<Program>(std::get<SubgraphPtr>(a)), pool);
    case AttrType::type:
      return put(s, std::get<ValueType>(a));
  }
}

void put(Sink& s, const Program& p, TensorPool& pool) {
  s.string(p.name);
  s.count(p.values.size());
  for (const ProgramValue& v : p.values) {
    s.string(v.name);
    put(s, v.type);
    s.u8(static_cast<uint8_t>(v.kind));
    s.number<int32_t>(v.ref);
  }
  s.numbers(p.inputs);
  s.numbers(p.outputs);
  s.count(p.steps.size());
  for (const ProgramStep& step : p.steps) {
    for (const std::string* text : {&step.op, &step.domain, &step.name, &step.tactic}) s.string(*text);
    s.count(step.attrs.size());
    for (const auto& [name, value] : step.attrs) {
      s.string(name);
      put(s, value, pool);
    }
    s.numbers(step.in);
    s.numbers(step.out);
  }
}

// Header, table and structural sections as one string, then the chunks of the pool: what is written, in
// order.
struct Layout {
  TensorPool pool;
  std::string head;  // up to the section `bytes`, which is the last one
  uint64_t file_size = 0;
};

Result<Layout> lay_out(const EngineData& e) {
  HONE_CHECK(validate(e));
  Layout out;
  std::vector<std::pair<SectionType, std::string>> sections;
  bool too_long = false;
  auto section = [&](SectionType type, auto&& fill) {
    Sink s;
    fill(s);
    too_long |= s.too_long;
    sections.emplace_back(type, std::move(s.out));
  };
  for (const Tensor& t : e.constants) out.pool.add(t);
  section(SectionType::meta, [&](Sink& s) {
    s.count(e.meta.size());
    for (const auto& [key, value] : e.meta) s.string(key), s.string(value);
  });
  section(SectionType::symbols, [&](Sink& s) {
    s.count(e.symbols.size());
    for (const auto& name : e.symbols) s.string(name);
  });
  if (e.portable) section(SectionType::portable, [&](Sink& s) { put(s, *e.portable, out.pool); });
  const bool has_packed =
      std::any_of(e.plans.begin(), e.plans.end(), [](const Plan& plan) { return !plan.packed.empty(); });
  for (const Plan& plan : e.plans)
    section(SectionType::plan, [&](Sink& s) {
      s.string(plan.target);
      put(s, *plan.program, out.pool);
      if (!has_packed) return;
      s.count(plan.packed.size());
      for (const PackedConstants& p : plan.packed) {
        s.string(p.layout);
        s.numbers(p.constants);
        s.number(out.pool.add(p.bytes));
      }
    });
  if (!e.tests.empty())
    section(SectionType::tests, [&](Sink& s) {
      s.count(e.tests.size());
      for (const TestVector& t : e.tests)
        for (const auto* list : {&t.inputs, &t.outputs}) {
          s.count(list->size());
          for (const Tensor& x : *list) s.number(out.pool.add(x));
        }
    });
  sections.emplace_back(SectionType::tensors, out.pool.table(e.constants.size()));
  if (too_long) return error(Code::limit, "a text or list of the engine has more than 2^32-1 items");

  format::FileHeader header{};
  std::memcpy(header.magic, format::magic, sizeof header.magic);
  header.major = format::version_major;
  header.minor = has_packed ? 1 : 0;
  header.section_count = static_cast<uint32_t>(sections.size() + 1);
  std::vector<format::SectionEntry> table;
  uint64_t at = aligned(sizeof header + header.section_count * sizeof(format::SectionEntry));
  for (const auto& [type, text] : sections) {
    table.push_back({static_cast<uint32_t>(type), 0, at, text.size(), hash64(text.data(), text.size())});
    at = aligned(at + text.size());
  }
  table.push_back({static_cast<uint32_t>(SectionType::bytes), 0, at, out.pool.size(), 0});
  header.file_size = out.file_size = at + out.pool.size();

  Sink head;
  auto prefix = [&] {
    head.out.clear();
    head.number(header);
    for (const auto& entry : table) head.number(entry);
  };
  prefix();
  header.checksum = hash64(head.out.data(), head.out.size());
  prefix();
  for (size_t i = 0; i < sections.size(); i++) {
    head.out.resize(table[i].offset);
    head.out += sections[i].second;
  }
  head.out.resize(at);
  out.head = std::move(head.out);
  return out;
}

// The pieces of the file, gaps included.
std::vector<Bytes> pieces(const Layout& layout) {
  static constexpr std::byte zeros[format::alignment]{};
  std::vector<Bytes> out{as_bytes(layout.head)};
  uint64_t at = 0;
  for (const auto& [offset, contents] : layout.pool.chunks()) {
    if (offset > at) out.emplace_back(zeros, offset - at);
    out.push_back(contents);
    at = offset + contents.size();
  }
  return out;
}
}  // namespace

Result<std::vector<std::byte>> engine_bytes(const EngineData& e) {
  HONE_TRY(const Layout layout, lay_out(e));
  std::vector<std::byte> out;
  out.reserve(layout.file_size);
  for (Bytes piece : pieces(layout)) out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

Status write_engine(const EngineData& e, const std::string& path) {
  HONE_TRY(const Layout layout, lay_out(e));
  return write_file(path, pieces(layout));
}

}  // namespace hone

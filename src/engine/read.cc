#include "engine/read.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "engine/cursor.h"
#include "engine/format.h"
#include "engine/validate.h"

namespace hone {
namespace {
using Bytes = std::span<const std::byte>;
using format::SectionType;
unsigned long long ull(uint64_t v) { return v; }

constexpr const char* section_names[] = {"?",     "meta",     "symbols", "tensors",
                                         "bytes", "portable", "plan",    "tests"};
const char* name_of(SectionType t) {
  const auto i = static_cast<size_t>(t);
  return section_names[i < std::size(section_names) ? i : 0];
}
bool fits(uint64_t offset, uint64_t size, uint64_t whole) {
  return offset <= whole && size <= whole - offset;
}

class Reader {
 public:
  Reader(std::shared_ptr<const void> owner, Bytes file, const ReadOptions& options)
      : owner_(std::move(owner)), file_(file), options_(options) {}

  Result<EngineData> read() {
    HONE_CHECK(sections());
    HONE_CHECK(each(SectionType::meta, [&](Cursor& c) { meta(c); }));
    HONE_CHECK(each(SectionType::symbols, [&](Cursor& c) {
      for (uint32_t n = c.count(4); n && c.ok(); n--) engine_.symbols.push_back(c.string());
    }));
    HONE_CHECK(tensors());
    HONE_CHECK(each(SectionType::portable, [&](Cursor& c) { engine_.portable = program(c, 1); }));
    HONE_CHECK(each(SectionType::plan, [&](Cursor& c) {
      Plan plan;
      plan.target = c.string();
      plan.program = program(c, 1);
      if (has_packed_) packed(c, plan);
      engine_.plans.push_back(std::move(plan));
    }));
    HONE_CHECK(each(SectionType::tests, [&](Cursor& c) { tests(c); }));
    HONE_CHECK(validate(engine_));
    return std::move(engine_);
  }

 private:
  struct Section {
    SectionType type;
    Bytes bytes;
  };

  Status sections() {
    format::FileHeader h;
    if (!looks_like_engine(file_)) return error(Code::corrupt, "this is not a Hone engine file");
    if (file_.size() < sizeof h)
      return error(Code::corrupt, "the engine file is cut off within its header (%zu bytes)", file_.size());
    std::memcpy(&h, file_.data(), sizeof h);
    if (h.major != format::version_major)
      return error(
          Code::unsupported,
          "engine format %u.%u, but this version of Hone reads %u.x: update Hone, or build the engine anew",
          h.major, h.minor, format::version_major);
    if (h.flags & 0xffff)
      return error(Code::unsupported,
                   "the engine file uses features (flags %#x) unknown to this version of Hone: update it",
                   h.flags & 0xffff);
    if (h.file_size != file_.size())
      return error(Code::corrupt, "the engine file has %zu bytes, its header says %llu: %s", file_.size(),
                   ull(h.file_size),
                   h.file_size > file_.size() ? "it was cut off; copy or build it again"
                                              : "something was added to it");
    const uint64_t table_size = uint64_t{h.section_count} * sizeof(format::SectionEntry);
    if (h.section_count > format::max_sections || !fits(sizeof h, table_size, file_.size()))
      return error(Code::corrupt, "the engine file claims %u sections", h.section_count);
    newer_ = h.minor > format::version_minor;
    has_packed_ = h.minor >= 1;

    std::vector<std::byte> table(sizeof h + table_size);
    std::memcpy(table.data(), file_.data(), table.size());
    std::memset(table.data() + offsetof(format::FileHeader, checksum), 0, sizeof h.checksum);
    if (hash64(table.data(), table.size()) != h.checksum)
      return error(Code::corrupt,
                   "the engine file's header is damaged (its checksum differs): copy or build it again");

    uint64_t end = table.size();
    std::vector<std::pair<uint64_t, uint64_t>> ranges;
    for (uint32_t i = 0; i < h.section_count; i++) {
      format::SectionEntry e;
      std::memcpy(&e, table.data() + sizeof h + i * sizeof e, sizeof e);
      if (e.offset % format::alignment || e.offset < end || !fits(e.offset, e.size, file_.size()))
        return error(Code::corrupt,
                     "section %u (offset %llu, %llu bytes) lies outside the file or is not aligned", i,
                     ull(e.offset), ull(e.size));
      ranges.emplace_back(e.offset, e.size);
      const auto type = static_cast<SectionType>(e.type);
      const bool is_known = e.type >= 1 && e.type < std::size(section_names);
      if (e.flags & 0xffff & ~format::section_required || (!is_known && e.flags & format::section_required))
        return error(Code::unsupported,
                     "the engine file needs section type %u (flags %#x), unknown to this version of Hone:"
                     " update it",
                     e.type, e.flags);
      if (!is_known) continue;
      const Bytes bytes = file_.subspan(e.offset, e.size);
      if (type != SectionType::bytes && hash64(bytes.data(), bytes.size()) != e.checksum)
        return error(Code::corrupt,
                     "section '%s' is damaged (its checksum differs): copy or build the engine file again",
                     name_of(type));
      sections_.push_back({type, bytes});
    }
    std::sort(ranges.begin(), ranges.end());
    for (const auto& [offset, size] : ranges) {
      if (offset < end) return error(Code::corrupt, "two sections overlap at offset %llu", ull(offset));
      end = offset + size;
    }
    for (SectionType t :
         {SectionType::meta, SectionType::symbols, SectionType::tensors, SectionType::bytes}) {
      const auto n =
          std::count_if(sections_.begin(), sections_.end(), [&](const Section& s) { return s.type == t; });
      if (n != 1)
        return error(Code::corrupt, "section '%s' occurs %lld times, must once", name_of(t),
                     static_cast<long long>(n));
    }
    for (SectionType t : {SectionType::portable, SectionType::tests})
      if (std::count_if(sections_.begin(), sections_.end(), [&](const Section& s) { return s.type == t; }) >
          1)
        return error(Code::corrupt, "section '%s' occurs more than once", name_of(t));
    return {};
  }

  template <class F>
  Status each(SectionType type, F&& parse) {
    for (const Section& s : sections_) {
      if (s.type != type) continue;
      Cursor c(s.bytes, name_of(type));
      parse(c);
      HONE_CHECK(c.status(!newer_));
    }
    return {};
  }

  void meta(Cursor& c) {
    const std::string* last = nullptr;
    for (uint32_t n = c.count(8); n && c.ok(); n--) {
      std::string key = c.string(), value = c.string();
      if (last && key <= *last) return c.fail("key '%.80s' is out of order", key.c_str());
      last = &engine_.meta.emplace_hint(engine_.meta.end(), std::move(key), std::move(value))->first;
    }
  }

  Status tensors() {
    Bytes blob;
    for (const Section& s : sections_)
      if (s.type == SectionType::bytes) blob = s.bytes;
    HONE_CHECK(each(SectionType::tensors, [&](Cursor& c) {
      const uint32_t constants = c.u32(), n = c.count(2 + 3 * 8);
      if (constants > n) return c.fail("%u constants among %u tensors", constants, n);
      tensors_.reserve(n);
      while (tensors_.size() < n && c.ok()) tensors_.push_back(tensor(c, blob));
      if (c.ok()) engine_.constants.assign(tensors_.begin(), tensors_.begin() + constants);
    }));
    return {};
  }

  Tensor tensor(Cursor& c, Bytes blob) {
    const size_t index = tensors_.size();
    const uint8_t number = c.u8(), rank = c.u8();
    const DType d = dtype_from_number(number);
    if (d == DType::none && number)
      return c.fail("tensor %zu has unknown element type %u", index, number), Tensor();
    if (rank > max_rank) return c.fail("tensor %zu has %u dimensions", index, rank), Tensor();
    Shape shape;
    for (uint8_t i = 0; i < rank; i++) shape.push_back(c.number<int64_t>());
    const uint64_t offset = c.u64(), size = c.u64(), checksum = c.u64();
    if (!c.ok()) return {};
    if (offset % format::alignment || !fits(offset, size, blob.size()))
      return c.fail("tensor %zu (offset %llu, %llu bytes) lies outside the section 'bytes'", index,
                    ull(offset), ull(size)),
             Tensor();
    if (d == DType::none) return {};
    auto n = checked_elements(shape);
    if (!n) return c.fail("tensor %zu: %s", index, n.error().message.c_str()), Tensor();
    const Bytes bytes = blob.subspan(offset, size);
    const bool text = d == DType::string;
    if (!text && static_cast<uint64_t>(dtype_bytes(d, *n)) != size)
      return c.fail("tensor %zu, %s%s, has %llu bytes", index, dtype_name(d), shape.str().c_str(), ull(size)),
             Tensor();
    if ((options_.verify_constants || text) && hash64(bytes.data(), bytes.size()) != checksum)
      return c.fail(
                 "the contents of tensor %zu are damaged (checksum differs): copy or build the engine file "
                 "again",
                 index),
             Tensor();
    return text ? strings(c, bytes, shape, *n) : Tensor::view(owner_, bytes.data(), d, shape);
  }

  Tensor strings(Cursor& c, Bytes bytes, const Shape& shape, int64_t n) {
    if (static_cast<uint64_t>(n) > bytes.size() / 4)
      return c.fail("a string tensor is shorter than its lengths"), Tensor();
    auto t = Tensor::allocate(DType::string, shape);
    if (!t) return c.fail("%s", t.error().message.c_str()), Tensor();
    Bytes lengths = bytes.first(static_cast<size_t>(n) * 4), text = bytes.subspan(lengths.size());
    for (size_t i = 0; i < static_cast<size_t>(n); i++) {
      uint32_t length;
      std::memcpy(&length, lengths.data() + 4 * i, 4);
      if (length > text.size()) return c.fail("string %zu of a tensor runs past its end", i), Tensor();
      t->data<std::string>()[i].assign(reinterpret_cast<const char*>(text.data()), length);
      text = text.subspan(length);
    }
    if (!text.empty()) return c.fail("a string tensor has %zu bytes too many", text.size()), Tensor();
    return *std::move(t);
  }

  ValueType type(Cursor& c, int depth = 1) {
    ValueType t;
    const uint8_t kind = c.u8();
    if (depth > format::max_type_depth)
      return c.fail("a type is nested more than %d deep", format::max_type_depth), t;
    if (kind > static_cast<uint8_t>(Value::Kind::optional)) return c.fail("unknown kind of type %u", kind), t;
    t.kind = static_cast<Value::Kind>(kind);
    if (t.kind == Value::Kind::tensor) {
      const uint8_t number = c.u8();
      t.dtype = dtype_from_number(number);
      if (number && t.dtype == DType::none) return c.fail("unknown element type %u", number), t;
      const auto rank = c.number<int8_t>();
      if (rank < -1 || rank > max_rank) return c.fail("a shape has rank %d", rank), t;
      if (rank >= 0) t.shape = Shape();
      for (int i = 0; i < rank; i++) t.shape.push_back(c.number<int64_t>());
    } else if (t.kind != Value::Kind::none) {
      const uint8_t known = c.u8();
      if (known > 1) c.fail("a type's element is %u, neither known nor unknown", known);
      if (known == 1 && c.ok()) t.element = std::make_shared<const ValueType>(type(c, depth + 1));
    }
    return t;
  }

  AttrValue attribute(Cursor& c, int depth) {
    const uint8_t tag = c.u8();
    switch (static_cast<AttrType>(tag)) {
      case AttrType::i:
        return c.number<int64_t>();
      case AttrType::f:
        return c.number<float>();
      case AttrType::s:
        return c.string();
      case AttrType::ints:
        return c.numbers<int64_t>();
      case AttrType::floats:
        return c.numbers<float>();
      case AttrType::strings: {
        std::vector<std::string> v;
        for (uint32_t n = c.count(4); n && c.ok(); n--) v.push_back(c.string());
        return v;
      }
      case AttrType::tensor:
        return tensor_at(c);
      case AttrType::graph:
        return SubgraphPtr(program(c, depth + 1));
      case AttrType::type:
        return type(c);
    }
    c.fail("unknown attribute type %u", tag);
    return int64_t{0};
  }
  Tensor tensor_at(Cursor& c) {
    const uint32_t i = c.u32();
    if (i >= tensors_.size()) return c.fail("tensor %u of %zu", i, tensors_.size()), Tensor();
    return tensors_[i];
  }

  std::shared_ptr<Program> program(Cursor& c, int depth) {
    auto p = std::make_shared<Program>();
    if (depth > format::max_program_depth)
      return c.fail("programs are nested more than %d deep", format::max_program_depth), p;
    p->name = c.string();
    for (uint32_t n = c.count(4 + 1 + 1 + 4); n && c.ok(); n--) {
      ProgramValue& v = p->values.emplace_back();
      v.name = c.string();
      v.type = type(c);
      v.kind = static_cast<ProgramValue::Kind>(c.u8());
      v.ref = c.number<int32_t>();
    }
    p->inputs = c.indices();
    p->outputs = c.indices();
    for (uint32_t n = c.count(7 * 4); n && c.ok(); n--) {
      ProgramStep& s = p->steps.emplace_back();
      s.op = c.string();
      s.domain = c.string();
      s.name = c.string();
      s.tactic = c.string();
      std::string last;
      const uint32_t attrs = c.count(4 + 1 + 4);
      for (uint32_t a = 0; a < attrs && c.ok(); a++) {
        std::string name = c.string();
        if (a && name <= last) return c.fail("attribute '%.80s' is out of order", name.c_str()), p;
        s.attrs.set(name, attribute(c, depth));
        last = std::move(name);
      }
      s.in = c.indices();
      s.out = c.indices();
    }
    return p;
  }

  void packed(Cursor& c, Plan& plan) {
    for (uint32_t n = c.count(4 + 4 + 4); n && c.ok(); n--) {
      PackedConstants p;
      p.layout = c.string();
      p.constants = c.indices();
      p.bytes = tensor_at(c);
      plan.packed.push_back(std::move(p));
    }
  }

  void tests(Cursor& c) {
    for (uint32_t n = c.count(8); n && c.ok(); n--) {
      TestVector& t = engine_.tests.emplace_back();
      for (auto* list : {&t.inputs, &t.outputs})
        for (uint32_t k = c.count(4); k && c.ok(); k--) list->push_back(tensor_at(c));
    }
  }

  std::shared_ptr<const void> owner_;
  Bytes file_;
  ReadOptions options_;
  bool newer_ = false;  // a greater minor version: sections may have fields at their end that we do not know
  bool has_packed_ = false;  // minor version 1: plans end with packed constants
  std::vector<Section> sections_;
  std::vector<Tensor> tensors_;
  EngineData engine_;
};
}  // namespace

Result<EngineData> read_engine(std::shared_ptr<const MappedFile> file, const ReadOptions& options) {
  auto engine = read_engine_bytes(file, file->bytes(), options);
  if (!engine) return in(file->path(), engine.take_error());
  engine->file = std::move(file);
  return engine;
}

Result<EngineData> read_engine_bytes(std::shared_ptr<const void> owner, Bytes bytes,
                                     const ReadOptions& options) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % format::alignment) {
    HONE_TRY(Tensor copy, Tensor::allocate(DType::u8, Shape{static_cast<Dim>(bytes.size())}));
    std::memcpy(copy.bytes(), bytes.data(), bytes.size());
    return Reader(copy.owner(), {static_cast<const std::byte*>(copy.bytes()), bytes.size()}, options).read();
  }
  return Reader(std::move(owner), bytes, options).read();
}

bool looks_like_engine(Bytes bytes) {
  return bytes.size() >= sizeof format::magic &&
         !std::memcmp(bytes.data(), format::magic, sizeof format::magic);
}

}  // namespace hone

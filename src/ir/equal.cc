#include "ir/equal.h"

#include <cstring>

namespace hone::ir {
namespace {

uint64_t mix(uint64_t h, const void* bytes, size_t n) {  // FNV-1a over words, then over what is left
  const auto* p = static_cast<const unsigned char*>(bytes);
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t w;
    std::memcpy(&w, p, 8);
    h = (h ^ w) * 0x100000001b3u;
    h ^= h >> 29;
  }
  for (; n; p++, n--) h = (h ^ *p) * 0x100000001b3u;
  return h;
}
constexpr uint64_t seed = 0xcbf29ce484222325u;

template <class T>
bool same_bits(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace

bool equal(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  if (a.dtype() == DType::none || a.bytes() == b.bytes()) return true;
  if (a.dtype() == DType::string) {
    for (int64_t i = 0; i < a.elements(); i++)
      if (a.data<std::string>()[i] != b.data<std::string>()[i]) return false;
    return true;
  }
  return std::memcmp(a.bytes(), b.bytes(), static_cast<size_t>(a.byte_size())) == 0;
}

bool equal(const AttrValue& a, const AttrValue& b) {
  if (a.index() != b.index()) return false;
  switch (attr_type(a)) {
    case AttrType::i:
      return std::get<int64_t>(a) == std::get<int64_t>(b);
    case AttrType::f:
      return same_bits(std::get<float>(a), std::get<float>(b));
    case AttrType::s:
      return std::get<std::string>(a) == std::get<std::string>(b);
    case AttrType::ints:
      return std::get<std::vector<int64_t>>(a) == std::get<std::vector<int64_t>>(b);
    case AttrType::floats: {
      const auto &x = std::get<std::vector<float>>(a), &y = std::get<std::vector<float>>(b);
      return x.size() == y.size() &&
             (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
    }
    case AttrType::strings:
      return std::get<std::vector<std::string>>(a) == std::get<std::vector<std::string>>(b);
    case AttrType::tensor:
      return equal(std::get<Tensor>(a), std::get<Tensor>(b));
    case AttrType::graph:
      return std::get<SubgraphPtr>(a) == std::get<SubgraphPtr>(b);
    case AttrType::type:
      return std::get<ValueType>(a) == std::get<ValueType>(b);
  }
  return false;
}

bool equal(const Attrs& a, const Attrs& b) {
  if (a.size() != b.size()) return false;
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j)
    if (i->first != j->first || !equal(i->second, j->second)) return false;
  return true;
}

uint64_t hash(const Tensor& t) {
  uint64_t h = seed;
  const auto d = static_cast<uint64_t>(t.dtype());
  h = mix(h, &d, sizeof d);
  for (Dim n : t.shape()) h = mix(h, &n, sizeof n);
  if (t.dtype() == DType::string) {
    for (int64_t i = 0; i < t.elements(); i++)
      h = mix(h, t.data<std::string>()[i].data(), t.data<std::string>()[i].size());
    return h;
  }
  return t ? mix(h, t.bytes(), static_cast<size_t>(t.byte_size())) : h;
}

uint64_t hash(const Attrs& attrs) {  // names and the cheap values: enough to tell nodes apart
  uint64_t h = seed;
  for (const auto& [name, value] : attrs) {
    h = mix(h, name.data(), name.size());
    if (const auto* i = std::get_if<int64_t>(&value)) h = mix(h, i, sizeof *i);
    if (const auto* f = std::get_if<float>(&value)) h = mix(h, f, sizeof *f);
    if (const auto* s = std::get_if<std::string>(&value)) h = mix(h, s->data(), s->size());
    if (const auto* v = std::get_if<std::vector<int64_t>>(&value))
      h = mix(h, v->data(), v->size() * sizeof(int64_t));
  }
  return h;
}

}  // namespace hone::ir

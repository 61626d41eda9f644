// Attributes of a node: names bound to constants. Kept sorted by name, so that equal sets compare and
// serialise equally.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/tensor.h"

namespace hone {

// Base of whatever represents a nested graph (ir::Graph while building, runtime plan while running).
struct Subgraph {
  virtual ~Subgraph() = default;
};
using SubgraphPtr = std::shared_ptr<Subgraph>;

// Order = AttrType, and the tag in engine files.
using AttrValue = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor, SubgraphPtr, ValueType>;
enum class AttrType : uint8_t { i, f, s, ints, floats, strings, tensor, graph, type };
inline AttrType attr_type(const AttrValue& v) { return static_cast<AttrType>(v.index()); }

class Attrs {
 public:
  using Item = std::pair<std::string, AttrValue>;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const AttrValue* find(std::string_view name) const;
  void set(std::string_view name, AttrValue);
  void erase(std::string_view name);
  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  auto begin() { return items_.begin(); }
  auto end() { return items_.end(); }

  // Typed reads. bind_attrs() (ops/op.h) has put every default in place and checked every type, so inside
  // operators a missing name simply yields the fallback.
  int64_t i(std::string_view name, int64_t fallback = 0) const { return get<int64_t>(name, fallback); }
  float f(std::string_view name, float fallback = 0) const { return get<float>(name, fallback); }
  bool flag(std::string_view name) const { return i(name) != 0; }
  const std::string& s(std::string_view name) const { return ref<std::string>(name); }
  const std::vector<int64_t>& ints(std::string_view name) const { return ref<std::vector<int64_t>>(name); }
  const std::vector<float>& floats(std::string_view name) const { return ref<std::vector<float>>(name); }
  const std::vector<std::string>& strings(std::string_view name) const {
    return ref<std::vector<std::string>>(name);
  }
  const Tensor& tensor(std::string_view name) const { return ref<Tensor>(name); }
  const SubgraphPtr& graph(std::string_view name) const { return ref<SubgraphPtr>(name); }

 private:
  template <class T>
  T get(std::string_view name, T fallback) const {
    const AttrValue* v = find(name);
    const T* t = v ? std::get_if<T>(v) : nullptr;
    return t ? *t : fallback;
  }
  template <class T>
  const T& ref(std::string_view name) const {
    static const T none{};
    const AttrValue* v = find(name);
    const T* t = v ? std::get_if<T>(v) : nullptr;
    return t ? *t : none;
  }
  std::vector<Item> items_;
};

}  // namespace hone

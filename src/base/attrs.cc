#include "base/attrs.h"

#include <algorithm>

namespace hone {
namespace {
struct ByName {
  bool operator()(const Attrs::Item& a, std::string_view b) const { return a.first < b; }
};
}  // namespace

const AttrValue* Attrs::find(std::string_view name) const {
  auto it = std::lower_bound(items_.begin(), items_.end(), name, ByName{});
  return it != items_.end() && it->first == name ? &it->second : nullptr;
}

void Attrs::set(std::string_view name, AttrValue value) {
  auto it = std::lower_bound(items_.begin(), items_.end(), name, ByName{});
  if (it != items_.end() && it->first == name) it->second = std::move(value);
  else items_.insert(it, Item(name, std::move(value)));
}

void Attrs::erase(std::string_view name) {
  auto it = std::lower_bound(items_.begin(), items_.end(), name, ByName{});
  if (it != items_.end() && it->first == name) items_.erase(it);
}

}  // namespace hone

#include "bson/same_values.h"

#include <map>
#include <string_view>

namespace holdfast::bson {

namespace {

bool same(ValueView a, ValueView b);

bool same_elements(DocumentView a, DocumentView b) {
  auto at = a.begin();
  auto other = b.begin();
  for (; at != a.end() && other != b.end(); ++at, ++other) {
    if (!same((*at).value, (*other).value)) return false;
  }
  return at == a.end() && other == b.end();
}

bool same(ValueView a, ValueView b) {
  if (a.type() != b.type()) return false;
  if (same_bytes(a.bytes(), b.bytes())) return true;
  if (a.type() == Type::document) return same_values(a.as_document(), b.as_document());
  if (a.type() == Type::array) return same_elements(a.as_document(), b.as_document());
  return false;
}

}  // namespace

bool same_values(DocumentView a, DocumentView b) {
  if (same_bytes(a.bytes(), b.bytes())) return true;
  std::map<std::string_view, ValueView> fields;
  for (const auto element : a) {
    if (!fields.try_emplace(element.name, element.value).second) return false;
  }
  std::size_t found = 0;
  for (const auto element : b) {
    const auto field = fields.find(element.name);
    if (field == fields.end() || !same(field->second, element.value)) return false;
    ++found;
  }
  return found == fields.size();
}

}  // namespace holdfast::bson

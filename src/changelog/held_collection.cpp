#include "changelog/held_collection.h"

#include <sodium.h>

#include <algorithm>

#include "bson/order.h"

namespace holdfast::changelog {

Uuid identity_of(const Namespace& ns) {
  const std::string text = ns.text();
  Uuid uuid{};
  crypto_generichash(uuid.data(), uuid.size(), as_bytes(text).data(), text.size(), nullptr, 0);
  return uuid;
}

void sort_reread_keys(HeldCollection& held) {
  auto& keys = held.to_reread;
  std::sort(keys.begin(), keys.end(),
            [](const auto& a, const auto& b) { return bson::less(a.view(), b.view()); });
  const auto same = [](const auto& a, const auto& b) {
    return bson::compare(a.view(), b.view()) == 0;
  };
  keys.erase(std::unique(keys.begin(), keys.end(), same), keys.end());
}

Uuid identity_of(const CollectionInfo& info) {
  return info.uuid ? *info.uuid : identity_of(info.ns);
}

}  // namespace holdfast::changelog

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "changelog/event.h"
#include "dataset/types.h"

namespace holdfast::changelog {

/// A catalog brought forward by events: which collections there are, under which names, with which
/// options and indexes. Feed it every event in order, those of documents too: a server may create
/// a collection without an event of its own, by its first insert. Not thread-safe.
///
/// Sources: operationDescription of expanded events
/// (https://www.mongodb.com/docs/manual/reference/change-events/); collMod's fields
/// (https://www.mongodb.com/docs/manual/reference/command/collMod/).
class CatalogFold {
 public:
  /// `in_scope`: databases that matter.
  CatalogFold(const std::vector<CollectionInfo>& base,
              std::function<bool(std::string_view)> in_scope);

  /// Errors: corrupt (a drop, rename or change of what is not there, or a create of what is),
  /// unsupported (the server tells no UUIDs, or a change that nobody knows).
  [[nodiscard]] Status apply(const Event& event);

  /// Sorted by namespace.
  [[nodiscard]] std::vector<CollectionInfo> catalog() const;
  /// UUIDs that a server gave to a collection when it renamed it, and the one it had before:
  /// their documents belong together.
  [[nodiscard]] const std::map<Uuid, Uuid>& aliases() const { return aliases_; }
  /// Changed in a way that the event does not describe: its entry may be wrong.
  [[nodiscard]] const std::set<Namespace>& unclear() const { return unclear_; }
  /// Collections that were not there at first.
  [[nodiscard]] const std::set<Uuid>& born() const { return born_; }

 private:
  using Names = std::map<Namespace, CollectionInfo>;

  Status create(const Event& event, const Namespace& ns);
  Status drop(const Event& event, const Namespace& ns);
  Status rename(const Event& event, const Namespace& ns);
  Status modify(const Event& event, const Namespace& ns);
  void drop_database(std::string_view database);
  /// A document change under a name: it may be the first sign of a collection, or of a new UUID.
  Status note_document(const Event& event, const Namespace& ns);
  void add(const Namespace& ns, CollectionInfo info);
  Result<CollectionInfo*> find(const Namespace& ns, std::string_view operation);
  [[nodiscard]] Uuid canonical(const Uuid& uuid) const;

  const std::function<bool(std::string_view)> in_scope_;
  Names names_;
  std::map<Uuid, Uuid> aliases_;
  std::set<Uuid> born_;
  std::set<Namespace> unclear_;
  /// Renamed, and no document change was seen since: the next one may bring a new UUID.
  std::set<Namespace> renamed_;
  /// The document change seen last, to look twice only at what is new.
  std::optional<Uuid> last_uuid_;
};

}  // namespace holdfast::changelog

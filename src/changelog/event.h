#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"

namespace holdfast::changelog {

enum class EventKind : std::uint8_t {
  insert = 1,
  update = 2,
  replace = 3,
  remove = 4,
  create = 5,
  drop = 6,
  rename = 7,
  drop_database = 8,
  /// collMod, createIndexes, dropIndexes and others of the catalog that leave the documents alone.
  modify = 9,
  /// The stream was invalidated, or another event that says nothing about data.
  other = 10,
};

/// A multi-document transaction: logical session id and number.
struct TransactionId {
  std::array<std::uint8_t, 16> session{};
  std::int64_t number = 0;
  friend auto operator<=>(const TransactionId&, const TransactionId&) = default;
};

/// A change of the source, as a view into a raw change event
/// (https://www.mongodb.com/docs/manual/reference/change-events/). Valid as long as that is.
struct Event {
  EventKind kind = EventKind::other;
  std::string_view database;
  std::string_view collection;  ///< Empty for drop_database.
  std::optional<Uuid> uuid;     ///< collectionUUID, where the server tells it.
  ClusterTime time;
  std::optional<TransactionId> transaction;
  /// documentKey._id; set for insert, update, replace, remove.
  std::optional<bson::ValueView> key;
  /// insert, replace: the document; update: the updateDescription.
  std::optional<bson::DocumentView> body;
  /// rename: the new name, and the UUID of the collection that it replaced.
  std::string_view to_database;
  std::string_view to_collection;
  std::optional<Uuid> replaced_uuid;

  /// The change event whole, as the stream gave it.
  bson::DocumentView raw;
  /// A change of a document that a fold is to leave out, and to know of.
  bool left_out = false;

  [[nodiscard]] bool is_document_change() const { return kind <= EventKind::remove; }
  [[nodiscard]] bool is_catalog_change() const {
    return kind >= EventKind::create && kind <= EventKind::modify;
  }
};

/// Reads a raw change event. Errors: corrupt (a field that its kind needs is missing or has the
/// wrong type), unsupported (an operation that nobody knows: it is never skipped silently).
[[nodiscard]] Result<Event> parse_event(bson::DocumentView raw);

}  // namespace holdfast::changelog

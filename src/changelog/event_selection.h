#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bson/document.h"
#include "changelog/event.h"
#include "changelog/event_name.h"
#include "dataset/types.h"

namespace holdfast::changelog {

/// The cluster times that a text names: one ("T:I"), or all of a second.
struct TimeSpan {
  ClusterTime first;
  ClusterTime last;
};
using TimeParser = std::function<Result<TimeSpan>(std::string_view)>;

/// Which events an operator means. Each part that is given must fit; of a part with several
/// values one must. A value.
struct EventSelection {
  std::vector<std::string> operations;   ///< As the change stream calls them: "delete".
  std::vector<std::string> collections;  ///< Globs of "database.collection" or "collection".
  std::optional<ClusterTime> from;       ///< Included.
  std::optional<ClusterTime> until;      ///< Included.
  std::vector<bson::Value> ids;          ///< Of documents; compared as MongoDB does.
  std::vector<EventName> names;

  [[nodiscard]] bool empty() const;
  [[nodiscard]] bool matches(const NamedEvent& event) const;
};

/// Reads "op=delete ns=shop.users time=A..B id=…": words KEY=VALUE with blanks between them.
/// - op: operations, with commas: insert, update, replace, delete, drop, rename, …
/// - ns: globs, with commas
/// - time: A..B, A.., ..B or one time; both ends are included
/// - id: see parse_document_id; may be repeated
/// - event: names, with commas
/// Errors: usage (also if nothing is given: that would be everything).
[[nodiscard]] Result<EventSelection> parse_event_selection(std::string_view text,
                                                           const TimeParser& parse_time);

/// The value of an `_id` as a person writes it: 24 hexadecimal digits are an ObjectId, else
/// Extended JSON ({"$oid": …}, 5, "text", {"a": 1}). Errors: usage.
[[nodiscard]] Result<bson::Value> parse_document_id(std::string_view text);

/// A known operation's name as the stream has it ("dropDatabase"), however it is capitalised.
/// Errors: usage.
[[nodiscard]] Result<std::string> parse_operation(std::string_view text);

/// What the change stream calls the event's operation.
[[nodiscard]] std::string_view operation_of(const Event& event);

}  // namespace holdfast::changelog

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bson/document.h"

namespace holdfast::profile {

/// A profile: what must be true of an application's data, as docs/profile.md specifies it. Plain
/// values, checked as far as they can be without data.

enum class Severity { info, warning, error };
[[nodiscard]] std::string_view name_of(Severity severity);
[[nodiscard]] std::optional<Severity> parse_severity(std::string_view name);

/// What becomes of a document that refers to one that is gone: it decides the suggested repair.
enum class OnDelete { restrict, cascade, nullify, soft };
[[nodiscard]] std::string_view name_of(OnDelete action);

struct Reference {
  std::string path;  ///< "history.restaurant": arrays on the way are walked.
  std::string to;    ///< A collection, by its `_id`.
  OnDelete on_delete = OnDelete::restrict;
  Severity severity = Severity::error;
  int line = 0;
};

/// The two fields that mark a document as deleted: both are set, or none.
struct SoftDelete {
  std::string at;
  std::string by;
};

struct CollectionProfile {
  std::string name;
  int line = 0;
  bool required = false;
  std::optional<bson::Document> schema;
  Severity schema_severity = Severity::error;
  /// As createIndexes takes them, without a name: key, unique, sparse, …
  std::vector<bson::Document> indexes;
  std::vector<Reference> references;
  std::optional<SoftDelete> soft_delete;
  /// Top-level fields whose values are shown to nobody; none said: all strings are personal.
  std::optional<std::vector<std::string>> personal;
};

/// Documents of another collection that belong to a document.
struct Lookup {
  std::string name;  ///< The field that holds them.
  std::string from;
  bson::Value local;    ///< Expression over the document: a key, or an array of keys.
  bson::Value foreign;  ///< The same over the other collection's documents.
  bool one = false;     ///< The field is the document itself, not an array of it.
  /// Top-level fields that are needed, besides `_id`.
  std::vector<std::string> keep;
  int line = 0;
};

/// A collection with what belongs to each of its documents.
struct View {
  std::string name;
  std::string of;
  std::vector<Lookup> lookups;
  int line = 0;
};

enum class RuleKind {
  expect,      ///< An expression is true.
  equals,      ///< Two expressions are equal, within a tolerance.
  unique,      ///< No two documents (or elements) share a key.
  determines,  ///< All documents (or elements) with one key share a value.
  ordered,     ///< In the order of `by`, `value` rises.
  symmetric,   ///< v in u.field if and only if u in v.other.
  count,       ///< How many documents there are.
  no_future,   ///< No date lies after "now".
  between,     ///< An expression over a document before and after is true.
};

struct Rule {
  std::string id;
  RuleKind kind = RuleKind::expect;
  std::string on;  ///< A collection or a view.
  int line = 0;
  Severity severity = Severity::error;
  std::string sentence;
  std::string repair;
  std::optional<bson::Value> where;
  /// An array; the rule is about each element ($$each), and a finding names its `_id` if it has
  /// one. `each_collection`: where that `_id` lives.
  std::optional<bson::Value> each;
  std::string each_collection;
  std::optional<bson::Value> expect;          ///< expect
  std::optional<bson::Value> actual, equals;  ///< equals; shown by expect, too
  double tolerance = 0;                       ///< equals: numbers; milliseconds for dates
  std::optional<bson::Value> key;             ///< unique, determines
  std::optional<bson::Value> value;           ///< determines, ordered
  std::optional<bson::Value> by;              ///< ordered
  std::string field, other;                   ///< symmetric
  std::optional<std::uint64_t> least, most;   ///< count
  std::vector<std::string> except;            ///< no_future: top-level fields
};

struct Profile {
  std::string name;
  std::vector<CollectionProfile> collections;
  std::vector<View> views;
  std::vector<Rule> rules;

  [[nodiscard]] const CollectionProfile* collection(std::string_view name) const;
  [[nodiscard]] const View* view(std::string_view name) const;
  /// The collection whose documents a rule is about.
  [[nodiscard]] const std::string& collection_of(const Rule& rule) const;
};

/// The variable that stands for an element where a rule has `each`.
inline constexpr std::string_view each_variable = "each";
/// The variables of a rule between two snapshots; missing where the document is not in one.
inline constexpr std::string_view before_variable = "before";
inline constexpr std::string_view after_variable = "after";

/// Reads a profile. `name` is for messages. Errors: usage; the message names the line.
[[nodiscard]] Result<Profile> parse_profile(std::string_view text, const std::string& name);
/// The same of a file. Errors: those of reading, usage.
[[nodiscard]] Result<Profile> read_profile(const std::string& path);

}  // namespace holdfast::profile

#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "checks/finding.h"
#include "checks/key_set.h"
#include "checks/record_sorter.h"
#include "profile/expression.h"
#include "profile/profile.h"
#include "profile/schema.h"

namespace holdfast::checks {

using profile::Datum;
using profile::Evaluation;
using profile::Expression;

/// A rule that is evaluated on one document (or one document of a view), its expressions parsed.
struct CompiledRule {
  const profile::Rule* rule = nullptr;
  std::size_t finding = 0;
  std::optional<Expression> where, each, expect, actual, equals;
};

/// A rule that sends keys to a sorter: unique, determines, ordered, symmetric.
struct KeyRule {
  const profile::Rule* rule = nullptr;
  std::size_t finding = 0;
  std::size_t sorter = 0;
  std::optional<Expression> where, each, key, value;
};

/// A collection that others refer to: its `_id`s, in memory while they fit, else in a sorter.
struct Target {
  std::string collection;
  KeySet ids;
  bool scanned = false;
  bool overflowed = false;
  /// References that came before the ids were complete, and everything after an overflow.
  std::size_t sorter = 0;
  bool deferred = false;  ///< Whether the sorter holds any reference.
};

struct CompiledReference {
  const profile::Reference* reference = nullptr;
  std::size_t finding = 0;
  std::size_t target = 0;
  std::optional<Expression> path;
};

/// Documents of a lookup's collection by key: in memory while they are few, else in a sorter.
struct LookupTable {
  std::unordered_multimap<std::string, Bytes> documents;
  std::uint64_t bytes = 0;
};

struct CompiledLookup {
  const profile::Lookup* lookup = nullptr;
  std::size_t slot = 0;  ///< In the view's fields.
  std::uint8_t tag = 0;  ///< In the view's sorter.
  bool direct = false;   ///< `local` is "$_id": no need to ask which documents want a key.
  /// `from` is scanned before the view's own collection: the table is complete by then.
  bool table_possible = false;
  bool in_table = false;  ///< Decided when `from` has been scanned.
  LookupTable table;
  std::size_t sorter = 0;           ///< Of an indirect lookup that is not in a table.
  std::optional<Expression> local;  ///< Over the view's document.
};

/// A view and the rules on it.
struct CompiledView {
  const profile::View* view = nullptr;
  profile::FieldNames fields;
  std::size_t id_slot = 0;
  std::vector<CompiledLookup> lookups;
  std::vector<CompiledRule> rules;
  std::vector<std::string> kept;  ///< Fields of the document that rules need; all if `whole`.
  std::size_t sorter = 0;
};

/// The other side of a lookup: what a collection's documents send to a view.
struct LookupSource {
  CompiledView* view = nullptr;
  CompiledLookup* lookup = nullptr;
  std::optional<Expression> foreign;
};

/// Everything that happens to each document of one collection.
struct CollectionProgram {
  std::string name;
  const profile::CollectionProfile* profile = nullptr;
  profile::FieldNames fields;
  std::size_t id_slot = 0;
  std::vector<CompiledRule> rules;
  std::vector<CompiledRule> no_future;
  std::vector<KeyRule> keys;
  std::vector<CompiledReference> references;
  std::vector<CompiledView*> views;
  std::vector<LookupSource> sources;
  std::optional<std::size_t> target;  ///< Others refer to it.
  std::optional<profile::Schema> schema;
  std::size_t schema_finding = 0;
  std::optional<std::size_t> soft_delete_finding;
  std::size_t deleted_at_slot = 0, deleted_by_slot = 0;
  std::vector<std::size_t> counts;  ///< Findings that are about the number of documents.
};

/// All of a run: findings with their headers, programs in the order of scanning, views, sorters.
struct Program {
  std::vector<Finding> findings;
  /// Per finding: the rule, if it comes from one.
  std::vector<const profile::Rule*> rules;
  std::vector<std::unique_ptr<CollectionProgram>> collections;
  std::vector<std::unique_ptr<CompiledView>> views;
  std::vector<std::unique_ptr<Target>> targets;
  std::vector<std::unique_ptr<RecordSorter>> sorters;
  /// Guards tables and sets while several threads fill them.
  std::unique_ptr<std::mutex> mutex = std::make_unique<std::mutex>();
  ExternalSorterSettings sorter_settings;
  std::uint64_t table_bytes = 0;   ///< A lookup's table may grow so far,
  std::uint64_t target_bytes = 0;  ///< all targets' sets of ids together so far.

  [[nodiscard]] std::size_t add_sorter(RandomSource& random);
  [[nodiscard]] std::uint64_t held_target_bytes() const;
};

/// Parses and links everything that a profile says. `only`: findings' ids to work out, all if
/// empty. The profile must outlive the program. Errors: usage.
[[nodiscard]] Result<Program> compile(const profile::Profile& profile,
                                      const std::vector<std::string>& only,
                                      std::uint64_t memory_bytes,
                                      const std::filesystem::path& folder, RandomSource& random);

/// What one thread keeps while it works: an Evaluation a program, a tally a finding.
using Tallies = std::vector<Tally>;

/// Evaluates a rule on the document that `evaluation` holds. `id`: its `_id`.
void apply_rule(const CompiledRule& rule, Evaluation& evaluation, const Datum& id, Tally& tally);

/// The names and values of `wanted` fields (and `_id`) of a document, as a document of its own.
void project(Bytes& out, bson::DocumentView document, const std::vector<std::string>& wanted);

/// Calls `visit` for a key, or for each key in an array of keys.
template <typename Visit>
void for_each_key(const Datum& keys, Visit visit) {
  if (!keys.is_array()) {
    if (is_key(keys)) visit(keys);
    return;
  }
  profile::for_each_element(keys, [&](const Datum& key) {
    for_each_key(key, visit);
    return true;
  });
}

}  // namespace holdfast::checks

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/progress.h"
#include "base/random.h"
#include "base/result.h"
#include "checks/finding.h"
#include "dataset/reader.h"
#include "profile/profile.h"

namespace holdfast::checks {

struct CheckOptions {
  /// Which of the reader's databases the profile is about.
  std::string database;
  /// "Now" for rules: the snapshot's time.
  std::int64_t now_ms = 0;
  /// Ids of rules (and built-in checks) to work out; all if empty.
  std::vector<std::string> rules;
  /// Sorters, sets and tables take no more than about this.
  std::uint64_t memory_bytes = 208ULL * 1024 * 1024;
  std::size_t workers = 2;
  /// Where spills go, encrypted and nameless.
  std::filesystem::path folder = "/tmp";
  /// Look a second time at what the first look found, and report what both found: for a database
  /// that is written to meanwhile.
  bool confirm = false;
  /// "Now" of the second look, in milliseconds: what was written during the first one would else
  /// lie in the future. Null: the same.
  std::function<std::int64_t()> later_now = nullptr;
};

struct CheckReport {
  std::string profile;
  std::int64_t now_ms = 0;
  std::uint64_t documents = 0;
  std::vector<std::string> checked;  ///< Ids of all rules and built-in checks, in order.
  std::vector<Finding> findings;     ///< Those with violations, the gravest first.

  [[nodiscard]] std::uint64_t count(profile::Severity severity) const;
};

/// Checks everything that a profile says about a dataset: one pass a collection, evaluated in
/// parallel, joins by sorting in bounded memory. Reads only. The same data give the same report,
/// whatever the reader. Built-in checks are named required.COLLECTION, index.COLLECTION,
/// schema.COLLECTION, reference.COLLECTION.PATH, soft_delete.COLLECTION.
/// Errors: not_found (no such database), usage, those of the reader, no_space, cancelled.
[[nodiscard]] Result<CheckReport> run_checks(DatasetReader& reader, const profile::Profile& profile,
                                             const CheckOptions& options, RandomSource& random,
                                             ProgressSink& progress, std::stop_token stop);

/// Adds to a report what the profile's rules between two states (`between`) say of `before` and
/// `after`, both read once in the order of their keys. Errors: as run_checks.
[[nodiscard]] Status run_between(DatasetReader& before, DatasetReader& after,
                                 const profile::Profile& profile, const CheckOptions& options,
                                 CheckReport& report, std::stop_token stop);

/// The finding without personal data: of a collection whose profile says which fields are
/// personal, findings that touch none of these keep their values; in all others strings become
/// "…" and only ids, numbers, dates and booleans remain. Ids that are strings are masked, too.
void mask_personal(Finding& finding, const profile::Profile& profile);

}  // namespace holdfast::checks

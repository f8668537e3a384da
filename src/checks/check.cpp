#include "checks/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bson/builder.h"
#include "bson/extended_json.h"
#include "bson/order.h"
#include "checks/scan_internal.h"

namespace holdfast::checks {
namespace {

using Hashes = std::map<std::string, std::unordered_set<std::uint64_t>>;

bool same_key(bson::DocumentView a, bson::DocumentView b) {
  return bson::compare({bson::Type::document, a.bytes()}, {bson::Type::document, b.bytes()}) == 0;
}

/// Whether an index that is there does what the declared one asks for.
bool fulfils(bson::DocumentView declared, bson::DocumentView actual) {
  if (!same_key(*declared.find_document("key"),
                actual.find_document("key").value_or(bson::DocumentView()))) {
    return false;
  }
  for (const bson::Element& option : declared) {
    if (option.name == "key") continue;
    const auto found = actual.find(option.name);
    const bool same =
        found ? bson::compare(*found, option.value) == 0 : !Datum(option.value).truthy();
    if (!same) return false;
  }
  // What was not asked for must not be there either: a unique index refuses documents.
  for (const std::string_view option : {"unique", "sparse", "partialFilterExpression"}) {
    if (!declared.find(option) && actual.find(option) && Datum(*actual.find(option)).truthy()) {
      return false;
    }
  }
  return true;
}

Finding catalog_finding(std::string id, const std::string& collection, std::string sentence) {
  Finding finding;
  finding.rule = std::move(id);
  finding.collection = collection;
  finding.sentence = std::move(sentence);
  finding.checked = 1;
  return finding;
}

/// What the catalog alone tells: collections that must be there, and indexes.
void check_catalog(const profile::Profile& profile, const CheckOptions& options,
                   const std::vector<CollectionInfo>& catalog, CheckReport& report) {
  const auto wanted = [&](const std::string& id) {
    return options.rules.empty() || std::ranges::find(options.rules, id) != options.rules.end();
  };
  for (const auto& declared : profile.collections) {
    const auto found = std::ranges::find_if(catalog, [&](const CollectionInfo& info) {
      return info.ns == Namespace{options.database, declared.name};
    });
    const std::string required = "required." + declared.name;
    if (declared.required && wanted(required)) {
      report.checked.push_back(required);
      if (found == catalog.end()) {
        Finding finding = catalog_finding(required, declared.name,
                                          fmt::format("The collection {} exists.", declared.name));
        finding.violations = 1;
        finding.repair = "restore the collection from a snapshot that has it";
        report.findings.push_back(std::move(finding));
      }
    }
    const std::string id = "index." + declared.name;
    if (declared.indexes.empty() || !wanted(id)) continue;
    report.checked.push_back(id);
    Finding finding = catalog_finding(
        id, declared.name, fmt::format("The indexes of {} are those declared.", declared.name));
    finding.severity = profile::Severity::warning;
    finding.checked = declared.indexes.size();
    for (const bson::Document& index : declared.indexes) {
      const bool there = found != catalog.end() &&
                         std::ranges::any_of(found->indexes, [&](const bson::Document& actual) {
                           return fulfils(index.view(), actual.view());
                         });
      if (there) continue;
      ++finding.violations;
      const bson::DocumentView key = *index.view().find_document("key");
      const bson::ValueView shown(bson::Type::document, index.bytes());
      if (finding.examples.size() < most_examples) {
        finding.examples.push_back({bson::Value({bson::Type::document, key.bytes()}),
                                    bson::Value(shown),
                                    {},
                                    "is missing or differs"});
      }
      const std::string text = bson::to_json(key, bson::JsonMode::relaxed);
      finding.repair += fmt::format("{}db.getCollection(\"{}\").createIndex({}, …)",
                                    finding.repair.empty() ? "" : "; ", declared.name, text);
    }
    finding.query = fmt::format("db.getCollection(\"{}\").getIndexes()", declared.name);
    if (finding.violations > 0) report.findings.push_back(std::move(finding));
  }
}

void check_count(const profile::Rule& rule, std::uint64_t seen, Tally& tally) {
  tally.check();
  if ((!rule.least || seen >= *rule.least) && (!rule.most || seen <= *rule.most)) return;
  const Datum actual = Datum::of_integer(static_cast<std::int64_t>(seen));
  const Datum expected = Datum::of_integer(
      static_cast<std::int64_t>(rule.least && seen < *rule.least ? *rule.least : *rule.most));
  tally.violation(Datum::null(), &expected, &actual, "documents in the collection");
}

/// One look at everything, or at `only` some rules.
class Look {
 public:
  Look(DatasetReader& reader, const profile::Profile& profile, const CheckOptions& options,
       RandomSource& random, ProgressSink& progress, std::stop_token stop)
      : reader_(reader),
        profile_(profile),
        options_(options),
        random_(random),
        progress_(progress),
        stop_(std::move(stop)) {}

  Status run(CheckReport& report, std::int64_t now_ms, const std::vector<std::string>& rules,
             const Hashes* earlier, Hashes* found) {
    HOLDFAST_TRY(const auto catalog, reader_.catalog());
    const bool known = std::ranges::any_of(catalog, [this](const CollectionInfo& info) {
      return info.ns.database == options_.database;
    });
    if (!known) {
      return Error(ErrorCode::not_found,
                   fmt::format("there is no database \"{}\"", options_.database),
                   "name another one with --database");
    }
    HOLDFAST_TRY(Program program,
                 compile(profile_, rules, options_.memory_bytes, options_.folder, random_));
    ScanOptions scan;
    scan.now_ms = now_ms;
    scan.workers = options_.workers;
    scan.empty_tallies = start_tallies(program, earlier, found);
    Tallies tallies = scan.empty_tallies;
    HOLDFAST_CHECK(scan_all(program, catalog, scan, tallies, report));
    progress_.stage("join", 0, 0);
    HOLDFAST_CHECK(join_all(program, now_ms, tallies, stop_));
    for (std::size_t i = 0; i < tallies.size(); ++i) {
      Finding& finding = program.findings[i];
      if (found != nullptr && !tallies[i].remembered().empty()) {
        (*found)[finding.rule] = tallies[i].remembered();
      }
      report.checked.push_back(finding.rule);
      std::move(tallies[i]).move_to(finding);
      if (finding.violations > 0) report.findings.push_back(std::move(finding));
    }
    return {};
  }

 private:
  static Tallies start_tallies(const Program& program, const Hashes* earlier, Hashes* found) {
    static const std::unordered_set<std::uint64_t> nothing;
    Tallies tallies(program.findings.size());
    for (std::size_t i = 0; i < tallies.size(); ++i) {
      tallies[i].remember(found != nullptr);
      if (earlier == nullptr) continue;
      const auto hashes = earlier->find(program.findings[i].rule);
      tallies[i].only(hashes == earlier->end() ? &nothing : &hashes->second);
    }
    return tallies;
  }

  Status scan_all(Program& program, const std::vector<CollectionInfo>& catalog,
                  const ScanOptions& scan, Tallies& tallies, CheckReport& report) {
    progress_.stage("check", 0, 0);
    for (auto& collection : program.collections) {
      const Namespace ns{options_.database, collection->name};
      const bool there =
          std::ranges::any_of(catalog, [&](const CollectionInfo& info) { return info.ns == ns; });
      std::uint64_t seen = 0;
      if (there) {
        HOLDFAST_TRY(const auto cursor, reader_.open(ns));
        const Status status =
            scan_collection(program, *collection, *cursor, scan, tallies, seen, progress_, stop_);
        if (!status.ok()) return status.error().with_context(ns.text());
      } else if (collection->target) {
        program.targets[*collection->target]->scanned = true;
      }
      report.documents += seen;
      for (const std::size_t finding : collection->counts) {
        check_count(*program.rules[finding], seen, tallies[finding]);
      }
    }
    return {};
  }

  DatasetReader& reader_;
  const profile::Profile& profile_;
  const CheckOptions& options_;
  RandomSource& random_;
  ProgressSink& progress_;
  std::stop_token stop_;
};

void put_gravest_first(CheckReport& report) {
  std::ranges::stable_sort(report.findings, std::ranges::greater{}, &Finding::severity);
}

}  // namespace

std::uint64_t CheckReport::count(profile::Severity severity) const {
  return static_cast<std::uint64_t>(std::ranges::count(findings, severity, &Finding::severity));
}

Result<CheckReport> run_checks(DatasetReader& reader, const profile::Profile& profile,
                               const CheckOptions& options, RandomSource& random,
                               ProgressSink& progress, std::stop_token stop) {
  Look look(reader, profile, options, random, progress, stop);
  CheckReport report;
  report.profile = profile.name;
  report.now_ms = options.now_ms;
  HOLDFAST_TRY(const auto catalog, reader.catalog());
  check_catalog(profile, options, catalog, report);
  const std::size_t from_catalog = report.findings.size();
  Hashes found;
  HOLDFAST_CHECK(
      look.run(report, options.now_ms, options.rules, nullptr, options.confirm ? &found : nullptr));
  if (options.confirm && report.findings.size() > from_catalog) {
    std::vector<std::string> again;
    for (std::size_t i = from_catalog; i < report.findings.size(); ++i) {
      again.push_back(report.findings[i].rule);
    }
    report.findings.erase(report.findings.begin() + static_cast<std::ptrdiff_t>(from_catalog),
                          report.findings.end());
    CheckReport second;
    progress.note("looking a second time at what was found");
    const std::int64_t now_ms = options.later_now ? options.later_now() : options.now_ms;
    HOLDFAST_CHECK(look.run(second, now_ms, again, &found, nullptr));
    std::ranges::move(second.findings, std::back_inserter(report.findings));
  }
  put_gravest_first(report);
  return report;
}

}  // namespace holdfast::checks

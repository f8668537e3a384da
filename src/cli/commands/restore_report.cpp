#include "cli/commands/restore_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/show_snapshot.h"
#include "cli/table.h"

namespace holdfast::cli {
namespace {

std::string duration_text(double seconds) {
  return format_duration(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
}

/// A merge that went as told need not be identical with the snapshot.
bool merged_as_told(const restore::RestoredCollection& collection) {
  return collection.compared && collection.differences.empty() && collection.refused_count == 0 &&
         (collection.kept_different > 0 || collection.beside > 0);
}

bool clean(const restore::RestoredCollection& collection) {
  return collection.refused_count == 0 && collection.differences.empty() &&
         (!collection.compared || collection.identical || merged_as_told(collection));
}

/// What stands on the server that is not the snapshot's, in a sentence; empty if nothing does.
std::string others_text(const restore::RestoreOutcome& outcome, const std::string& snapshot) {
  std::uint64_t kept = 0;
  std::uint64_t beside = 0;
  for (const auto& collection : outcome.collections) {
    kept += collection.kept_different;
    beside += collection.beside;
  }
  if (kept + beside == 0) return {};
  std::string text =
      kept == 0 ? fmt::format("every document of snapshot {} is there", snapshot)
                : fmt::format("{} of the server's kept in place of those of snapshot {}, as told",
                              counted(kept, "document"), snapshot);
  if (beside > 0) text += fmt::format("; beside them {}", counted(beside, "other document"));
  return text + "\n";
}

std::string result_word(const restore::RestoredCollection& collection) {
  if (collection.refused_count > 0) return "documents refused";
  if (!collection.compared) return collection.differences.empty() ? "not compared" : "differs";
  if (merged_as_told(collection)) return "merged";
  return collection.identical ? "identical" : "differs";
}

std::string details_of(const restore::RestoredCollection& collection) {
  std::string text = fmt::format("\n{}:\n", sanitize_for_terminal(collection.target.text()));
  for (const auto& refused : collection.refused) {
    text += fmt::format("  refused: {}\n", sanitize_for_terminal(refused));
  }
  if (collection.refused_count > collection.refused.size()) {
    text += fmt::format("  … and {} more refused\n",
                        format_count(collection.refused_count - collection.refused.size()));
  }
  for (const auto& difference : collection.differences) {
    text += fmt::format("  differs: {}\n", sanitize_for_terminal(difference));
  }
  return text;
}

}  // namespace

std::string plan_text(const restore::RestorePlan& plan) {
  Table table({{"SNAPSHOT'S"},
               {"TARGET"},
               {"DOCUMENTS", Align::right},
               {"SIZE", Align::right},
               {"INDEXES", Align::right},
               {"ACTION"},
               {"NOW THERE", Align::right}});
  for (const auto& collection : plan.collections) {
    const bool view = collection.type == CollectionType::view;
    table.add_row(
        {collection.source.text(), collection.target.text(),
         view ? "" : format_count(collection.documents), view ? "" : format_bytes(collection.bytes),
         view ? "" : std::to_string(collection.indexes), collection.action,
         collection.target_exists && !view ? format_count(collection.target_documents) : ""});
  }
  return fmt::format("restore of snapshot {} to {}\n\n{}\n{}, {}, {}\n", plan.snapshot_id,
                     plan.target, table.text(), counted(plan.collections.size(), "collection"),
                     counted(plan.documents, "document"), format_bytes(plan.bytes));
}

Json plan_json(const restore::RestorePlan& plan) {
  Json collections = Json::array();
  for (const auto& collection : plan.collections) {
    collections.push_back({{"source", collection.source.text()},
                           {"target", collection.target.text()},
                           {"type", name_of(collection.type)},
                           {"documents", collection.documents},
                           {"bytes", collection.bytes},
                           {"indexes", collection.indexes},
                           {"target_exists", collection.target_exists},
                           {"target_documents", collection.target_documents},
                           {"action", collection.action}});
  }
  return Json{{"snapshot", plan.snapshot_id}, {"target", plan.target},
              {"documents", plan.documents},  {"bytes", plan.bytes},
              {"warnings", plan.warnings},    {"collections", collections}};
}

std::string outcome_text(const restore::RestoreOutcome& outcome, const restore::RestorePlan& plan) {
  Table table({{"COLLECTION"},
               {"DOCUMENTS", Align::right},
               {"KEPT", Align::right},
               {"REFUSED", Align::right},
               {"RESULT"}});
  std::string details;
  for (const auto& collection : outcome.collections) {
    table.add_row({collection.target.text(), format_count(collection.documents),
                   collection.kept > 0 ? format_count(collection.kept) : "",
                   collection.refused_count > 0 ? format_count(collection.refused_count) : "",
                   result_word(collection)});
    if (!clean(collection)) details += details_of(collection);
  }
  std::string text = "\n" + table.text() + details;
  text += fmt::format("\n{}, {} in {}", counted(outcome.documents, "document"),
                      format_bytes(outcome.bytes), duration_text(outcome.seconds));
  if (outcome.compare_seconds > 0) {
    text += fmt::format(", {} of it to read back", duration_text(outcome.compare_seconds));
  }
  text += "\n";
  if (outcome.identical) {
    return text + fmt::format("identical with snapshot {}\n", plan.snapshot_id);
  }
  switch (exit_code_of(outcome, plan)) {
    case ExitCode::partial: return text + "NOT complete: the server refused documents\n";
    case ExitCode::findings: return text + "NOT identical with the snapshot\n";
    default: break;
  }
  const std::string others = others_text(outcome, plan.snapshot_id);
  return text + (others.empty() ? "not compared with the snapshot\n" : others);
}

Json outcome_json(const restore::RestoreOutcome& outcome, const restore::RestorePlan& plan,
                  ExitCode code) {
  Json collections = Json::array();
  for (const auto& collection : outcome.collections) {
    collections.push_back({{"target", collection.target.text()},
                           {"documents", collection.documents},
                           {"kept", collection.kept},
                           {"kept_different", collection.kept_different},
                           {"beside", collection.beside},
                           {"refused", collection.refused},
                           {"refused_count", collection.refused_count},
                           {"compared", collection.compared},
                           {"identical", collection.identical},
                           {"differences", collection.differences}});
  }
  return Json{{"snapshot", plan.snapshot_id},   {"target", plan.target},
              {"identical", outcome.identical}, {"exit_code", static_cast<int>(code)},
              {"documents", outcome.documents}, {"bytes", outcome.bytes},
              {"seconds", outcome.seconds},     {"compare_seconds", outcome.compare_seconds},
              {"collections", collections}};
}

ExitCode exit_code_of(const restore::RestoreOutcome& outcome, const restore::RestorePlan& plan) {
  const auto& all = outcome.collections;
  const bool refused =
      std::any_of(all.begin(), all.end(), [](const auto& one) { return one.refused_count > 0; });
  if (refused) return ExitCode::partial;
  const bool differs = std::any_of(all.begin(), all.end(), [&plan](const auto& one) {
    if (!one.differences.empty()) return true;
    return (one.compared || plan.options.compare) && !one.identical && !merged_as_told(one);
  });
  return differs ? ExitCode::findings : ExitCode::done;
}

}  // namespace holdfast::cli

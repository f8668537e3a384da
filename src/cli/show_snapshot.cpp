#include "cli/show_snapshot.h"

#include <fmt/format.h>

#include "base/text.h"
#include "service/overview.h"

namespace holdfast::cli {

std::string_view consistency_word(const Consistency& consistency) {
  return consistency.kind == Consistency::Kind::exact ? "exact" : "best-effort";
}

std::string consistency_text(const Consistency& consistency) {
  if (consistency.kind == Consistency::Kind::best_effort) {
    return consistency.reason.empty() ? "best-effort"
                                      : "best-effort: " + sanitize_for_terminal(consistency.reason);
  }
  if (consistency.time.is_null()) return "exact";
  const WallTime time{std::chrono::seconds(consistency.time.seconds)};
  return fmt::format("exact at {} ({})", shown_time(time), consistency.time.text());
}

Json consistency_json(const Consistency& consistency) {
  Json json{{"kind", consistency_word(consistency)}};
  if (consistency.time.is_null()) {
    json["cluster_time"] = nullptr;
  } else {
    json["cluster_time"] =
        Json{{"seconds", consistency.time.seconds}, {"increment", consistency.time.increment}};
  }
  json["reason"] = consistency.reason;
  return json;
}

std::string shown_time(WallTime time) {
  return time == WallTime{} ? "never" : format_time(time, TimeZone::local);
}

std::string shown_age(WallTime time, WallTime now) { return service::age_text(time, now); }

std::string counted(std::uint64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", format_count(count), singular, count == 1 ? "" : "s");
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

Json summary_json(const repository::SnapshotSummary& summary) {
  return Json{{"id", summary.id},
              {"source",
               {{"id", summary.source.id},
                {"description", summary.source.description},
                {"server_version", summary.source.server_version}}},
              {"kind", name_of(summary.kind)},
              {"parent", summary.parent},
              {"databases", summary.databases},
              {"whole", summary.whole},
              {"started", json_time(summary.started)},
              {"finished", json_time(summary.finished)},
              {"consistency", consistency_json(summary.consistency)},
              {"collections", summary.collections},
              {"documents", summary.documents},
              {"document_bytes", summary.document_bytes},
              {"stored_bytes", summary.stored_bytes},
              {"tags", summary.tags},
              {"critical", !summary.critical_reason.empty()},
              {"critical_reason", summary.critical_reason}};
}

Json damage_json(const repository::Damage& damage) {
  return Json{{"what", damage.what},
              {"where", damage.where},
              {"message", damage.sentence},
              {"affects", damage.affects}};
}

std::string damage_text(const repository::Damage& damage) {
  std::string text = fmt::format("{} {}: {}\n", damage.what, sanitize_for_terminal(damage.where),
                                 sanitize_for_terminal(damage.sentence));
  for (const std::string& one : damage.affects) {
    text += fmt::format("    affects {}\n", sanitize_for_terminal(one));
  }
  return text;
}

}  // namespace holdfast::cli

#include "cli/show_coverage.h"

#include <fmt/format.h>

#include "base/text.h"
#include "changelog/log_chain.h"
#include "cli/parse_cluster_time.h"
#include "cli/show_snapshot.h"

namespace holdfast::cli {
namespace {

using changelog::Coverage;
using changelog::CoverageGap;
using changelog::CoverageSpan;

std::string shown(ClusterTime time) { return shown_time(wall_time_of(time)); }

Json moment_json(ClusterTime time) {
  return Json{{"time", json_time(wall_time_of(time))}, {"cluster_time", time.text()}};
}

std::string span_text(const CoverageSpan& span) {
  if (span.from == span.until) {
    return fmt::format("  at      {}, snapshot {}\n", shown(span.from),
                       span.bases.front().snapshot);
  }
  return fmt::format("  any of  {} → {}, from {}\n", shown(span.from), shown(span.until),
                     counted(span.bases.size(), "snapshot"));
}

std::string gap_text(const CoverageGap& gap) {
  return fmt::format("  GAP     {} → {}{}: {}\n", shown(gap.since), shown(gap.until),
                     gap.open ? " and on" : "", sanitize_for_terminal(gap.cause));
}

}  // namespace

Result<std::vector<Coverage>> read_coverage(repository::Repository& repository,
                                            const std::string& source) {
  HOLDFAST_TRY(const auto chains, changelog::read_log_chains(repository, source));
  HOLDFAST_TRY(auto listing, repository.list());
  if (!source.empty()) {
    std::erase_if(listing.snapshots,
                  [&source](const auto& summary) { return summary.source.id != source; });
  }
  return changelog::compute_coverage(listing.snapshots, chains);
}

std::string coverage_text(const Coverage& coverage) {
  std::string text = fmt::format("{}, {}\n", sanitize_for_terminal(coverage.source),
                                 sanitize_for_terminal(joined(coverage.databases)));
  for (std::size_t at = 0; at < coverage.spans.size(); ++at) {
    text += span_text(coverage.spans[at]);
    if (at < coverage.gaps.size()) text += gap_text(coverage.gaps[at]);
  }
  return text;
}

Json coverage_json(const Coverage& coverage) {
  Json spans = Json::array();
  for (const CoverageSpan& span : coverage.spans) {
    Json snapshots = Json::array();
    for (const auto& base : span.bases) snapshots.push_back(base.snapshot);
    spans.push_back({{"from", moment_json(span.from)},
                     {"until", moment_json(span.until)},
                     {"snapshots", snapshots}});
  }
  Json gaps = Json::array();
  for (const CoverageGap& gap : coverage.gaps) {
    gaps.push_back({{"since", moment_json(gap.since)},
                    {"until", moment_json(gap.until)},
                    {"cause", gap.cause},
                    {"open", gap.open}});
  }
  return Json{{"source", coverage.source},
              {"databases", coverage.databases},
              {"spans", spans},
              {"gaps", gaps}};
}

std::string coverage_glance(const std::vector<Coverage>& all, WallTime now) {
  const CoverageSpan* newest = nullptr;
  for (const Coverage& coverage : all) {
    const CoverageSpan& last = coverage.spans.back();
    if (newest == nullptr || last.until > newest->until) newest = &last;
  }
  if (newest == nullptr || newest->from == newest->until) return {};
  return fmt::format("restorable to any second {} → {} ({})", shown(newest->from),
                     shown(newest->until), shown_age(wall_time_of(newest->until), now));
}

}  // namespace holdfast::cli

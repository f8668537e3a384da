#include "cli/commands/check_report.h"

#include <fmt/format.h>

#include "base/text.h"
#include "bson/extended_json.h"
#include "cli/show_snapshot.h"

namespace holdfast::cli {
namespace {

using checks::Example;
using checks::Finding;
using profile::Severity;

/// Examples that the text shows; --json has all.
constexpr std::size_t shown_examples = 5;

/// A value in one short piece.
std::string shown(const bson::Value& value) {
  const bson::ValueView view = value.view();
  if (view.type() == bson::Type::object_id) return to_hex(view.as_object_id());
  std::string text = bson::to_json(view, bson::JsonMode::relaxed);
  if (view.type() == bson::Type::date) {
    const auto begin = text.find(':') + 1;
    text = text.substr(begin, text.size() - begin - 1);
  }
  return sanitize_for_terminal(text);
}

std::string example_text(const Example& example) {
  std::string text = "    " + shown(example.id);
  if (example.expected) text += ": expected " + shown(*example.expected);
  if (example.actual) text += (example.expected ? ", found " : ": found ") + shown(*example.actual);
  if (!example.note.empty()) text += " (" + sanitize_for_terminal(example.note) + ")";
  return text + "\n";
}

std::string severity_text(Severity severity, const Output& output) {
  switch (severity) {
    case Severity::error: return output.colored("ERROR", Output::Color::red);
    case Severity::warning: return output.colored("WARNING", Output::Color::yellow);
    case Severity::info: break;
  }
  return "INFO";
}

std::string finding_text(const Finding& finding, const Output& output) {
  std::string text = fmt::format(
      "{}  {}: {} of {} in {}\n  {}\n", severity_text(finding.severity, output), finding.rule,
      format_count(finding.violations), format_count(finding.checked),
      sanitize_for_terminal(finding.collection), isolate_right_to_left(finding.sentence));
  for (std::size_t i = 0; i < finding.examples.size() && i < shown_examples; ++i) {
    text += example_text(finding.examples[i]);
  }
  if (finding.violations > shown_examples) {
    text += fmt::format("    and {} more\n", format_count(finding.violations - shown_examples));
  }
  if (!finding.query.empty()) text += "  query: " + sanitize_for_terminal(finding.query) + "\n";
  if (!finding.repair.empty()) text += "  repair: " + sanitize_for_terminal(finding.repair) + "\n";
  return text + "\n";
}

Json value_json(const bson::Value& value) {
  return Json::parse(bson::to_json(value.view(), bson::JsonMode::relaxed), nullptr, false);
}

Json example_json(const Example& example) {
  Json json{{"_id", value_json(example.id)}};
  if (example.expected) json["expected"] = value_json(*example.expected);
  if (example.actual) json["actual"] = value_json(*example.actual);
  if (!example.note.empty()) json["note"] = example.note;
  return json;
}

}  // namespace

std::string check_report_text(const checks::CheckReport& report, const Output& output) {
  std::string text;
  for (const Finding& finding : report.findings) text += finding_text(finding, output);
  return text + fmt::format("{} checked over {}: {}\n", counted(report.checked.size(), "rule"),
                            counted(report.documents, "document"),
                            report.findings.empty()
                                ? "all hold"
                                : fmt::format("{}, {}, {} broken",
                                              counted(report.count(Severity::error), "error"),
                                              counted(report.count(Severity::warning), "warning"),
                                              report.findings.size()));
}

Json check_report_json(const checks::CheckReport& report) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings) {
    Json examples = Json::array();
    for (const Example& example : finding.examples) examples.push_back(example_json(example));
    findings.push_back({{"rule", finding.rule},
                        {"severity", profile::name_of(finding.severity)},
                        {"collection", finding.collection},
                        {"sentence", finding.sentence},
                        {"checked", finding.checked},
                        {"violations", finding.violations},
                        {"examples", examples},
                        {"query", finding.query},
                        {"repair", finding.repair}});
  }
  return Json{{"profile", report.profile},
              {"now", json_time(WallTime(std::chrono::milliseconds(report.now_ms)))},
              {"documents", report.documents},
              {"rules", report.checked},
              {"errors", report.count(Severity::error)},
              {"warnings", report.count(Severity::warning)},
              {"findings", findings}};
}

}  // namespace holdfast::cli

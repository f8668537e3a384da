#include "cli/commands/verify_file.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"
#include "interop/open_dump.h"
#include "transfer/check_dump.h"

namespace holdfast::cli {
namespace {

Result<transfer::DumpCheck> check(Context& context, const std::string& file,
                                  const std::vector<std::string>& required, std::string& format) {
  ProgressDisplay progress(context.terminal, context.output, context.clock);
  const interop::SpoolPlace place{context.settings.spool_folder, context.random};
  auto dump = interop::open_dump(file, {}, place);
  if (!dump.ok() && dump.error().code() == ErrorCode::corrupt) {
    transfer::DumpCheck damaged;
    damaged.damage.push_back(dump.error().message());
    return damaged;
  }
  if (!dump.ok()) return dump.error();
  format = (*dump)->format();
  return transfer::check_dump(**dump, required, progress, context.stop);
}

Json json_of(const transfer::DumpCheck& checked, const std::string& file,
             const std::string& format) {
  Json collections = Json::array();
  for (const auto& one : checked.collections) {
    collections.push_back(Json{
        {"name", one.info.ns.text()}, {"documents", one.documents}, {"document_bytes", one.bytes}});
  }
  return Json{{"file", file},
              {"format", format},
              {"whole", checked.damage.empty()},
              {"collections", collections},
              {"documents", checked.documents},
              {"document_bytes", checked.bytes},
              {"oplog_entries", checked.oplog_entries},
              {"damage", checked.damage}};
}

}  // namespace

bool names_a_file(const std::string& argument) {
  std::error_code ignored;
  return argument.find('/') != std::string::npos || std::filesystem::exists(argument, ignored);
}

Result<ExitCode> verify_files(Context& context, const std::vector<std::string>& files,
                              const std::vector<std::string>& required) {
  Json results = Json::array();
  bool whole = true;
  for (const std::string& file : files) {
    std::string format = "dump";
    HOLDFAST_TRY(const auto checked, check(context, file, required, format));
    std::string text =
        fmt::format("{} ({}): {}, {}, {}\n", sanitize_for_terminal(file), format,
                    counted(checked.collections.size(), "collection"),
                    counted(checked.documents, "document"), format_bytes(checked.bytes));
    if (checked.oplog_entries > 0) {
      text += fmt::format("  and its oplog: {}\n", counted(checked.oplog_entries, "change"));
    }
    for (const std::string& damage : checked.damage) {
      text += "  DAMAGE: " + sanitize_for_terminal(damage) + "\n";
    }
    if (checked.damage.empty()) text += "  every document was read: whole\n";
    whole = whole && checked.damage.empty();
    // Damage is never a matter of verbosity.
    checked.damage.empty() ? context.output.report(text) : context.output.print(text);
    results.push_back(json_of(checked, file, format));
  }
  context.output.result("holdfast.verify-file/1", Json{{"whole", whole}, {"files", results}});
  return whole ? ExitCode::done : ExitCode::findings;
}

}  // namespace holdfast::cli

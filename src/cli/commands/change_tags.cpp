#include "cli/commands/change_tags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/open.h"
#include "cli/show_snapshot.h"
#include "service/safety_snapshot.h"

namespace holdfast::cli {

void ChangeTags::declare(CLI::App& app) {
  app.add_option("snapshot", snapshot_, "Its id, the first digits of it, or 'latest'")
      ->type_name("SNAPSHOT")
      ->required();
  app.add_option("tags", tags_, "One or more words")->type_name("TAG")->required();
}

Result<ExitCode> ChangeTags::run(Context& context) {
  for (const std::string& tag : tags_) {
    if (tag.empty()) return Error(ErrorCode::usage, "a tag cannot be empty");
  }
  HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_write));
  HOLDFAST_TRY(const std::string wanted, service::resolve_latest(*repository, snapshot_));
  HOLDFAST_TRY(const auto manifest, repository->manifest(wanted));
  std::vector<std::string> tags = manifest.summary.tags;
  for (const std::string& tag : tags_) change(tags, tag);
  const std::string& id = manifest.summary.id;
  if (tags != manifest.summary.tags) HOLDFAST_CHECK(repository->set_tags(id, tags));
  context.output.report(fmt::format(
      "snapshot {}: {}\n", id, tags.empty() ? "no tags" : sanitize_for_terminal(joined(tags))));
  context.output.document("holdfast.snapshot-tags/1", Json{{"id", id}, {"tags", tags}});
  return ExitCode::done;
}

}  // namespace holdfast::cli

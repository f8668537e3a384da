#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "cli/command.h"
#include "mongo/client.h"
#include "repository/repository.h"
#include "timetravel/moment.h"

namespace holdfast::cli {

/// A moment that was made out of a snapshot and the log.
struct OpenedMoment {
  /// A view that holds it, unless it was made for good; must go before the repository.
  std::unique_ptr<repository::Repository> view;
  timetravel::MomentPlan plan;
  timetravel::MomentOutcome outcome;
};

/// The flags by which a command is told a moment instead of a snapshot.
class MomentFlags {
 public:
  /// --at, --before, --source, --database; with `without` also --without and --skip-conflicts.
  void declare(CLI::App& app, bool without);
  [[nodiscard]] bool given() const { return !at_.empty() || !before_.empty() || !without_.empty(); }
  /// "10 minutes ago": by the server's clock.
  [[nodiscard]] bool needs_server_clock() const;
  [[nodiscard]] bool leaves_out() const { return !without_.empty(); }

  /// Makes the moment: in a view that vanishes, or for good if `options` are given. The client
  /// tells the server's clock for "… ago"; it may be null. Errors: usage, gap (exit code 13),
  /// precondition (conflicts; lists them), those of timetravel.
  [[nodiscard]] Result<OpenedMoment> make(Context& context, repository::Repository& repository,
                                          const mongo::Client* client,
                                          const std::optional<timetravel::MomentOptions>& for_good,
                                          ProgressSink& progress) const;

 private:
  [[nodiscard]] Result<std::optional<ClusterTime>> requested_time(
      const mongo::Client* client) const;
  [[nodiscard]] Result<timetravel::MomentPlan> plan(
      Context& context, repository::Repository& repository, const mongo::Client* client,
      const std::vector<changelog::EventSelection>& without, ProgressSink& progress) const;
  [[nodiscard]] Result<std::vector<changelog::EventSelection>> selections() const;

  std::string at_;
  std::string before_;
  std::vector<std::string> without_;
  std::string source_;
  std::string database_;
  bool skip_conflicts_ = false;
};

/// What was made, in some lines.
[[nodiscard]] std::string moment_text(const OpenedMoment& moment);
[[nodiscard]] Json moment_json(const OpenedMoment& moment);

}  // namespace holdfast::cli

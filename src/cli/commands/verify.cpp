#include "cli/commands/verify.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.h"
#include "cli/commands/verify_file.h"
#include "cli/open.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"
#include "service/safety_snapshot.h"

namespace holdfast::cli {
namespace {

class VerifyCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "verify",
        .group = "Backups",
        .summary = "Check that the backups are whole",
        .description =
            "Checks the structure of every snapshot, or of those named: manifests, keys, "
            "tombstones, and that each file is there in its length. With --read-data every byte "
            "is read, authenticated, decoded and counted, and each collection's fingerprint is "
            "computed again. Damage is named by snapshot, collection and key range, and what is "
            "still restorable is said; the exit code is then 4.\n\n"
            "A path instead of snapshots (anything with a '/', or a file that is there) is a dump "
            "outside of the repository: a .tar.gz, folder, archive or file of any format that "
            "'import' reads. Every document of it is decoded, and collections that --require names "
            "must be in it.",
        .examples = {{"holdfast verify", "Structure only: quick, for every day."},
                     {"holdfast verify latest --read-data --quiet",
                      "Every byte of the newest snapshot; silent if all is well."},
                     {"holdfast verify ./20261123_091414.tar.gz --require users",
                      "Is this dump whole, and are the users in it?"}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file",
                     "backup.spool_folder"},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("snapshots", snapshots_, "Ids, or 'latest'; none means all; or paths of dumps")
        ->type_name("SNAPSHOT");
    app.add_option("--require", required_, "Of dumps: a collection that must be there, repeatable")
        ->type_name("NAME")
        ->allow_extra_args(false);
    app.add_flag("--read-data", read_data_, "Read and check every byte of data, too");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    const auto files = std::count_if(snapshots_.begin(), snapshots_.end(), names_a_file);
    if (files > 0 && static_cast<std::size_t>(files) == snapshots_.size()) {
      return verify_files(context, snapshots_, required_);
    }
    if (files > 0) return Error(ErrorCode::usage, "verify snapshots or paths, not both at once");
    if (!required_.empty()) return Error(ErrorCode::usage, "--require is for paths of dumps");
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    for (std::string& snapshot : snapshots_) {
      HOLDFAST_TRY(snapshot, service::resolve_latest(*repository, snapshot));
    }
    const auto began = context.clock.steady_now();
    const auto verified = [&] {
      ProgressDisplay progress(context.terminal, context.output, context.clock);
      return repository->verify(read_data_, snapshots_, progress, context.stop);
    }();
    if (!verified.ok()) return verified.error();
    const auto duration = context.clock.steady_now() - began;
    const bool whole = verified->damage.empty();
    const std::string text = text_of(*verified, duration);
    // Damage is never a matter of verbosity.
    whole ? context.output.report(text) : context.output.print(text);
    context.output.result("holdfast.verify/1", json_of(*verified, duration));
    return whole ? ExitCode::done : ExitCode::findings;
  }

 private:
  [[nodiscard]] std::string text_of(const repository::VerifyReport& report,
                                    std::chrono::nanoseconds duration) const {
    std::string text =
        fmt::format("{}, {}", counted(report.snapshots, "snapshot"), counted(report.files, "file"));
    if (read_data_) {
      text += fmt::format("; read {}, {}", counted(report.documents, "document"),
                          format_bytes(report.document_bytes));
    }
    if (report.log_segments > 0) {
      text += fmt::format("; {} of the log with {}", counted(report.log_segments, "segment"),
                          counted(report.log_events, "event"));
    }
    text += fmt::format(" in {}\n", format_duration(duration));
    if (report.unreferenced_files > 0) {
      text +=
          fmt::format("harmless: {} in no snapshot\n", counted(report.unreferenced_files, "file"));
    }
    if (report.damage.empty()) {
      return text + (read_data_ ? "everything is whole\n"
                                : "the structure is whole; --read-data checks the data, too\n");
    }
    text += fmt::format("\nDAMAGE: {}\n", format_count(report.damage.size()));
    for (const auto& damage : report.damage) text += "  " + damage_text(damage);
    text += report.whole_snapshots.empty()
                ? "\nno snapshot is whole\n"
                : fmt::format("\nstill whole: {}\n", joined(report.whole_snapshots));
    return text + "Of a damaged snapshot every collection not named above is restorable.\n";
  }

  [[nodiscard]] Json json_of(const repository::VerifyReport& report,
                             std::chrono::nanoseconds duration) const {
    Json damage = Json::array();
    for (const auto& one : report.damage) damage.push_back(damage_json(one));
    return Json{{"whole", report.damage.empty()},
                {"read_data", read_data_},
                {"snapshots", report.snapshots},
                {"files", report.files},
                {"documents", report.documents},
                {"document_bytes", report.document_bytes},
                {"log_segments", report.log_segments},
                {"log_events", report.log_events},
                {"unreferenced_files", report.unreferenced_files},
                {"damage", damage},
                {"whole_snapshots", report.whole_snapshots},
                {"seconds", std::chrono::duration<double>(duration).count()}};
  }

  std::vector<std::string> snapshots_;
  std::vector<std::string> required_;
  bool read_data_ = false;
};

}  // namespace

std::unique_ptr<Command> make_verify_command() { return std::make_unique<VerifyCommand>(); }

}  // namespace holdfast::cli

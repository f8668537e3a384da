#include "cli/commands/import.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "cli/bad_records.h"
#include "cli/open.h"
#include "cli/parse_moment.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"
#include "dataset/selection.h"
#include "interop/open_dump.h"
#include "transfer/export_dataset.h"
#include "transfer/find_dumps.h"
#include "transfer/import_live.h"
#include "transfer/import_snapshot.h"

namespace holdfast::cli {
namespace {

class ImportCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "import",
        .group = "Exchange",
        .summary = "Read a dump, JSON or CSV into a snapshot or a server",
        .description =
            "Reads a folder of mongodump, an archive, a tar of such a folder, a .bson file, JSON, "
            "CSV or TSV, packed with gzip or not; '-' is standard input. The format is recognised "
            "by the content. Without --to the dump becomes a snapshot of the repository; with --to "
            "it is written into a server.\n\n"
            "A stream is checked to its end before anything is written: a damaged archive or a "
            "text with a line that cannot be stored exactly changes nothing. --skip-bad leaves "
            "such lines out and lists them; --salvage reads past an archive's damage and says what "
            "is missing. Exit code 3 means that something was left out.",
        .examples =
            {{"holdfast import /backups/dump", "A folder of mongodump becomes a snapshot."},
             {"holdfast import shop.archive.gz --to mongodb://localhost",
              "An archive straight into a server; collections that exist are refused."},
             {"holdfast import users.json --to mongodb://localhost --database shop --mode upsert",
              "Documents replace those of the same _id, or are added."},
             {"holdfast import prices.csv --to mongodb://localhost --database shop --fields "
              "'sku,price.decimal()' --mode upsert --upsert-fields sku",
              "A table with typed columns, matched by a field of its own."},
             {"holdfast import /backups/dump --oplog-limit 1774009800:1",
              "A dump made with --oplog, as it was just before that moment."},
             {"holdfast import /backups/old --adopt",
              "Each dump in that folder becomes a snapshot; what is equal is stored once."},
             {"holdfast import broken.archive --salvage",
              "Everything that is whole in a damaged archive."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file",
                     "backup.compression", "backup.memory_mib", "backup.spool_folder",
                     "restore.workers"},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("path", path_, "Folder or file to read, or - for standard input")
        ->type_name("PATH")
        ->required();
    app.add_option("--to", to_, "Write into this server instead of a snapshot")->type_name("URI");
    app.add_option("--database", database_,
                   "The database, where the dump does not name it; of a dump with several, only "
                   "this one")
        ->type_name("NAME");
    app.add_option("--collection", collections_,
                   "The collection of a single file; of a dump only these (globs), repeatable")
        ->type_name("NAME")
        ->allow_extra_args(false);
    app.add_option("--exclude", exclude_, "Not these collections, repeatable")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    app.add_option("--format", format_, "json, csv or tsv, where the content does not tell")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"json", "csv", "tsv"}));
    app.add_option("--mode", mode_,
                   "With --to, into collections that exist: insert, upsert (replace), merge (set "
                   "fields) or delete")
        ->type_name("MODE")
        ->check(CLI::IsMember({"insert", "upsert", "merge", "delete"}));
    app.add_option("--upsert-fields,--upsertFields", key_fields_,
                   "Match by these fields instead of _id, with commas")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_flag("--drop", drop_, "With --to: replace collections that exist");
    app.add_option("--fields", fields_,
                   "CSV and TSV: the columns, each NAME or NAME.type(); default: the first line")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_flag("--ignore-blanks,--ignoreBlanks", ignore_blanks_,
                 "CSV and TSV: an empty cell gives no field");
    app.add_flag("--skip-bad", skip_bad_, "Leave out records that cannot be stored exactly");
    app.add_option("--report", report_, "With --skip-bad: a new file that lists them, JSON lines")
        ->type_name("FILE");
    app.add_option("--oplog-limit", oplog_limit_,
                   "Of the dump's oplog only what is earlier than this, as in mongorestore")
        ->type_name("SECONDS[:N]");
    app.add_option("--at", at_, "The same, but this time is included: SECONDS[:N], or a date")
        ->type_name("TIME");
    app.add_flag("--adopt", adopt_,
                 "PATH is a folder of dumps: each becomes a snapshot with its own date");
    app.add_flag("--salvage", salvage_, "Read past the damage of an archive");
    app.add_option("--source", source_, "Name of the source that the snapshot belongs to")
        ->type_name("NAME");
    app.add_option("--tag", tags_, "A word to find the snapshot by, repeatable")
        ->type_name("TAG")
        ->allow_extra_args(false);
    app.add_flag("-y,--yes", yes_, "Don't ask");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_CHECK(check_options());
    HOLDFAST_CHECK(read_limit(context));
    if (adopt_) return adopt(context);
    // Opened first: a wrong key or server should not be found out after hours of reading.
    std::unique_ptr<mongo::Client> client;
    std::unique_ptr<repository::Repository> repository;
    if (to_.empty()) {
      HOLDFAST_TRY(repository, open_repository(context, blob::OpenMode::read_write));
    } else {
      HOLDFAST_TRY(client, mongo::Client::connect(to_));
      if (database_.empty()) database_ = data_database(*client);
    }
    HOLDFAST_TRY(BadRecords bad_records, BadRecords::create(skip_bad_, report_));
    interop::ObjectIdSource ids(context.clock, context.random);
    HOLDFAST_TRY(const auto dump, open(context, ids, bad_records));
    HOLDFAST_CHECK(bad_records.finish());
    for (const std::string& note : dump->notes()) context.output.warn(note);
    if (bad_records.count() > 0) {
      context.output.warn(fmt::format("{} left out", counted(bad_records.count(), "bad record")));
    }
    if (oplog_before_ && !dump->has_oplog()) {
      return Error(ErrorCode::precondition,
                   "this dump has no oplog: it holds one state, and no time can be chosen",
                   "mongodump makes one with --oplog");
    }
    HOLDFAST_TRY(const auto collections, choose(*dump));
    const bool complete = !dump->incomplete() && bad_records.count() == 0;
    return client ? into_server(context, *dump, collections, *client, complete)
                  : into_snapshot(context, *dump, collections, *repository, complete);
  }

 private:
  Status check_options() const {
    const bool for_server = !mode_.empty() || !key_fields_.empty() || drop_;
    if (to_.empty() && for_server) {
      return Error(ErrorCode::usage, "--mode, --upsert-fields and --drop are for --to a server");
    }
    if (!key_fields_.empty() && (mode_.empty() || mode_ == "insert")) {
      return Error(
          ErrorCode::usage,
          "--upsert-fields needs --mode upsert, merge or delete: inserting matches nothing");
    }
    if (drop_ && !mode_.empty() && mode_ != "insert") {
      return Error(ErrorCode::usage, "--drop leaves nothing that --mode " + mode_ + " could meet");
    }
    if (adopt_ && (!to_.empty() || !oplog_limit_.empty() || !at_.empty() || skip_bad_)) {
      return Error(ErrorCode::usage, "--adopt makes snapshots of whole dumps, one after another");
    }
    if (!report_.empty() && !skip_bad_) {
      return Error(ErrorCode::usage, "--report lists what --skip-bad leaves out: say both");
    }
    return {};
  }

  /// SECONDS or SECONDS:N, as mongorestore takes it; a whole second means its beginning.
  static std::optional<ClusterTime> parse_limit(std::string_view text) {
    ClusterTime time;
    const char* const end = text.data() + text.size();
    auto read = std::from_chars(text.data(), end, time.seconds);
    if (read.ec == std::errc() && read.ptr != end && *read.ptr == ':') {
      read = std::from_chars(read.ptr + 1, end, time.increment);
    }
    return read.ec == std::errc() && read.ptr == end ? std::optional(time) : std::nullopt;
  }

  Status read_limit(const Context& context) {
    if (oplog_limit_.empty() && at_.empty()) return {};
    if (!oplog_limit_.empty() && !at_.empty()) {
      return Error(ErrorCode::usage, "--oplog-limit and --at both name the end: say one");
    }
    if (at_.empty()) {
      oplog_before_ = parse_limit(oplog_limit_);
      if (oplog_before_) return {};
      return Error(ErrorCode::usage, "--oplog-limit takes SECONDS or SECONDS:N");
    }
    auto time = at_.find(':') == std::string::npos ? std::nullopt : parse_limit(at_);
    if (!time) {
      HOLDFAST_TRY(const MomentText moment, parse_moment(at_));
      time = resolve_moment(moment, context.clock.now());
    }
    if (!time) return Error(ErrorCode::usage, "--at takes a time: without it everything is in");
    // The first moment behind the one that is included.
    oplog_before_ = ClusterTime::from_packed(time->packed() + 1);
    return {};
  }

  Result<std::unique_ptr<interop::DumpReader>> open(Context& context, interop::ObjectIdSource& ids,
                                                    BadRecords& bad_records) const {
    interop::OpenDumpOptions options;
    options.database = database_;
    if (collections_.size() == 1) options.collection = collections_.front();
    if (format_ == "json") options.format = interop::DumpFormat::json;
    if (format_ == "csv") options.format = interop::DumpFormat::csv;
    if (format_ == "tsv") options.format = interop::DumpFormat::tsv;
    options.salvage = salvage_;
    options.csv.fields = fields_;
    options.csv.ignore_blanks = ignore_blanks_;
    // Matched by other fields, a document must not bring an `_id` that it never had.
    if (key_fields_.empty()) options.ids = &ids;
    options.on_bad_record = [&](const interop::BadRecord& record) {
      return bad_records.take(record);
    };
    return interop::open_dump(path_, options, {context.settings.spool_folder, context.random});
  }

  Result<std::vector<CollectionInfo>> choose(interop::DumpReader& dump) const {
    HOLDFAST_TRY(auto catalog, dump.catalog());
    const bool single = catalog.size() == 1 && !collections_.empty() &&
                        catalog.front().ns.collection == collections_.front();
    if (!single) {
      const Selection selection(collections_, exclude_);
      HOLDFAST_TRY(catalog, transfer::choose_collections(dump, selection));
    }
    const bool named = std::any_of(catalog.begin(), catalog.end(),
                                   [&](const auto& info) { return info.ns.database == database_; });
    if (!database_.empty()) {
      if (!named) {
        return Error(ErrorCode::not_found, "the dump holds no database " + database_);
      }
      std::erase_if(catalog,
                    [&](const CollectionInfo& info) { return info.ns.database != database_; });
    }
    if (catalog.empty()) return Error(ErrorCode::not_found, "the dump holds nothing to import");
    return catalog;
  }

  /// One snapshot for each dump of a folder, oldest first; what equals the one before is shared.
  Result<ExitCode> adopt(Context& context) const {
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_write));
    HOLDFAST_TRY(const auto found, transfer::find_dumps(path_));
    Json adopted = Json::array();
    Json failed = Json::array();
    std::optional<std::string> before;
    for (const transfer::FoundDump& one : found) {
      const auto outcome = adopt_one(context, one, before, *repository);
      if (!outcome.ok() && outcome.error().code() == ErrorCode::cancelled) return outcome.error();
      if (!outcome.ok()) {
        context.output.warn(
            fmt::format("not adopted: {}: {}", one.path.string(), outcome.error().message()));
        failed.push_back(Json{{"path", one.path.string()}, {"reason", outcome.error().message()}});
        continue;
      }
      before = outcome->summary.id;
      context.output.report(fmt::format("{}: snapshot {} of {}, {}, {} stored\n",
                                        one.path.filename().string(), outcome->summary.id,
                                        shown_time(one.taken),
                                        counted(outcome->summary.documents, "document"),
                                        format_bytes(outcome->summary.stored_bytes)));
      adopted.push_back(Json{{"path", one.path.string()},
                             {"shared_collections", outcome->shared_collections},
                             {"snapshot", summary_json(outcome->summary)}});
    }
    context.output.result("holdfast.import-adopt/1",
                          Json{{"adopted", adopted}, {"not_adopted", failed}});
    return failed.empty() ? ExitCode::done : ExitCode::partial;
  }

  Result<transfer::ImportOutcome> adopt_one(Context& context, const transfer::FoundDump& found,
                                            const std::optional<std::string>& before,
                                            repository::Repository& repository) const {
    ProgressDisplay progress(context.terminal, context.output, context.clock);
    interop::OpenDumpOptions options;
    options.database = database_;
    options.salvage = salvage_;
    HOLDFAST_TRY(
        const auto dump,
        interop::open_dump(found.path, options, {context.settings.spool_folder, context.random}));
    for (const std::string& note : dump->notes()) progress.note(note);
    const Selection selection(collections_, exclude_);
    HOLDFAST_TRY(const auto collections, transfer::choose_collections(*dump, selection));
    if (collections.empty()) return Error(ErrorCode::not_found, "it holds nothing to import");
    transfer::ImportOptions import = import_options(context, *dump, !dump->incomplete());
    import.source.description = fmt::format("imported from {}", path_);
    import.taken = found.taken;
    import.share_with = before;
    return transfer::import_snapshot(*dump, collections, repository, import, context.random,
                                     progress, context.stop);
  }

  transfer::ImportOptions import_options(const Context& context, const interop::DumpReader& dump,
                                         bool complete) const {
    transfer::ImportOptions options;
    options.source.id = source_;
    options.source.description = fmt::format(
        "imported from {} ({})", path_ == "-" ? "standard input" : path_, dump.format());
    options.source.server_version = dump.server_version();
    options.reason = complete ? "a dump without oplog, made while writes may have gone on"
                              : "a dump of which parts are missing or were left out";
    options.complete = complete;
    options.oplog_before = oplog_before_;
    options.whole = collections_.empty() && exclude_.empty() && complete;
    options.tags = tags_;
    options.layout.compression = context.settings.compression;
    options.memory_bytes = std::uint64_t{context.settings.backup_memory_mib} * 1024 * 1024;
    options.spool_folder = context.settings.spool_folder;
    return options;
  }

  Result<ExitCode> into_snapshot(Context& context, interop::DumpReader& dump,
                                 const std::vector<CollectionInfo>& collections,
                                 repository::Repository& repository, bool complete) const {
    const transfer::ImportOptions options = import_options(context, dump, complete);
    const auto outcome = [&] {
      ProgressDisplay progress(context.terminal, context.output, context.clock);
      return transfer::import_snapshot(dump, collections, repository, options, context.random,
                                       progress, context.stop);
    }();
    if (!outcome.ok()) return outcome.error().with_context(path_);
    for (const std::string& warning : outcome->warnings) context.output.warn(warning);
    const auto& summary = outcome->summary;
    context.output.report(
        fmt::format("snapshot {} of {}\n  {}, {}, {}\n  {} stored\n  {}\n", summary.id,
                    sanitize_for_terminal(joined(summary.databases)),
                    counted(summary.collections, "collection"),
                    counted(summary.documents, "document"), format_bytes(summary.document_bytes),
                    format_bytes(summary.stored_bytes), consistency_text(summary.consistency)));
    context.output.result("holdfast.import/1", Json{{"snapshot", summary_json(summary)},
                                                    {"format", dump.format()},
                                                    {"complete", complete},
                                                    {"oplog_changes", outcome->oplog_changes},
                                                    {"warnings", outcome->warnings},
                                                    {"notes", dump.notes()}});
    return complete ? ExitCode::done : ExitCode::partial;
  }

  Result<ExitCode> into_server(Context& context, interop::DumpReader& dump,
                               const std::vector<CollectionInfo>& collections,
                               mongo::Client& client, bool complete) const {
    transfer::LiveImportOptions options;
    if (mode_ == "upsert") options.mode = transfer::ImportMode::upsert;
    if (mode_ == "merge") options.mode = transfer::ImportMode::merge;
    if (mode_ == "delete") options.mode = transfer::ImportMode::remove;
    // Texts have no options or indexes to bring: writing into what exists is what they are for.
    const bool text = dump.format() == "JSON" || dump.format() == "CSV" || dump.format() == "TSV";
    if (!mode_.empty() || text) options.existing = transfer::ExistingTarget::keep;
    if (drop_) options.existing = transfer::ExistingTarget::drop;
    options.key_fields = key_fields_;
    options.workers = context.settings.restore_workers;
    if (dump.has_oplog()) {
      return Error(ErrorCode::precondition,
                   "this dump has an oplog, without which its collections belong to no one moment",
                   "import it into a snapshot, which folds the oplog, and restore that");
    }
    if (drop_ || mode_ == "delete") {
      HOLDFAST_CHECK(confirm(
          context, yes_,
          drop_ ? fmt::format("Collections of {} that exist will be replaced.", client.masked_uri())
                : fmt::format("Documents will be deleted from {}.", client.masked_uri())));
    }
    const auto outcome = [&] {
      ProgressDisplay progress(context.terminal, context.output, context.clock);
      return transfer::import_live(dump, collections, client, options, progress, context.stop);
    }();
    if (!outcome.ok()) return outcome.error();
    for (const std::string& refused : outcome->refused) context.output.warn("refused: " + refused);
    if (outcome->refused_count > outcome->refused.size()) {
      context.output.warn(fmt::format("{} documents were refused in all", outcome->refused_count));
    }
    complete = complete && outcome->refused_count == 0;
    context.output.report(fmt::format(
        "{} {}: {} in {}{}\n", mode_ == "delete" ? "deleted from" : "imported into",
        client.masked_uri(), counted(outcome->documents, "document"),
        counted(outcome->collections, "collection"), complete ? "" : "; NOT complete, see above"));
    context.output.result("holdfast.import-live/1", Json{{"to", client.masked_uri()},
                                                         {"format", dump.format()},
                                                         {"collections", outcome->collections},
                                                         {"documents", outcome->documents},
                                                         {"document_bytes", outcome->bytes},
                                                         {"refused", outcome->refused_count},
                                                         {"refused_documents", outcome->refused},
                                                         {"complete", complete},
                                                         {"notes", dump.notes()}});
    return complete ? ExitCode::done : ExitCode::partial;
  }

  std::string path_;
  std::string oplog_limit_;
  std::string at_;
  std::optional<ClusterTime> oplog_before_;
  std::string to_;
  std::string database_;
  std::vector<std::string> collections_;
  std::vector<std::string> exclude_;
  std::string format_;
  std::string mode_;
  std::vector<std::string> key_fields_;
  std::vector<std::string> fields_;
  std::string report_;
  std::string source_ = "import";
  std::vector<std::string> tags_;
  bool drop_ = false;
  bool ignore_blanks_ = false;
  bool skip_bad_ = false;
  bool adopt_ = false;
  bool salvage_ = false;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_import_command() { return std::make_unique<ImportCommand>(); }

}  // namespace holdfast::cli

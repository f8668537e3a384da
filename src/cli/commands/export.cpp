#include "cli/commands/export.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <thread>

#include "base/text.h"
#include "bson/extended_json.h"
#include "bson/match.h"
#include "cli/moment_flags.h"
#include "cli/open.h"
#include "cli/progress_display.h"
#include "cli/show_snapshot.h"
#include "dataset/selection.h"
#include "interop/archive.h"
#include "interop/dump_folder.h"
#include "interop/gzip.h"
#include "interop/text_writer.h"
#include "mongo/scan.h"
#include "service/safety_snapshot.h"
#include "transfer/export_dataset.h"

namespace holdfast::cli {
namespace {

/// What a target's name says of its format: suffix, format, whether it is packed.
struct KnownSuffix {
  std::string_view suffix;
  std::string_view format;
  bool gzip = false;
};
constexpr KnownSuffix known_suffixes[] = {
    {".tar.gz", "tar.gz"},
    {".tgz", "tar.gz"},
    {".archive.gz", "archive", true},
    {".archive", "archive"},
    {".json.gz", "json", true},
    {".json", "json"},
    {".jsonl.gz", "json", true},
    {".jsonl", "json"},
    {".csv.gz", "csv", true},
    {".csv", "csv"},
    {".tsv.gz", "tsv", true},
    {".tsv", "tsv"},
    {".bson.gz", "bson", true},
    {".bson", "bson"},
};

class ExportCommand final : public Command {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "export",
        .group = "Exchange",
        .summary = "Write a snapshot or a live database as a dump, JSON or CSV",
        .description =
            "Writes what mongorestore and mongoimport read: a folder as mongodump makes it, an "
            "archive, a .tar.gz of the folder, or one collection as JSON, CSV, TSV or BSON. The "
            "format follows from the name after --to, or is said with --format; '--to -' is "
            "standard output, which then carries nothing else. The source is a snapshot of the "
            "repository, a moment that its log reaches (--at, --before), or with --from a live "
            "server, read while writes go on.\n\n"
            "Nothing that exists is overwritten, and a target has its name only once it is "
            "complete. --query takes MongoDB's query language, as far as it needs no server.",
        .examples =
            {{"holdfast export latest --to dump",
              "The newest snapshot as a folder for mongorestore."},
             {"holdfast export latest --to shop.archive --gzip",
              "One packed archive: mongorestore --gzip --archive=shop.archive"},
             {"holdfast export latest --to 20261123_091414.tar.gz --collection 'shop.*'",
              "A .tar.gz with shop/users.bson and so on."},
             {"holdfast export latest --collection orders --query '{\"sum\":{\"$gte\":100}}' "
              "--to orders.json",
              "Some documents as JSON, one a line, with their types."},
             {"holdfast export latest --collection users --fields name,address.city --to users.csv",
              "Two columns for a table."},
             {"holdfast export --at '10 minutes ago' --to dump",
              "The state of that moment, made of a snapshot and the stored log."},
             {"holdfast export --from mongodb://localhost/shop --archive --to -",
              "A live database, as an archive to the next program in the pipe."}},
        .settings = {"uri", "repository", "password_file", "key_file", "recovery_key_file",
                     "backup.memory_mib", "backup.spool_folder"},
        .setting_help = {{"uri", "The server whose clock '--at … ago' means, mongodb://…"}},
    };
  }

  void declare(CLI::App& app) override {
    app.add_option("snapshot", snapshot_, "Its id, the first digits of it, or 'latest'")
        ->type_name("SNAPSHOT");
    app.add_option("--to", to_, "Folder or file to write, or - for standard output")
        ->type_name("TARGET")
        ->required();
    app.add_option("--from", from_, "Read this server instead of a snapshot")->type_name("URI");
    moment_.declare(app, false);
    app.add_option("--format", format_,
                   "folder, archive, tar.gz, bson, json, csv or tsv (default: by TARGET's name)")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"folder", "archive", "tar.gz", "bson", "json", "csv", "tsv"}));
    app.add_flag("--archive", archive_, "The same as --format archive");
    app.add_flag("--gzip", gzip_, "Pack with gzip, on all processors");
    app.add_option("--collection", collections_,
                   "Only these collections (name or database.name, * and ?), repeatable")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    app.add_option("--exclude", exclude_, "Not these collections, repeatable")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    app.add_option("--query", query_, "Only documents that match, as Extended JSON")
        ->type_name("JSON");
    app.add_option("--json-format,--jsonFormat", json_format_,
                   "JSON: canonical keeps every type (default), relaxed reads easily")
        ->type_name("KIND")
        ->check(CLI::IsMember({"canonical", "relaxed"}));
    app.add_flag("--json-array,--jsonArray", json_array_, "JSON: one array of all documents");
    app.add_flag("--pretty", pretty_, "JSON: spread over lines");
    app.add_option("--fields", fields_, "CSV and TSV: the columns, as dotted paths, with commas")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_flag("--no-header-line,--noHeaderLine", no_header_,
                 "CSV and TSV: no line with the columns' names");
  }

  [[nodiscard]] Result<ExitCode> run(Context& context) override {
    HOLDFAST_CHECK(settle_options(context));
    if (!query_.empty()) {
      const auto query = bson::from_json(query_);
      if (!query.ok()) return query.error().with_context("--query");
      HOLDFAST_TRY(matcher_, bson::Matcher::parse(query->view()));
    }
    if (!from_.empty()) {
      HOLDFAST_TRY(const auto client, mongo::Client::connect(from_));
      std::vector<std::string> databases;
      if (const std::string named = data_database(*client); !named.empty()) databases = {named};
      const auto reader = mongo::make_live_reader(*client, databases);
      return write(context, *reader, client->server().version, client->masked_uri());
    }
    HOLDFAST_TRY(const auto repository, open_repository(context, blob::OpenMode::read_only));
    std::optional<OpenedMoment> moment;
    if (moment_.given()) {
      HOLDFAST_TRY(moment, make_moment(context, *repository));
      context.output.tell(moment_text(*moment));
      for (const std::string& warning : moment->outcome.warnings) context.output.warn(warning);
    } else {
      HOLDFAST_TRY(snapshot_, service::resolve_latest(*repository, snapshot_));
    }
    HOLDFAST_TRY(const auto snapshot, moment
                                          ? moment->view->open_snapshot(moment->outcome.summary.id)
                                          : repository->open_snapshot(snapshot_));
    const auto& summary = snapshot->manifest().summary;
    return write(context, *snapshot, summary.source.server_version,
                 moment ? "a moment of " + summary.source.id : "snapshot " + summary.id);
  }

 private:
  Result<OpenedMoment> make_moment(Context& context, repository::Repository& repository) const {
    std::unique_ptr<mongo::Client> client;
    if (moment_.needs_server_clock()) {
      HOLDFAST_TRY(client, connect(context));
    }
    ProgressDisplay progress(context.terminal, context.output, context.clock);
    return moment_.make(context, repository, client.get(), std::nullopt, progress);
  }

  Status settle_options(const Context& context) {
    const int sources =
        (snapshot_.empty() ? 0 : 1) + (from_.empty() ? 0 : 1) + (moment_.given() ? 1 : 0);
    if (sources != 1) {
      return Error(ErrorCode::usage,
                   "export one thing: a SNAPSHOT, a moment (--at, --before), or --from a server",
                   "holdfast export latest --to dump");
    }
    if (archive_) {
      if (!format_.empty() && format_ != "archive") {
        return Error(ErrorCode::usage, "--archive and --format " + format_ + " contradict");
      }
      format_ = "archive";
    }
    if (format_.empty()) format_by_name();
    const bool one_stream = format_ != "folder";
    if (to_ == "-" && !one_stream) {
      return Error(ErrorCode::usage, "a folder cannot go to standard output",
                   "say --archive, or another --format");
    }
    if (to_ == "-" && context.output.json()) {
      return Error(ErrorCode::usage, "standard output cannot carry the data and --json too");
    }
    const bool table = format_ == "csv" || format_ == "tsv";
    if (table && fields_.empty()) {
      return Error(ErrorCode::usage, "which columns? A table needs --fields",
                   "--fields name,address.city");
    }
    if (!table && (!fields_.empty() || no_header_)) {
      return Error(ErrorCode::usage, "--fields and --no-header-line are for CSV and TSV");
    }
    if (format_ != "json" && (json_array_ || pretty_ || !json_format_.empty())) {
      return Error(ErrorCode::usage, "--json-format, --json-array and --pretty are for JSON");
    }
    return {};
  }

  void format_by_name() {
    format_ = "folder";
    for (const KnownSuffix& known : known_suffixes) {
      if (!to_.ends_with(known.suffix)) continue;
      format_ = known.format;
      gzip_ = gzip_ || known.gzip;
      return;
    }
  }

  Result<ExitCode> write(Context& context, DatasetReader& reader, const std::string& version,
                         const std::string& origin) {
    const Selection selection(collections_, exclude_);
    HOLDFAST_TRY(const auto catalog, transfer::choose_collections(reader, selection));
    if (catalog.empty()) return Error(ErrorCode::not_found, "there is nothing to export");
    const auto outcome = [&]() -> Result<transfer::ExportOutcome> {
      ProgressDisplay progress(context.terminal, context.output, context.clock);
      progress.stage("export", 0, 0);
      const bool packs = gzip_ || format_ == "tar.gz";
      interop::CompressionPool pool(packs ? std::max(2U, std::thread::hardware_concurrency()) : 1);
      HOLDFAST_TRY(const auto writer, make_writer(context, catalog, version, pool));
      transfer::DocumentFilter filter;
      if (matcher_) {
        filter = [this](bson::DocumentView document) { return matcher_->matches(document); };
      }
      return transfer::export_dataset(reader, catalog, *writer, filter, progress, context.stop);
    }();
    if (!outcome.ok()) return outcome.error();
    report(context, *outcome, origin);
    return ExitCode::done;
  }

  Result<std::unique_ptr<interop::DumpWriter>> make_writer(
      Context& context, const std::vector<CollectionInfo>& catalog, const std::string& version,
      interop::CompressionPool& pool) const {
    if (format_ == "folder") {
      return interop::make_dump_folder_writer(to_, catalog, version, gzip_ ? &pool : nullptr);
    }
    HOLDFAST_TRY(auto sink, to_ == "-"
                                ? interop::make_descriptor_sink(STDOUT_FILENO, "standard output")
                                : interop::create_file_sink(to_));
    if (gzip_ || format_ == "tar.gz") sink = interop::make_gzip_sink(std::move(sink), pool);
    if (format_ == "archive") {
      return interop::make_archive_writer(std::move(sink), catalog, version);
    }
    if (format_ == "tar.gz") {
      const auto now =
          std::chrono::duration_cast<std::chrono::seconds>(context.clock.now().time_since_epoch());
      return interop::make_dump_tar_writer(std::move(sink), catalog, version,
                                           {context.settings.spool_folder, context.random},
                                           static_cast<std::uint64_t>(now.count()));
    }
    if (format_ == "json") {
      const auto mode =
          json_format_ == "relaxed" ? bson::JsonMode::relaxed : bson::JsonMode::canonical;
      return interop::make_json_writer(std::move(sink),
                                       {.mode = mode, .array = json_array_, .pretty = pretty_});
    }
    if (format_ == "bson") return interop::make_bson_writer(std::move(sink));
    return interop::make_csv_writer(
        std::move(sink),
        {.separator = format_ == "tsv" ? '\t' : ',', .fields = fields_, .header = !no_header_});
  }

  void report(Context& context, const transfer::ExportOutcome& outcome,
              const std::string& origin) const {
    const std::string text = fmt::format(
        "exported {} to {}\n  {}, {}, {}\n", origin, to_ == "-" ? "standard output" : to_,
        counted(outcome.collections, "collection"), counted(outcome.documents, "document"),
        format_bytes(outcome.bytes));
    to_ == "-" ? context.output.tell(text) : context.output.report(text);
    context.output.result("holdfast.export/1", Json{{"from", origin},
                                                    {"to", to_},
                                                    {"format", format_},
                                                    {"gzip", gzip_},
                                                    {"collections", outcome.collections},
                                                    {"documents", outcome.documents},
                                                    {"document_bytes", outcome.bytes}});
  }

  MomentFlags moment_;
  std::string snapshot_;
  std::string to_;
  std::string from_;
  std::string format_;
  std::string query_;
  std::string json_format_;
  std::vector<std::string> collections_;
  std::vector<std::string> exclude_;
  std::vector<std::string> fields_;
  std::optional<bson::Matcher> matcher_;
  bool archive_ = false;
  bool gzip_ = false;
  bool json_array_ = false;
  bool pretty_ = false;
  bool no_header_ = false;
};

}  // namespace

std::unique_ptr<Command> make_export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace holdfast::cli

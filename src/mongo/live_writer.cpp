#include "mongo/live_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "bson/builder.h"
#include "bson/order.h"
#include "mongo/catalog_internal.h"
#include "mongo/client_internal.h"
#include "mongo/insert_batch_internal.h"
#include "mongo/scan_internal.h"
#include "mongo/target_collections_internal.h"
#include "mongo/write_reply_internal.h"

namespace holdfast::mongo {
namespace {

/// How long one batch or catalog command is tried again: longer than an election or a restart.
constexpr std::uint32_t retry_deadline_ms = 60'000;
/// Some indexes of large collections take hours.
constexpr std::chrono::hours longest_index_build{48};
constexpr int duplicate_key = 11000;

bson::Value id_of(bson::DocumentView document) {
  const auto id = document.find("_id");
  return id ? bson::Value(*id) : bson::Value(bson::Type::null, {});
}

/// listCollections tells these, `create` does not take them.
bool is_no_create_option(std::string_view name) {
  return name == "autoIndexId" || name == "flags" || name == "temp" || name == "uuid" ||
         name == "create";
}

/// A time series' options without the span that its granularity implies: servers differ in
/// whether they take both
/// (https://www.mongodb.com/docs/manual/core/timeseries/timeseries-granularity/).
void append_timeseries(bson::Builder& command, bson::DocumentView options) {
  const auto granularity = options.find_string("granularity").value_or("");
  const std::int64_t implied = granularity == "seconds"   ? 3600
                               : granularity == "minutes" ? 86'400
                               : granularity == "hours"   ? 2'592'000
                                                          : -1;
  command.begin_document("timeseries");
  for (const bson::Element& option : options) {
    if (option.name == "bucketMaxSpanSeconds" && option.value.integral() == implied) continue;
    command.append(option.name, option.value);
  }
  command.end();
}

bson::Document create_command(const CollectionInfo& info) {
  bson::Builder command;
  command.append_string("create", info.ns.collection);
  for (const bson::Element& option : info.options.view()) {
    if (is_no_create_option(option.name)) continue;
    if (option.name == "timeseries" && option.value.type() == bson::Type::document) {
      append_timeseries(command, option.value.as_document());
    } else {
      command.append(option.name, option.value);
    }
  }
  // Servers of today make `_id` indexes of version 2; one of version 1 is asked for.
  for (const bson::Document& index : info.indexes) {
    if (index.view().find_string("name").value_or("") != "_id_" ||
        index.view().find_integral("v").value_or(2) >= 2 || info.clustered()) {
      continue;
    }
    command.begin_document("idIndex");
    for (const bson::Element& field : index.view()) {
      if (field.name != "ns") command.append(field.name, field.value);
    }
    command.end();
  }
  command.begin_document("writeConcern").append_string("w", "majority").end();
  return std::move(command).finish();
}

bool is_id_index(bson::DocumentView index) {
  if (index.find_truthy("clustered")) return true;
  const auto key = index.find_document("key");
  if (!key || key->empty()) return false;
  auto field = key->begin();
  const bool id = field->name == "_id" && field->value.integral() == 1;
  return id && ++field == key->end();
}

void append_index(bson::Builder& command, std::size_t position, bson::DocumentView index,
                  bool state_simple_collation) {
  command.begin_document(bson::array_index_name(position));
  for (const bson::Element& field : index) {
    if (field.name != "ns") command.append(field.name, field.value);
  }
  // Without it the index would inherit the collection's collation.
  if (state_simple_collation && !index.find("collation")) {
    command.begin_document("collation").append_string("locale", "simple").end();
  }
  command.end();
}

class ServerWriter final : public LiveWriter {
 public:
  explicit ServerWriter(Client& client) : client_(client), targets_(client) {}

  Status create(const CollectionInfo& info) override {
    // Newer servers say ok to a second create with equal options.
    HOLDFAST_TRY(const auto traits, targets_.traits_of(info.ns));
    if (traits.exists) {
      return Error(ErrorCode::exists, "there is already a collection " + info.ns.text());
    }
    const bson::Document command = create_command(info);
    return run(info.ns, command.view(), "create");
  }

  Result<std::vector<RefusedDocument>> insert(
      const Namespace& ns, const std::vector<bson::DocumentView>& batch) override {
    std::vector<RefusedDocument> refused;
    std::vector<bson::DocumentView> with_empty_timestamp;
    const bool any = std::any_of(batch.begin(), batch.end(), has_empty_timestamp);
    if (!any) {
      HOLDFAST_CHECK(insert_all(ns, batch, {}, refused));
      return refused;
    }
    std::vector<bson::DocumentView> plain;
    for (const bson::DocumentView& document : batch) {
      (has_empty_timestamp(document) ? with_empty_timestamp : plain).push_back(document);
    }
    HOLDFAST_CHECK(insert_all(ns, plain, {}, refused));
    HOLDFAST_CHECK(insert_with_empty_timestamps(ns, with_empty_timestamp, refused));
    return refused;
  }

  Status create_indexes(const Namespace& ns, const std::vector<bson::Document>& indexes) override;

  Status drop(const Namespace& ns) override {
    targets_.forget(ns);
    HOLDFAST_TRY(const auto dropping, find_listed_retrying(client_, ns));
    // Newer servers say ok to dropping what isn't there.
    if (!dropping) return Error(ErrorCode::not_found, "there is no collection " + ns.text());
    bson::Builder command;
    command.append_string("drop", ns.collection);
    command.begin_document("writeConcern").append_string("w", "majority").end();
    const bson::Document document = std::move(command).finish();
    const Status dropped = run(ns, document.view(), "drop");
    // A retry after a lost reply finds nothing left to drop.
    if (!dropped.ok() && dropped.error().code() == ErrorCode::not_found) return {};
    return dropped;
  }

  Status rename(const Namespace& from, const Namespace& to, bool replace_target) override {
    targets_.forget(from);
    targets_.forget(to);
    HOLDFAST_TRY(const auto moving, find_listed_retrying(client_, from));
    bson::Builder command;
    command.append_string("renameCollection", from.text()).append_string("to", to.text());
    command.append_bool("dropTarget", replace_target);
    command.begin_document("writeConcern").append_string("w", "majority").end();
    const bson::Document document = std::move(command).finish();
    auto reply = client_.run_retrying("admin", document.view(), retry_deadline_ms, {});
    if (reply.ok()) return write_concern_failure(reply->view());
    // A retry after a lost reply finds nothing left to rename.
    if (moving && reply.error().code() == ErrorCode::not_found) {
      HOLDFAST_TRY(const auto moved, find_listed_retrying(client_, to));
      const auto identity = uuid_of(moving->view());
      if (moved && identity && uuid_of(moved->view()) == identity) return {};
    }
    return reply.error().with_context(
        fmt::format("cannot rename {} to {}", from.text(), to.text()));
  }

  Result<std::vector<RefusedDocument>> replace(
      const Namespace& ns, const std::vector<bson::DocumentView>& batch) override {
    std::vector<RefusedDocument> refused;
    std::vector<Replacement> replacements;
    replacements.reserve(batch.size());
    for (const bson::DocumentView& document : batch) {
      replacements.push_back(
          {document, has_empty_timestamp(document) || has_dollar_name(document)});
    }
    HOLDFAST_CHECK(replace_all(ns, replacements, true, refused));
    return refused;
  }

  Status set_validator(const Namespace& ns, bson::DocumentView options) override {
    bson::Builder command;
    command.append_string("collMod", ns.collection);
    bool any = false;
    for (const std::string_view name : {"validator", "validationLevel", "validationAction"}) {
      if (const auto value = options.find(name)) {
        command.append(name, *value);
        any = true;
      }
    }
    if (!any) return {};
    command.begin_document("writeConcern").append_string("w", "majority").end();
    const bson::Document document = std::move(command).finish();
    return run(ns, document.view(), "set the validator of");
  }

 private:
  Status run(const Namespace& ns, bson::DocumentView command, std::string_view what) {
    auto reply = client_.run_retrying(ns.database, command, retry_deadline_ms, {});
    if (reply.ok()) {
      const Status confirmed = write_concern_failure(reply->view());
      if (confirmed.ok()) return confirmed;
      return confirmed.error().with_context(fmt::format("cannot {} {}", what, ns.text()));
    }
    return reply.error().with_context(fmt::format("cannot {} {}", what, ns.text()));
  }

  Status insert_all(const Namespace& ns, std::span<const bson::DocumentView> documents,
                    InsertFlags flags, std::vector<RefusedDocument>& refused) {
    while (!documents.empty()) {
      const auto batch = next_insert_batch(documents);
      // The driver would refuse the whole batch for it.
      if (const std::size_t size = batch.front().bytes().size(); size > most_stored_bytes) {
        refused.push_back({id_of(batch.front()),
                           fmt::format("{} bytes are more than the 16 MiB of a document", size)});
      } else {
        HOLDFAST_CHECK(insert_one_batch(ns, batch, flags, refused));
      }
      documents = documents.subspan(batch.size());
    }
    return {};
  }

  Status insert_one_batch(const Namespace& ns, std::span<const bson::DocumentView> batch,
                          InsertFlags flags, std::vector<RefusedDocument>& refused) {
    bool may_be_there_already = false;
    Backoff backoff(retry_deadline_ms);
    for (;;) {
      auto outcome = send_insert(driver_of(client_), ns, batch, flags);
      if (outcome.ok()) {
        return sort_out(ns, batch, std::move(*outcome), may_be_there_already, refused);
      }
      // A majority that was not reached in time counts too: the documents stand, and are sent
      // again.
      if (outcome.error().code() != ErrorCode::retry || !backoff.wait()) {
        return outcome.error().with_context("cannot insert into " + ns.text());
      }
      HOLDFAST_TRY(const auto traits, targets_.traits_of(ns));
      if (traits.timeseries) {
        return outcome.error().with_context(
            fmt::format("whether a batch reached the time series {} is not known", ns.text()));
      }
      may_be_there_already = true;
    }
  }

  /// Duplicate keys after a lost reply may be this very batch's documents.
  Status sort_out(const Namespace& ns, std::span<const bson::DocumentView> batch,
                  std::vector<WriteError> errors, bool may_be_there_already,
                  std::vector<RefusedDocument>& refused) {
    std::vector<bson::Document> stored;
    if (may_be_there_already && !errors.empty()) {
      std::vector<bson::Value> ids;
      for (const WriteError& error : errors) {
        if (error.code == duplicate_key && error.index < batch.size()) {
          ids.push_back(id_of(batch[error.index]));
        }
      }
      CollectionInfo target;
      target.ns = ns;
      ScanOptions options;
      HOLDFAST_TRY(options.not_before, newest_operation_time(client_));
      ClusterTime ignored;
      HOLDFAST_TRY(stored, read_by_id(client_, target, ids, options, ignored));
      std::sort(stored.begin(), stored.end(),
                [](const auto& a, const auto& b) { return a.bytes() < b.bytes(); });
    }
    const auto is_stored = [&stored](bson::DocumentView document) {
      return std::binary_search(stored.begin(), stored.end(), bson::Document(document),
                                [](const auto& a, const auto& b) { return a.bytes() < b.bytes(); });
    };
    for (WriteError& error : errors) {
      if (error.index >= batch.size()) {
        return Error(ErrorCode::corrupt, "the server refused a document that was not sent");
      }
      const bson::DocumentView document = batch[error.index];
      if (error.code == duplicate_key && !stored.empty() && is_stored(document)) continue;
      refused.push_back({id_of(document), std::move(error.reason)});
    }
    return {};
  }

  Status insert_with_empty_timestamps(const Namespace& ns,
                                      const std::vector<bson::DocumentView>& documents,
                                      std::vector<RefusedDocument>& refused) {
    if (knows_bypass_) {
      const std::size_t before = refused.size();
      const Status inserted = insert_all(ns, documents, {.keep_empty_timestamps = true}, refused);
      if (inserted.ok() || inserted.error().code() != ErrorCode::unsupported) return inserted;
      knows_bypass_ = false;
      refused.erase(refused.begin() + static_cast<std::ptrdiff_t>(before), refused.end());
    }
    // Inserted first, so that a duplicate is refused rather than replaced.
    std::vector<RefusedDocument> not_inserted;
    HOLDFAST_CHECK(insert_all(ns, documents, {}, not_inserted));
    std::vector<Replacement> replacements;
    for (const bson::DocumentView& document : documents) {
      const bson::Value id = id_of(document);
      const bool missing =
          std::any_of(not_inserted.begin(), not_inserted.end(),
                      [&id](const auto& other) { return other.id.view().identical(id.view()); });
      if (!missing) replacements.push_back({document, true});
    }
    std::move(not_inserted.begin(), not_inserted.end(), std::back_inserter(refused));
    return replace_all(ns, replacements, false, refused);
  }

  Status replace_all(const Namespace& ns, std::span<const Replacement> replacements, bool upsert,
                     std::vector<RefusedDocument>& refused) {
    while (!replacements.empty()) {
      std::size_t count = 0;
      for (std::size_t bytes = 0; count < replacements.size() && count < most_batch_documents;
           ++count) {
        // The key appears twice; the rest is the statement's frame.
        bytes += replacements[count].document.bytes().size() +
                 id_of(replacements[count].document).view().bytes().size() + 128;
        if (bytes > most_batch_bytes && count > 0) break;
      }
      const auto batch = replacements.first(count);
      const bson::Document command = replace_command(ns.collection, batch, upsert);
      auto reply = client_.run_retrying(ns.database, command.view(), retry_deadline_ms, {});
      Status outcome = reply.ok() ? write_concern_failure(reply->view()) : reply.error();
      if (!outcome.ok()) return outcome.error().with_context("cannot write to " + ns.text());
      for (WriteError& error : write_errors(reply->view())) {
        if (error.index >= batch.size()) continue;
        refused.push_back({id_of(batch[error.index].document), std::move(error.reason)});
      }
      replacements = replacements.subspan(count);
    }
    return {};
  }

  Client& client_;
  TargetCollections targets_;
  std::atomic<bool> knows_bypass_ = true;
};

Status ServerWriter::create_indexes(const Namespace& ns,
                                    const std::vector<bson::Document>& indexes) {
  HOLDFAST_TRY(const auto traits, targets_.traits_of(ns));
  bson::Builder command;
  command.append_string("createIndexes", ns.collection).begin_array("indexes");
  std::size_t count = 0;
  for (const bson::Document& index : indexes) {
    if (is_id_index(index.view())) continue;
    append_index(command, count++, index.view(), traits.collated);
  }
  command.end();
  command.begin_document("writeConcern").append_string("w", "majority").end();
  if (count == 0) return {};
  const bson::Document document = std::move(command).finish();
  // Building may outlast the socket's timeout; the server goes on building, and the same command
  // waits for it. As long as the server answers, this does too.
  const auto deadline = std::chrono::steady_clock::now() + longest_index_build;
  for (;;) {
    const Status built = run(ns, document.view(), "build the indexes of");
    if (built.ok() || built.error().code() != ErrorCode::retry ||
        std::chrono::steady_clock::now() > deadline) {
      return built;
    }
    bson::Builder ping;
    ping.append_int32("ping", 1);
    const bson::Document alive = std::move(ping).finish();
    if (!client_.run_retrying("admin", alive.view(), retry_deadline_ms, {}).ok()) return built;
  }
}

}  // namespace

std::unique_ptr<LiveWriter> make_live_writer(Client& client) {
  return std::make_unique<ServerWriter>(client);
}

}  // namespace holdfast::mongo

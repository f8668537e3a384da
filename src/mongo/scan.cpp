#include "mongo/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "bson/builder.h"
#include "bson/order.h"
#include "mongo/catalog_internal.h"
#include "mongo/command_cursor_internal.h"
#include "mongo/scan_internal.h"

namespace holdfast::mongo {
namespace {

/// How long a scan goes on trying without a single new document. Longer than an election
/// (10–30 s) and than a server's restart.
constexpr std::uint32_t resume_deadline_ms = 60'000;
/// Batches of this size are read nearly twice as fast as the server's 16 MiB (they stay in the
/// caches and their memory is reused), and bound what every cursor holds.
constexpr std::uint64_t wanted_batch_bytes = 2U * 1024 * 1024;
constexpr std::int32_t first_batch = 200;
constexpr std::int32_t greatest_batch = 100'000;
/// For reads by key, which know how much they ask for.
constexpr std::int32_t full_batch = 1'000'000;
/// Keys in one $in, and their bytes.
constexpr std::size_t most_keys = 1000;
constexpr std::size_t most_key_bytes = 4U * 1024 * 1024;

bool scanned_in_natural_order(const CollectionInfo& collection) {
  return collection.capped() || collection.type == CollectionType::timeseries;
}

/// Errors after which the collection may still be there and a new cursor may go on.
bool worth_resuming(const Error& error) { return error.code() == ErrorCode::retry; }

constexpr std::array all_types{
    bson::Type::min_key,    bson::Type::undefined,       bson::Type::null,
    bson::Type::float64,    bson::Type::int32,           bson::Type::int64,
    bson::Type::decimal128, bson::Type::string,          bson::Type::symbol,
    bson::Type::document,   bson::Type::array,           bson::Type::binary,
    bson::Type::object_id,  bson::Type::boolean,         bson::Type::date,
    bson::Type::timestamp,  bson::Type::regex,           bson::Type::db_pointer,
    bson::Type::code,       bson::Type::code_with_scope, bson::Type::max_key,
};

/// Whether {$gte: key} is a comparison that includes everything from `key` on in its bracket: not
/// so for NaN, which compares with nothing, and for types that mean something else in a filter.
bool compares_in_filters(bson::ValueView key) {
  switch (key.type()) {
    case bson::Type::float64: return !std::isnan(key.as_double());
    case bson::Type::int32:
    case bson::Type::int64:
    case bson::Type::string:
    case bson::Type::binary:
    case bson::Type::object_id:
    case bson::Type::date:
    case bson::Type::timestamp: return true;
    default: return false;
  }
}

/// Appends to a filter: keys from `last` on, of its own bracket and all behind it (of its own
/// perhaps some before it, too).
void append_from(bson::Builder& filter, bson::ValueView last) {
  const bool compare = compares_in_filters(last);
  filter.begin_array("$or");
  if (compare) {
    filter.begin_document("0").begin_document("_id").append("$gte", last).end().end();
  }
  filter.begin_document(compare ? "1" : "0").begin_document("_id").begin_array("$type");
  int index = 0;
  for (const bson::Type type : all_types) {
    const int bracket = bson::bracket_of(type);
    const int own = bson::bracket_of(last.type());
    if (bracket < own || (bracket == own && compare)) continue;
    const auto code = static_cast<std::int8_t>(type);  // MinKey is -1 in filters
    filter.append_int32(bson::array_index_name(static_cast<std::size_t>(index++)), code);
  }
  filter.end().end().end();
  filter.end();
}

class LiveScan final : public ScanCursor {
 public:
  LiveScan(DriverClient& client, CollectionInfo collection, KeyRange range, ScanOptions options)
      : client_(client),
        collection_(std::move(collection)),
        range_(std::move(range)),
        options_(options),
        natural_(scanned_in_natural_order(collection_)) {}

  Status start() {
    Backoff backoff(resume_deadline_ms);
    for (;;) {
      const Status opened = reopen();
      if (opened.ok() || !worth_resuming(opened.error()) || !backoff.wait()) return opened;
    }
  }

  Result<std::optional<bson::DocumentView>> next() override {
    if (finished_) return std::optional<bson::DocumentView>();
    auto document = advance();
    if (!document.ok()) {
      finished_ = true;
      return document.error().with_context("cannot read " + collection_.ns.text());
    }
    if (!*document) finished_ = true;
    return document;
  }

  ClusterTime operation_time() const override {
    return cursor_ ? std::max(operation_time_, cursor_->operation_time()) : operation_time_;
  }

 private:
  Result<std::optional<bson::DocumentView>> advance() {
    for (;;) {
      HOLDFAST_TRY(const auto document, cursor_->next_in_batch());
      if (document) {
        const auto id = document->find("_id");
        if (!natural_ && !id) {
          return Error(ErrorCode::corrupt, "the server sent a document without _id");
        }
        if (delivered_before_resume(*document)) continue;
        if (!natural_) newest_ = id;
        ++batch_documents_;
        batch_bytes_ += document->bytes().size();
        return document;
      }
      if (!cursor_->open_at_server()) return std::optional<bson::DocumentView>();
      HOLDFAST_CHECK(more());
    }
  }

  /// After a resume: whether this was handed out before. A collated order is not ours to compare:
  /// there only the last one itself can come again, first.
  bool delivered_before_resume(bson::DocumentView document) {
    if (!skip_) return false;
    const auto order = bson::compare(*document.find("_id"), skip_->view());
    const bool again = collection_.collation() ? order == 0 : order <= 0;
    if (!again || collection_.collation()) skip_.reset();
    return again;
  }

  Status more() {
    // The batch that newest_ points into is about to go.
    if (newest_) last_.emplace(*newest_);
    newest_.reset();
    Status fetched = cursor_->fetch(0, next_batch_size());
    if (fetched.ok()) return fetched;
    if (natural_ && worth_resuming(fetched.error())) {
      HOLDFAST_CHECK(check_still_there(client_, collection_));
      return Error(ErrorCode::retry, fetched.error().message(),
                   "A capped collection or time series is read from its start again.");
    }
    Backoff backoff(resume_deadline_ms);
    while (!fetched.ok()) {
      if (!worth_resuming(fetched.error()) || !backoff.wait()) return fetched;
      fetched = reopen();
    }
    return {};
  }

  /// From the average of the batch just read.
  std::int32_t next_batch_size() {
    const std::uint64_t documents = std::exchange(batch_documents_, 0);
    const std::uint64_t bytes = std::exchange(batch_bytes_, 0);
    if (options_.batch_size > 0 || bytes == 0) return options_.batch_size;
    const std::uint64_t count = wanted_batch_bytes * documents / bytes;
    return static_cast<std::int32_t>(std::clamp<std::uint64_t>(count, 2, greatest_batch));
  }

  Status reopen() {
    operation_time_ = operation_time();
    cursor_.reset();
    const bson::Document command = find_command();
    auto opened = CommandCursor::open(client_, collection_.ns.database, command.view());
    if (!opened.ok()) {
      // What the server says about an index that is not there is not the reason.
      if (!worth_resuming(opened.error())) {
        HOLDFAST_CHECK(check_still_there(client_, collection_));
      }
      return opened.error();
    }
    cursor_ = std::move(opened).value();
    skip_ = last_;
    // Only now: the cursor is bound to what stood under the name when it was opened.
    return check_still_there(client_, collection_);
  }

  [[nodiscard]] bson::Document find_command() const {
    bson::Builder command;
    command.append_string("find", collection_.ns.collection);
    if (natural_) {
      if (collection_.type != CollectionType::timeseries) {
        command.begin_document("hint").append_int32("$natural", 1).end();
      }
    } else {
      append_range(command);
      command.begin_document("sort").append_int32("_id", 1).end();
    }
    command.append_int32("batchSize", options_.batch_size > 0 ? options_.batch_size : first_batch);
    if (const bson::Document concern = read_concern(options_.not_before); !concern.view().empty()) {
      command.append_document("readConcern", concern.view());
    }
    return std::move(command).finish();
  }

  /// $gte and $lt compare within one bracket of types only, which is what a split range is. A
  /// cursor over everything goes on behind its last key with the rest of that key's bracket and
  /// all brackets behind it. (Index bounds by min() would say it in one word, but a server was seen
  /// that gives those in natural order.)
  void append_range(bson::Builder& command) const {
    const std::optional<bson::Value>& lower = last_ ? last_ : range_.lower;
    if (!lower && !range_.upper) return;
    command.begin_document("filter");
    if (range_.lower || range_.upper) {
      command.begin_document("_id");
      if (lower) command.append("$gte", lower->view());
      if (range_.upper) command.append("$lt", range_.upper->view());
      command.end();
    } else {
      append_from(command, last_->view());
    }
    command.end();
  }

  DriverClient& client_;
  CollectionInfo collection_;
  KeyRange range_;
  ScanOptions options_;
  bool natural_;
  bool finished_ = false;
  ClusterTime operation_time_;
  std::unique_ptr<CommandCursor> cursor_;
  std::uint64_t batch_documents_ = 0;
  std::uint64_t batch_bytes_ = 0;
  /// `_id` of the document handed out last, inside the batch at hand.
  std::optional<bson::ValueView> newest_;
  /// The last one of the batches before.
  std::optional<bson::Value> last_;
  /// Set by a resume: what is not behind this one was delivered already.
  std::optional<bson::Value> skip_;
};

Status read_some(DriverClient& client, const Namespace& ns, bson::DocumentView filter,
                 const ScanOptions& options, std::vector<bson::Document>& out,
                 ClusterTime& operation_time) {
  bson::Builder command;
  command.append_string("find", ns.collection).append_document("filter", filter);
  command.append_int32("batchSize", full_batch);
  if (const bson::Document concern = read_concern(options.not_before); !concern.view().empty()) {
    command.append_document("readConcern", concern.view());
  }
  const bson::Document document = std::move(command).finish();
  HOLDFAST_TRY(const auto cursor, CommandCursor::open(client, ns.database, document.view()));
  for (;;) {
    HOLDFAST_TRY(const auto next, cursor->next_in_batch());
    if (next) {
      out.emplace_back(*next);
    } else if (cursor->open_at_server()) {
      HOLDFAST_CHECK(cursor->fetch(0, options.batch_size));
    } else {
      operation_time = std::max(operation_time, cursor->operation_time());
      return {};
    }
  }
}

Status read_some_retrying(DriverClient& client, const Namespace& ns, bson::DocumentView filter,
                          const ScanOptions& options, std::vector<bson::Document>& out,
                          ClusterTime& operation_time) {
  Backoff backoff(resume_deadline_ms);
  const std::size_t before = out.size();
  for (;;) {
    const Status read = read_some(client, ns, filter, options, out, operation_time);
    if (read.ok()) return read;
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
    if (!worth_resuming(read.error()) || !backoff.wait()) {
      return read.error().with_context("cannot read " + ns.text() + " by _id");
    }
  }
}

/// Inside $in a regular expression would match, undefined is refused, and some servers take a
/// document's first field for an operator.
bool needs_its_own_query(bson::Type type) {
  return type == bson::Type::regex || type == bson::Type::undefined ||
         type == bson::Type::document || type == bson::Type::array;
}

bson::Document filter_of_one(bson::ValueView id) {
  bson::Builder filter;
  filter.begin_document("_id");
  if (id.type() == bson::Type::undefined) {
    filter.append_int32("$type", static_cast<std::int32_t>(bson::Type::undefined));
  } else {
    filter.append("$eq", id);
  }
  filter.end();
  return std::move(filter).finish();
}

}  // namespace

bson::Document read_concern(const ClusterTime& not_before) {
  if (not_before.is_null()) return {};
  bson::Builder concern;
  concern.append_string("level", "majority");
  concern.append_timestamp("afterClusterTime", not_before.packed());
  return std::move(concern).finish();
}

Result<std::unique_ptr<ScanCursor>> open_scan(Client& client, const CollectionInfo& collection,
                                              const KeyRange& range, const ScanOptions& options) {
  if (collection.type == CollectionType::view) {
    return Error(ErrorCode::usage, collection.ns.text() + " is a view: it holds no documents");
  }
  auto scan = std::make_unique<LiveScan>(driver_of(client), collection, range, options);
  if (const Status started = scan->start(); !started.ok()) {
    return started.error().with_context("cannot read " + collection.ns.text());
  }
  return std::unique_ptr<ScanCursor>(std::move(scan));
}

Result<std::vector<bson::Document>> read_by_id(Client& client, const CollectionInfo& collection,
                                               const std::vector<bson::Value>& ids,
                                               const ScanOptions& options,
                                               ClusterTime& operation_time) {
  DriverClient& driver = driver_of(client);
  std::vector<bson::Document> found;
  std::size_t at = 0;
  while (at < ids.size()) {
    bson::Document filter;
    if (needs_its_own_query(ids[at].view().type())) {
      filter = filter_of_one(ids[at++].view());
    } else {
      bson::Builder builder;
      builder.begin_document("_id").begin_array("$in");
      std::size_t bytes = 0;
      for (std::size_t count = 0; at < ids.size() && count < most_keys && bytes < most_key_bytes;
           ++count, ++at) {
        const bson::ValueView id = ids[at].view();
        if (needs_its_own_query(id.type())) break;
        builder.append(bson::array_index_name(count), id);
        bytes += id.bytes().size();
      }
      builder.end().end();
      filter = std::move(builder).finish();
    }
    HOLDFAST_CHECK(
        read_some_retrying(driver, collection.ns, filter.view(), options, found, operation_time));
  }
  return found;
}

}  // namespace holdfast::mongo

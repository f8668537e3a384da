#include <fmt/format.h>

#include <algorithm>

#include "bson/builder.h"
#include "mongo/insert_batch_internal.h"

namespace holdfast::mongo {
namespace {

/// Type byte, up to five digits and NUL.
constexpr std::size_t array_overhead = 8;

/// A container of plain bson_t pointers would drop the alignment that the type asks for, of which
/// GCC warns.
struct DriverPointer {
  const bson_t* document;
};
static_assert(sizeof(DriverPointer) == sizeof(const bson_t*));

void append_majority(bson::Builder& command) {
  command.begin_document("writeConcern").append_string("w", "majority").end();
}

void append_replacement(bson::Builder& command, const Replacement& replacement) {
  if (!replacement.as_pipeline) {
    command.append_document("u", replacement.document);
    return;
  }
  command.begin_array("u").begin_document("0").begin_document("$replaceRoot");
  command.begin_document("newRoot").append_document("$literal", replacement.document).end();
  command.end().end().end();
}

}  // namespace

std::span<const bson::DocumentView> next_insert_batch(
    std::span<const bson::DocumentView> documents) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < documents.size() && count < most_batch_documents) {
    bytes += documents[count].bytes().size() + array_overhead;
    if (bytes > most_batch_bytes && count > 0) break;
    ++count;
  }
  return documents.first(count);
}

std::vector<WriteError> write_errors(bson::DocumentView reply) {
  std::vector<WriteError> errors;
  const auto list = reply.find("writeErrors");
  if (!list || list->type() != bson::Type::array) return errors;
  for (const bson::Element& entry : list->as_document()) {
    if (entry.value.type() != bson::Type::document) continue;
    const bson::DocumentView error = entry.value.as_document();
    const auto code = static_cast<int>(error.find_integral("code").value_or(0));
    errors.push_back(
        {static_cast<std::size_t>(error.find_integral("index").value_or(0)), code,
         fmt::format("{} (code {})", error.find_string("errmsg").value_or("refused"), code)});
  }
  return errors;
}

Result<std::vector<WriteError>> send_insert(DriverClient& client, const Namespace& ns,
                                            std::span<const bson::DocumentView> batch,
                                            InsertFlags flags) {
  bson::Builder builder;
  builder.append_bool("ordered", false).append_bool("bypassDocumentValidation", true);
  // The driver's own look at names and UTF-8 would refuse what the source server took.
  builder.append_bool("validate", false);
  if (flags.keep_empty_timestamps) builder.append_bool("bypassEmptyTsReplacement", true);
  append_majority(builder);
  const bson::Document options = std::move(builder).finish();
  const BorrowedBson borrowed_options(options.view());

  std::vector<BorrowedBson> documents(batch.begin(), batch.end());
  std::vector<DriverPointer> pointers;
  pointers.reserve(documents.size());
  for (const BorrowedBson& document : documents) pointers.push_back({document.get()});

  const Lease lease = client.acquire();
  const CollectionPtr collection(
      mongoc_client_get_collection(lease.get(), ns.database.c_str(), ns.collection.c_str()));
  OwnedBson reply;
  bson_error_t error{};
  if (mongoc_collection_insert_many(collection.get(), &pointers.data()->document, pointers.size(),
                                    borrowed_options.get(), reply.out(), &error)) {
    return std::vector<WriteError>();
  }
  const bson::DocumentView answer(reply.bytes());
  HOLDFAST_CHECK(bson::validate_document(answer.bytes()));
  // One message: either the server worked on it and says what it refused, or it failed as a whole.
  auto refused = write_errors(answer);
  const bool majority_failed =
      error.domain == MONGOC_ERROR_WRITE_CONCERN || answer.find("writeConcernErrors").has_value();
  if (refused.empty() || majority_failed) return error_from(error);
  return refused;
}

bson::Document replace_command(std::string_view collection,
                               std::span<const Replacement> replacements, bool upsert) {
  bson::Builder command;
  command.append_string("update", collection).append_bool("ordered", false);
  command.append_bool("bypassDocumentValidation", true);
  append_majority(command);
  command.begin_array("updates");
  for (std::size_t at = 0; at < replacements.size(); ++at) {
    command.begin_document(bson::array_index_name(at));
    // $eq: a key that is a document is no query of its own.
    command.begin_document("q").begin_document("_id");
    if (const auto id = replacements[at].document.find("_id")) command.append("$eq", *id);
    command.end().end();
    append_replacement(command, replacements[at]);
    if (upsert) command.append_bool("upsert", true);
    command.end();
  }
  command.end();
  return std::move(command).finish();
}

bool has_empty_timestamp(bson::DocumentView document) {
  return std::any_of(document.begin(), document.end(), [](const bson::Element& element) {
    return element.value.type() == bson::Type::timestamp && element.value.as_timestamp() == 0 &&
           element.name != "_id";
  });
}

bool has_dollar_name(bson::DocumentView document) {
  return std::any_of(document.begin(), document.end(),
                     [](const bson::Element& element) { return element.name.starts_with('$'); });
}

}  // namespace holdfast::mongo

#include <algorithm>

#include "bson/builder.h"
#include "mongo/insert_batch_internal.h"

namespace holdfast::mongo {
namespace {

/// Type byte, up to five digits and NUL.
constexpr std::size_t array_overhead = 8;

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

bson::Document insert_command(std::string_view collection,
                              std::span<const bson::DocumentView> documents, InsertFlags flags) {
  bson::Builder head;
  head.append_string("insert", collection).append_bool("ordered", false);
  head.append_bool("bypassDocumentValidation", true);
  if (flags.keep_empty_timestamps) head.append_bool("bypassEmptyTsReplacement", true);
  append_majority(head);
  Bytes bytes = std::move(head).finish().take();
  bytes.pop_back();
  std::size_t total = bytes.size() + 32;
  for (const bson::DocumentView& document : documents) {
    total += document.bytes().size() + array_overhead;
  }
  bytes.reserve(total);
  // The array by hand: one reservation, one copy of each document.
  bytes.push_back(static_cast<std::uint8_t>(bson::Type::array));
  append_bytes(bytes, ByteView(reinterpret_cast<const std::uint8_t*>("documents"), 10));
  const std::size_t array = bytes.size();
  append_little_endian(bytes, std::uint32_t{0});
  for (std::size_t at = 0; at < documents.size(); ++at) {
    bytes.push_back(static_cast<std::uint8_t>(bson::Type::document));
    append_bytes(bytes, as_bytes(bson::array_index_name(at)));
    bytes.push_back(0);
    append_bytes(bytes, documents[at].bytes());
  }
  bytes.push_back(0);
  const auto array_size = static_cast<std::uint32_t>(bytes.size() - array);
  std::memcpy(bytes.data() + array, &array_size, sizeof(array_size));
  bytes.push_back(0);
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &size, sizeof(size));
  return bson::Document(std::move(bytes));
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

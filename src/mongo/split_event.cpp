#include "bson/builder.h"
#include "mongo/split_event_internal.h"

namespace holdfast::mongo {
namespace {

/// The event's fields of one part, without its own `_id` and part number.
void append_fields(bson::DocumentView part, Bytes& out) {
  for (const bson::Element& element : part) {
    if (element.name == "_id" || element.name == "splitEvent") continue;
    out.push_back(static_cast<std::uint8_t>(element.value.type()));
    append_bytes(out, as_bytes(element.name));
    out.push_back(0);
    append_bytes(out, element.value.bytes());
  }
}

}  // namespace

void FragmentJoiner::reset() {
  expected_ = 1;
  elements_.clear();
}

Result<std::optional<bson::DocumentView>> FragmentJoiner::add(bson::DocumentView event) {
  const auto split = event.find_document("splitEvent");
  if (!split) {
    if (incomplete()) return Error(ErrorCode::corrupt, "a split change event lacks a part");
    return std::optional(event);
  }
  const std::int64_t number = split->find_integral("fragment").value_or(0);
  const std::int64_t of = split->find_integral("of").value_or(0);
  if (number != expected_ || number > of) {
    return Error(ErrorCode::corrupt, "the parts of a split change event are out of order");
  }
  append_fields(event, elements_);
  if (number < of) {
    ++expected_;
    return std::optional<bson::DocumentView>();
  }
  const auto id = event.find_document("_id");
  Bytes bytes(4);
  if (id) {
    bytes.push_back(static_cast<std::uint8_t>(bson::Type::document));
    append_bytes(bytes, ByteView(reinterpret_cast<const std::uint8_t*>("_id"), 4));
    append_bytes(bytes, id->bytes());
  }
  append_bytes(bytes, elements_);
  bytes.push_back(0);
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &size, sizeof(size));
  whole_ = bson::Document(std::move(bytes));
  reset();
  return std::optional(whole_.view());
}

}  // namespace holdfast::mongo

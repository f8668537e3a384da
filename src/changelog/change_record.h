#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "bson/document.h"
#include "changelog/event.h"
#include "dataset/types.h"

namespace holdfast::changelog {

/// One change of one document, as it is sorted and folded. Encoded as
/// uuid[16] kind[1] (its highest bit: left out) time[8] key_type[1] key_length[4] key… body…; a
/// view into those bytes.
struct ChangeRecord {
  Uuid uuid{};
  EventKind kind = EventKind::insert;
  bool left_out = false;  ///< Not to be applied; what comes after it may not fit.
  ClusterTime time;
  bson::ValueView key{bson::Type::null, {}};
  /// insert, replace: the document; update: the updateDescription; remove: empty.
  bson::DocumentView body;
};

/// Appends the encoding of a document change to `out` (cleared first). Requires
/// event.is_document_change().
void encode_change(const Uuid& uuid, const Event& event, Bytes& out);
/// Reads what encode_change wrote; trusts it (spools are authenticated).
[[nodiscard]] ChangeRecord decode_change(ByteView record);
/// Orders records by collection, then key as MongoDB orders keys. Records of one key keep the order
/// of their events, because the sorter is stable.
[[nodiscard]] bool change_before(ByteView a, ByteView b);

}  // namespace holdfast::changelog

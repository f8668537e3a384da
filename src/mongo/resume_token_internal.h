#pragma once

#include "bson/document.h"
#include "dataset/types.h"

namespace holdfast::mongo {

/// The cluster time inside a resume token of mongod's form: `_data` is hexadecimal of a KeyString
/// that starts with a timestamp (0x82 and eight big-endian bytes) and the token's version as a
/// small number (0x2b …); mongod's src/mongo/db/pipeline/resume_token.cpp. Null where it isn't.
[[nodiscard]] ClusterTime decode_token_time(bson::DocumentView token);

/// Up to when everything was delivered once a batch with this post-batch token is handed out: a
/// tick before the token's time. A token at T sorts before or among the events at T (several
/// operations of one transaction, or other shards, share a time), so T itself is not promised.
[[nodiscard]] ClusterTime time_settled_by(bson::DocumentView token);

}  // namespace holdfast::mongo

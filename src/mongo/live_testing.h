#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bson/document.h"
#include "dataset/types.h"
#include "mongo/client.h"
#include "mongo/scan.h"

namespace holdfast::mongo {

// Short words for tests against a live server. Each throws std::runtime_error with the error's
// message where the server says no, which fails the test that called it.

/// A BSON document from extended JSON.
[[nodiscard]] bson::Document from_text(const std::string& json);
/// Relaxed extended JSON, for messages and comparisons.
[[nodiscard]] std::string to_text(bson::DocumentView document);
[[nodiscard]] std::unique_ptr<Client> connect_to(const std::string& uri);
/// Runs a command given as JSON; write errors throw too.
bson::Document run_text(Client& client, const std::string& database, const std::string& json);
/// Inserts documents `{_id: 0 … count-1, pad}` of about `bytes` each, in no order of `_id`.
void fill_with_numbers(Client& client, const Namespace& ns, int count, std::size_t bytes = 100);
/// The server's newest operationTime.
[[nodiscard]] ClusterTime newest_time(Client& client);
/// Everything that the cursor has, or its error.
[[nodiscard]] Result<std::vector<bson::Document>> read_all(DocumentCursor& cursor);

}  // namespace holdfast::mongo

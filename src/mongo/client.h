#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"

namespace holdfast::mongo {

/// What the server at the other end is.
struct ServerInfo {
  std::string version;  ///< buildInfo.version
  std::int32_t wire_version = 0;
  bool replica_set = false;
  bool sharded = false;  ///< a mongos
  std::string set_name;
  /// The replica set's id (replSetGetConfig settings.replicaSetId) as hex, where it may be read.
  std::string set_id;
  std::vector<std::string> hosts;
  /// Milliseconds since 1970 by the server's clock.
  std::int64_t local_time_ms = 0;

  /// Whether there is a log: change streams, majority reads, transactions.
  [[nodiscard]] bool has_log() const { return replica_set || sharded; }
};

/// A pool of connections to one deployment. Thread-safe. The URI's password never appears in
/// an error or log. Errors of every call: retry (network, no primary, election), denied
/// (authentication, privilege), usage (bad URI), and what the call itself names.
class Client {
 public:
  /// Parses the URI and contacts the server; fails within `server_selection_timeout_ms`.
  [[nodiscard]] static Result<std::unique_ptr<Client>> connect(
      const std::string& uri, std::uint32_t server_selection_timeout_ms = 10'000);

  virtual ~Client() = default;

  /// As found at connect.
  [[nodiscard]] virtual const ServerInfo& server() const = 0;
  /// The URI without password, for messages.
  [[nodiscard]] virtual const std::string& masked_uri() const = 0;
  /// The database that the URI names, or empty.
  [[nodiscard]] virtual const std::string& default_database() const = 0;

  /// Runs a command; the reply if its `ok` is 1. A server's error becomes an Error whose message
  /// holds the server's words and code; `code_of` tells the number. Write errors inside an ok
  /// reply are not looked at.
  [[nodiscard]] virtual Result<bson::Document> run(const std::string& database,
                                                   bson::DocumentView command) = 0;
  /// run, again after errors of kind retry, until `deadline_ms` passed (elections, restarts).
  [[nodiscard]] virtual Result<bson::Document> run_retrying(const std::string& database,
                                                            bson::DocumentView command,
                                                            std::uint32_t deadline_ms,
                                                            std::stop_token stop) = 0;
};

/// The server's error number inside an Error made by this module ("(code 286)"), or 0.
[[nodiscard]] int code_of(const Error& error);

}  // namespace holdfast::mongo

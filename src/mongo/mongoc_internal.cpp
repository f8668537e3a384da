#include "mongo/mongoc_internal.h"

#include <fmt/format.h>

#include <mutex>
#include <system_error>
#include <thread>

#include "base/log.h"

namespace holdfast::mongo {

void initialise_driver() {
  static std::once_flag once;
  std::call_once(once, [] {
    mongoc_init();
    mongoc_log_set_handler(nullptr, nullptr);
  });
}

void PoolDeleter::operator()(mongoc_client_pool_t* pool) const {
  try {
    std::thread([pool] { mongoc_client_pool_destroy(pool); }).detach();
  } catch (const std::system_error&) {  // no more threads
    mongoc_client_pool_destroy(pool);
  }
}

BorrowedBson::BorrowedBson(bson::DocumentView view) {
  // Fails only for bytes that are no document at all, which a DocumentView rules out.
  if (!bson_init_static(&bson_, view.bytes().data(), view.bytes().size())) bson_init(&bson_);
}

bson_t* OwnedBson::out() {
  bson_destroy(&bson_);
  return &bson_;
}

namespace {

/// Errors that the server itself calls passing, or that drivers' specifications list as
/// retryable or resumable (https://github.com/mongodb/specifications, retryable reads and change
/// streams); 43: a cursor that timed out or died with its connection.
bool passes_by_itself(int code) {
  switch (code) {
    case 6:      // HostUnreachable
    case 7:      // HostNotFound
    case 43:     // CursorNotFound
    case 50:     // MaxTimeMSExpired
    case 63:     // StaleShardVersion
    case 64:     // WriteConcernFailed (wtimeout)
    case 89:     // NetworkTimeout
    case 91:     // ShutdownInProgress
    case 112:    // WriteConflict
    case 133:    // FailedToSatisfyReadPreference
    case 134:    // ReadConcernMajorityNotAvailableYet
    case 150:    // StaleEpoch
    case 175:    // QueryPlanKilled
    case 189:    // PrimarySteppedDown
    case 202:    // NetworkInterfaceExceededTimeLimit
    case 234:    // RetryChangeStream
    case 237:    // CursorKilled
    case 246:    // SnapshotUnavailable
    case 262:    // ExceededTimeLimit
    case 317:    // ConnectionPoolExpired
    case 358:    // InternalTransactionNotSupported: a mongos during transitions
    case 384:    // ConnectionError
    case 402:    // ResourceExhausted
    case 9001:   // SocketException
    case 10058:  // NotPrimaryNoSecondaryOk, legacy
    case 10107:  // NotWritablePrimary
    case 11600:  // InterruptedAtShutdown
    case 11602:  // InterruptedDueToReplStateChange
    case 13388:  // StaleConfig
    case 13435:  // NotPrimaryNoSecondaryOk
    case 13436:  // NotPrimaryOrSecondary
      return true;
    default: return false;
  }
}

}  // namespace

ErrorCode category_of(int server_code) {
  if (passes_by_itself(server_code)) return ErrorCode::retry;
  switch (server_code) {
    case 11:    // UserNotFound
    case 13:    // Unauthorized
    case 18:    // AuthenticationFailed
    case 8000:  // AtlasError
      return ErrorCode::denied;
    case 26:  // NamespaceNotFound
    case 27:  // IndexNotFound
      return ErrorCode::not_found;
    case 48:     // NamespaceExists
    case 11000:  // DuplicateKey
      return ErrorCode::exists;
    case 136:    // CappedPositionLost: the oplog overtook the stream
    case 260:    // InvalidResumeToken
    case 280:    // ChangeStreamFatalError
    case 286:    // ChangeStreamHistoryLost
    case 40585:  // the resume token was not found (3.6, 4.0)
    case 40615: return ErrorCode::gap;
    case 59:     // CommandNotFound
    case 115:    // CommandNotSupported
    case 303:    // FeatureNotSupported
    case 40324:  // unrecognised pipeline stage
    case 40415:  // unknown field of a command
    case 40573:  // $changeStream is only supported on replica sets
      return ErrorCode::unsupported;
    case 14031:  // OutOfDiskSpace
      return ErrorCode::no_space;
    case 20:   // IllegalOperation
    case 121:  // DocumentValidationFailure
    case 123:  // NotAReplicaSet
    case 166:  // CommandNotSupportedOnView
      return ErrorCode::precondition;
    default: return ErrorCode::io;
  }
}

Error error_from_server(int code, std::string_view message) {
  Error error(category_of(code), fmt::format("{} (code {})", message, code));
  if (code == 13) {
    return error.with_hint(
        "Grant the missing privilege; 'backup' and 'restore' hold what is needed.");
  }
  if (code == 18) return error.with_hint("Check user, password and authSource in the URI.");
  return error;
}

Error error_from(const bson_error_t& error) {
  const std::string message = mask_uri(error.message);
  switch (error.domain) {
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_WRITE_CONCERN:
      return error_from_server(static_cast<int>(error.code), message);
    case MONGOC_ERROR_SCRAM:
    case MONGOC_ERROR_SASL:
      return Error(ErrorCode::denied, message, "Check user, password and authSource in the URI.");
    case MONGOC_ERROR_CLIENT:
      if (error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE) {
        return Error(ErrorCode::denied, message, "Check user, password and authSource in the URI.");
      }
      return Error(ErrorCode::retry, message);
    case MONGOC_ERROR_STREAM:
    case MONGOC_ERROR_SERVER_SELECTION:
    case MONGOC_ERROR_PROTOCOL: return Error(ErrorCode::retry, message);
    case MONGOC_ERROR_COMMAND:
    case MONGOC_ERROR_BSON: return Error(ErrorCode::usage, message);
    default: return Error(ErrorCode::io, message);
  }
}

}  // namespace holdfast::mongo

#pragma once

#include <mongoc/mongoc.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "bson/document.h"

// The one place where libmongoc's types meet ours. Only this module's .cpp files include it.
namespace holdfast::mongo {

/// mongoc_init once for the process; the driver's own log lines go nowhere (they may name hosts
/// and users; every failure reaches us as an error anyway).
void initialise_driver();

/// The driver's error as ours: what a caller can do about it, the server's words, "(code N)".
[[nodiscard]] Error error_from(const bson_error_t& error);
/// The error inside a server's reply document with ok: 0, or inside writeErrors and the like.
[[nodiscard]] Error error_from_server(int code, std::string_view message);
/// What a caller can do about a server's error number.
[[nodiscard]] ErrorCode category_of(int server_code);

/// A bson_t that borrows the document's bytes.
class BorrowedBson {
 public:
  explicit BorrowedBson(bson::DocumentView view);
  [[nodiscard]] const bson_t* get() const { return &bson_; }

 private:
  bson_t bson_;
};

/// A bson_t that is destroyed with its owner; for replies.
class OwnedBson {
 public:
  OwnedBson() { bson_init(&bson_); }
  ~OwnedBson() { bson_destroy(&bson_); }
  OwnedBson(const OwnedBson&) = delete;
  OwnedBson& operator=(const OwnedBson&) = delete;
  [[nodiscard]] bson_t* get() { return &bson_; }
  [[nodiscard]] const bson_t* get() const { return &bson_; }
  /// For calls that initialise their reply argument: ends the old value first.
  [[nodiscard]] bson_t* out();
  [[nodiscard]] ByteView bytes() const { return {bson_get_data(&bson_), bson_.len}; }

 private:
  bson_t bson_;
};

struct UriDeleter {
  void operator()(mongoc_uri_t* uri) const { mongoc_uri_destroy(uri); }
};
using UriPtr = std::unique_ptr<mongoc_uri_t, UriDeleter>;

struct SessionDeleter {
  void operator()(mongoc_client_session_t* session) const {
    mongoc_client_session_destroy(session);
  }
};
using SessionPtr = std::unique_ptr<mongoc_client_session_t, SessionDeleter>;

struct CollectionDeleter {
  void operator()(mongoc_collection_t* collection) const { mongoc_collection_destroy(collection); }
};
using CollectionPtr = std::unique_ptr<mongoc_collection_t, CollectionDeleter>;

/// Ends a pool in the background: its monitors hear of it only when a wait of theirs is over, up to
/// half a second later. The program must not run exit handlers while that goes on (see main.cpp).
struct PoolDeleter {
  void operator()(mongoc_client_pool_t* pool) const;
};
using PoolPtr = std::unique_ptr<mongoc_client_pool_t, PoolDeleter>;

}  // namespace holdfast::mongo

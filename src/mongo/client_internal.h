#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "mongo/client.h"
#include "mongo/mongoc_internal.h"

namespace holdfast::mongo {

/// A driver client popped from the pool; goes back with the object. One thread at a time.
class Lease {
 public:
  Lease(mongoc_client_pool_t* pool, mongoc_client_t* client) : pool_(pool), client_(client) {}
  ~Lease() {
    if (client_ != nullptr) mongoc_client_pool_push(pool_, client_);
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Lease(Lease&& other) noexcept : pool_(other.pool_), client_(other.client_) {
    other.client_ = nullptr;
  }
  [[nodiscard]] mongoc_client_t* get() const { return client_; }

 private:
  mongoc_client_pool_t* pool_;
  mongoc_client_t* client_;
};

/// The one real Client. Thread-safe.
class DriverClient final : public Client {
 public:
  DriverClient(PoolPtr pool, std::string masked_uri, std::string default_database);

  [[nodiscard]] const ServerInfo& server() const override { return server_; }
  [[nodiscard]] const std::string& masked_uri() const override { return masked_uri_; }
  [[nodiscard]] const std::string& default_database() const override { return default_database_; }
  [[nodiscard]] Result<bson::Document> run(const std::string& database,
                                           bson::DocumentView command) override;
  [[nodiscard]] Result<bson::Document> run_retrying(const std::string& database,
                                                    bson::DocumentView command,
                                                    std::uint32_t deadline_ms,
                                                    std::stop_token stop) override;

  /// Waits for a free client when all are in use.
  [[nodiscard]] Lease acquire();
  /// Fills server(); part of connect.
  [[nodiscard]] Status discover();
  /// MongoDB's own server (or a build of it) rather than something that speaks its protocol: only
  /// then may its resume tokens be read as mongod's. False when unsure.
  [[nodiscard]] bool genuine() const { return genuine_; }
  /// At least this release.
  [[nodiscard]] bool at_least(int major, int minor, int patch = 0) const;

 private:
  PoolPtr pool_;
  std::string masked_uri_;
  std::string default_database_;
  ServerInfo server_;
  bool genuine_ = false;
};

/// The DriverClient that every Client of this module is.
[[nodiscard]] DriverClient& driver_of(Client& client);

/// Sleeps, unless asked to stop; false if so.
[[nodiscard]] bool sleep_unless_stopped(const std::stop_token& stop, std::uint32_t milliseconds);

/// Pauses between attempts: 50 ms, doubled up to 2 s, for as long as `deadline_ms` allows.
class Backoff {
 public:
  explicit Backoff(std::uint32_t deadline_ms);
  /// Sleeps; false when the deadline has passed or a stop was asked for.
  [[nodiscard]] bool wait(const std::stop_token& stop = {});

 private:
  std::chrono::steady_clock::time_point deadline_;
  std::uint32_t pause_ms_ = 50;
};

}  // namespace holdfast::mongo

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/result.h"

namespace holdfast::mongo {

/// A TCP proxy on a free port of 127.0.0.1 in front of a test server, which cuts connections when
/// told: for tests of resuming. Use it with TestServer::uri_through(proxy.port()). Thread-safe.
class CutProxy {
 public:
  /// Forwards to `target_port` of 127.0.0.1. Errors: io.
  [[nodiscard]] static Result<std::unique_ptr<CutProxy>> start(std::uint16_t target_port);
  ~CutProxy();
  CutProxy(const CutProxy&) = delete;
  CutProxy& operator=(const CutProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Closes all connections now; new ones are welcome.
  void cut();
  /// Closes the connection through which this many more bytes have come from the server (all
  /// connections together); once. 0 disarms.
  void cut_after_from_server(std::uint64_t bytes) { from_server_left_ = bytes; }
  /// The same, counting bytes to the server: cuts before a request is complete.
  void cut_after_to_server(std::uint64_t bytes) { to_server_left_ = bytes; }
  /// The next bytes from the server that pass `bytes` are swallowed and the connection is cut: the
  /// server did the work, the reply is lost. Same as cut_after_from_server for small `bytes`.
  void lose_next_reply() { cut_after_from_server(1); }
  /// While on, connections are closed and new ones closed as soon as they come.
  void refuse(bool on);

  [[nodiscard]] std::uint64_t from_server() const { return from_server_; }
  [[nodiscard]] std::uint64_t to_server() const { return to_server_; }
  /// Connections that this proxy closed on its own account.
  [[nodiscard]] std::uint64_t cuts() const { return cuts_; }

 private:
  struct Pair {
    int client = -1;
    int server = -1;
  };
  CutProxy() = default;
  void serve(const std::stop_token& stop);
  void accept_one();
  /// False: this pair is to be closed.
  [[nodiscard]] bool pump(int from, int to, std::atomic<std::uint64_t>& total,
                          std::atomic<std::uint64_t>& left);
  void close_pair(Pair& pair);

  std::uint16_t port_ = 0;
  std::uint16_t target_port_ = 0;
  int listener_ = -1;
  std::atomic<bool> cut_now_ = false;
  std::atomic<bool> refuse_ = false;
  std::atomic<std::uint64_t> from_server_left_ = 0;
  std::atomic<std::uint64_t> to_server_left_ = 0;
  std::atomic<std::uint64_t> from_server_ = 0;
  std::atomic<std::uint64_t> to_server_ = 0;
  std::atomic<std::uint64_t> cuts_ = 0;
  std::vector<Pair> pairs_;
  std::jthread thread_;
};

}  // namespace holdfast::mongo

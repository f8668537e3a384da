#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::mongo {

enum class ServerKind { any, rust, python, mongod };
[[nodiscard]] std::string_view name_of(ServerKind kind);

struct TestServerOptions {
  ServerKind kind = ServerKind::any;
  bool standalone = false;
  /// Starts with authentication and this user of role root in `admin`.
  bool auth = false;
  std::string user = "keeper";
  std::string password = "s3cret-pa55";
  std::vector<std::string> extra_arguments = {};
  /// 0: the server's default. Small ones make a gap on purpose. mongod knows neither.
  std::uint64_t oplog_entries = 0;
  std::uint64_t oplog_seconds = 0;
};

/// A MongoDB server for one test, on a free port of 127.0.0.1 with its own temporary folder;
/// ends with the object, or with this process however that dies. Looked for in this order: the
/// server behind HOLDFAST_TEST_URI (then nothing is started), the kind that
/// HOLDFAST_TEST_SERVER=rust|python|mongod names, `mongod` on PATH, `secantusd-rs` on PATH or in
/// ${HOLDFAST_CACHE:-~/.cache/holdfast}/tools, and the Python wheel there. Not thread-safe.
///
///   HOLDFAST_START_SERVER(server, {});          // in a test: skips it where there is none
///   auto client = Client::connect(server->uri());
class TestServer {
 public:
  /// Starts it and waits until it answers. Errors: precondition, with the reason that
  /// GTEST_SKIP can print (nothing found, or what was found cannot do it).
  [[nodiscard]] static Result<std::unique_ptr<TestServer>> start(
      const TestServerOptions& options = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  /// With user and password where `auth` was asked for.
  [[nodiscard]] const std::string& uri() const { return uri_; }
  /// The same server with another user's credentials.
  [[nodiscard]] std::string uri_as(const std::string& user, const std::string& password) const;
  /// Through a CutProxy: same credentials, that port, directConnection.
  [[nodiscard]] std::string uri_through(std::uint16_t port) const;
  [[nodiscard]] ServerKind kind() const { return kind_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// False when HOLDFAST_TEST_URI gave the server: it can be neither stopped nor restarted.
  [[nodiscard]] bool owned() const { return owned_; }

  /// Asks it to end and waits (then kills). The folder stays.
  void stop();
  /// SIGKILL.
  void kill();
  /// Stops if need be; starts again on the same folder and port; waits until it answers.
  [[nodiscard]] Status restart();

 private:
  TestServer() = default;
  [[nodiscard]] Status prepare();
  [[nodiscard]] Status launch(bool with_auth);
  [[nodiscard]] Status wait_until_ready(bool with_auth);
  [[nodiscard]] Status create_user() const;
  [[nodiscard]] std::vector<std::string> arguments(bool with_auth) const;
  [[nodiscard]] std::string tail_of_log() const;

  TestServerOptions options_;
  ServerKind kind_ = ServerKind::any;
  std::filesystem::path program_;
  std::filesystem::path folder_;
  std::string uri_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
  bool owned_ = true;
};

/// A port of 127.0.0.1 that nobody listens on at this moment.
[[nodiscard]] std::uint16_t free_port();

/// Runs one command by URI, outside any Client (for preparing tests). JSON in, JSON out
/// (extended JSON v2, relaxed). Errors: io with the server's words.
[[nodiscard]] Result<std::string> run_json(const std::string& uri, const std::string& database,
                                           const std::string& command_json);

}  // namespace holdfast::mongo

/// Declares `name` (a unique_ptr<TestServer>) or skips the test with the reason:
/// HOLDFAST_START_SERVER(server, {}); HOLDFAST_START_SERVER(server, {.auth = true});
#define HOLDFAST_START_SERVER(name, ...)                                      \
  auto name##_started = ::holdfast::mongo::TestServer::start(__VA_ARGS__);    \
  if (!name##_started.ok()) GTEST_SKIP() << name##_started.error().message(); \
  std::unique_ptr<::holdfast::mongo::TestServer> name = std::move(name##_started).value()

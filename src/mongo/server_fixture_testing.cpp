#include "mongo/server_fixture_testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include "mongo/mongoc_internal.h"

namespace holdfast::mongo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto start_deadline = 60s;
constexpr auto stop_deadline = 15s;

Error why_not(std::string message) { return Error(ErrorCode::precondition, std::move(message)); }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool is_program(const fs::path& path) { return ::access(path.c_str(), X_OK) == 0; }

fs::path on_path(const std::string& name) {
  const std::string folders = environment("PATH");
  for (std::size_t from = 0; from <= folders.size();) {
    const std::size_t to = std::min(folders.find(':', from), folders.size());
    if (to > from) {
      const fs::path candidate = fs::path(folders.substr(from, to - from)) / name;
      if (is_program(candidate)) return candidate;
    }
    from = to + 1;
  }
  return {};
}

fs::path tools_folder() {
  const std::string cache = environment("HOLDFAST_CACHE");
  if (!cache.empty()) return fs::path(cache) / "tools";
  return fs::path(environment("HOME")) / ".cache/holdfast/tools";
}

fs::path find_program(ServerKind kind) {
  if (kind == ServerKind::mongod) return on_path("mongod");
  const bool rust = kind == ServerKind::rust;
  const std::string name = rust ? "secantusd-rs" : "secantusd-py";
  if (fs::path found = on_path(name); !found.empty()) return found;
  const fs::path cached = tools_folder() / (rust ? "secantus-rs" : "venv") / "bin" / name;
  return is_program(cached) ? cached : fs::path();
}

Result<std::pair<ServerKind, fs::path>> choose(ServerKind wanted) {
  const std::string forced = environment("HOLDFAST_TEST_SERVER");
  if (wanted == ServerKind::any && !forced.empty()) {
    for (const ServerKind kind : {ServerKind::rust, ServerKind::python, ServerKind::mongod}) {
      if (forced == name_of(kind)) wanted = kind;
    }
    if (wanted == ServerKind::any) {
      return why_not("HOLDFAST_TEST_SERVER is none of rust, python, mongod: " + forced);
    }
  }
  for (const ServerKind kind : {ServerKind::mongod, ServerKind::rust, ServerKind::python}) {
    if (wanted != ServerKind::any && wanted != kind) continue;
    if (fs::path program = find_program(kind); !program.empty()) {
      return std::pair{kind, std::move(program)};
    }
  }
  return why_not(fmt::format("no test server of kind '{}' on PATH or in {} (./dev setup gets one)",
                             name_of(wanted), tools_folder().string()));
}

bool is_listening(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return connected;
}

void end_process(pid_t process, int signal_number) {
  if (process <= 0) return;
  ::kill(process, signal_number);
  const auto deadline = std::chrono::steady_clock::now() + stop_deadline;
  while (::waitpid(process, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      ::kill(process, SIGKILL);
      ::waitpid(process, nullptr, 0);
      return;
    }
    std::this_thread::sleep_for(5ms);
  }
}

/// In the child: only calls that are safe after fork. Output to the log, die with the parent, run.
[[noreturn]] void become(char* const* arguments, const char* folder, const char* log_path,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  const int log = ::open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (::chdir(folder) != 0 || ::dup2(nothing, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0) {
    ::_exit(126);
  }
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

/// Forks on one thread that lives as long as the process: PR_SET_PDEATHSIG fires when the thread
/// that forked ends, and tests restart servers from threads of their own.
class Launcher {
 public:
  static Launcher& instance() {
    static auto* launcher = new Launcher();  // Never ended, like its thread.
    return *launcher;
  }
  pid_t fork_and_run(char* const* arguments, const char* folder, const char* log) {
    const std::lock_guard one_at_a_time(callers_);
    std::unique_lock lock(mutex_);
    request_ = {arguments, folder, log};
    process_ = 0;
    changed_.notify_all();
    changed_.wait(lock, [this] { return process_ != 0; });
    return process_;
  }

 private:
  struct Request {
    char* const* arguments = nullptr;
    const char* folder = nullptr;
    const char* log = nullptr;
  };
  Launcher() {
    std::thread([this] { serve(); }).detach();
  }
  [[noreturn]] void serve() {
    const pid_t parent = ::getpid();
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return request_.arguments != nullptr; });
      const pid_t child = ::fork();
      if (child == 0) become(request_.arguments, request_.folder, request_.log, parent);
      request_ = {};
      process_ = child;
      changed_.notify_all();
    }
  }

  std::mutex callers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Request request_;
  pid_t process_ = 0;
};

}  // namespace

std::string_view name_of(ServerKind kind) {
  switch (kind) {
    case ServerKind::any: return "any";
    case ServerKind::rust: return "rust";
    case ServerKind::python: return "python";
    case ServerKind::mongod: return "mongod";
  }
  return "unknown";
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  return bound ? ntohs(address.sin_port) : std::uint16_t{0};
}

Result<std::string> run_json(const std::string& uri, const std::string& database,
                             const std::string& command_json) {
  initialise_driver();
  bson_error_t error{};
  std::unique_ptr<mongoc_client_t, decltype(&mongoc_client_destroy)> client(
      mongoc_client_new(uri.c_str()), &mongoc_client_destroy);
  if (!client) return Error(ErrorCode::usage, "malformed URI");
  mongoc_client_set_error_api(client.get(), MONGOC_ERROR_API_VERSION_2);
  OwnedBson command;
  if (!bson_init_from_json(command.out(), command_json.data(),
                           static_cast<ssize_t>(command_json.size()), &error)) {
    bson_init(command.get());
    return Error(ErrorCode::usage, error.message);
  }
  OwnedBson reply;
  if (!mongoc_client_command_simple(client.get(), database.c_str(), command.get(), nullptr,
                                    reply.out(), &error)) {
    return Error(ErrorCode::io, fmt::format("{} (code {})", error.message, error.code));
  }
  std::size_t size = 0;
  char* text = bson_as_relaxed_extended_json(reply.get(), &size);
  std::string json(text, size);
  bson_free(text);
  return json;
}

Result<std::unique_ptr<TestServer>> TestServer::start(const TestServerOptions& options) {
  std::unique_ptr<TestServer> server(new TestServer());
  server->options_ = options;
  if (const std::string given = environment("HOLDFAST_TEST_URI"); !given.empty()) {
    if (options.standalone || options.auth || options.oplog_entries != 0 ||
        options.oplog_seconds != 0 || !options.extra_arguments.empty() ||
        options.kind != ServerKind::any) {
      return why_not("HOLDFAST_TEST_URI gives the server; this test needs one of its own");
    }
    server->owned_ = false;
    server->uri_ = given;
    return server;
  }
  HOLDFAST_CHECK(server->prepare());
  HOLDFAST_CHECK(server->launch(false));
  if (options.auth) {
    HOLDFAST_CHECK(server->create_user());
    server->stop();
    HOLDFAST_CHECK(server->launch(true));
  }
  return server;
}

TestServer::~TestServer() {
  if (!owned_) return;
  end_process(process_, SIGKILL);
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Status TestServer::prepare() {
  HOLDFAST_TRY(auto chosen, choose(options_.kind));
  kind_ = chosen.first;
  program_ = std::move(chosen.second);
  std::string pattern = (fs::temp_directory_path() / "holdfast-server-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return why_not("no temporary folder: " + pattern);
  folder_ = pattern;
  fs::create_directory(folder_ / "data");
  std::ofstream(folder_ / "member.key") << "onlyForTheMembersOfThisTestSet";
  fs::permissions(folder_ / "member.key", fs::perms::owner_read);
  port_ = free_port();
  uri_ = options_.auth ? uri_as(options_.user, options_.password) : uri_through(port_);
  return {};
}

std::vector<std::string> TestServer::arguments(bool with_auth) const {
  std::vector<std::string> words{program_.string(), "--port", std::to_string(port_)};
  const auto add = [&words](std::initializer_list<std::string> more) {
    words.insert(words.end(), more);
  };
  if (kind_ == ServerKind::mongod) {
    add({"--dbpath", (folder_ / "data").string(), "--bind_ip", "127.0.0.1"});
    add({"--wiredTigerCacheSizeGB", "0.25"});
    if (!options_.standalone) add({"--replSet", "holdfast"});
  } else {
    add({"--storage-path", (folder_ / "data").string(), "--log-level", "WARNING"});
    add({"--cache-size", "256M"});
    if (kind_ == ServerKind::rust) add({"--log-file-max", "16MB"});
    if (options_.standalone) add({"--standalone"});
    if (options_.oplog_entries != 0) {
      add({"--oplog-max-entries", std::to_string(options_.oplog_entries)});
    }
    if (options_.oplog_seconds != 0) {
      add({"--oplog-retention-seconds", std::to_string(options_.oplog_seconds)});
    }
  }
  const bool member_key = kind_ == ServerKind::mongod && !options_.standalone;
  if (with_auth && member_key) add({"--keyFile", (folder_ / "member.key").string()});
  if (with_auth && !member_key) add({"--auth"});
  words.insert(words.end(), options_.extra_arguments.begin(), options_.extra_arguments.end());
  return words;
}

Status TestServer::launch(bool with_auth) {
  std::vector<std::string> words = arguments(with_auth);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const std::string log = (folder_ / "server.log").string();
  process_ = Launcher::instance().fork_and_run(pointers.data(), folder_.c_str(), log.c_str());
  if (process_ < 0) return why_not("fork failed");
  return wait_until_ready(with_auth);
}

Status TestServer::wait_until_ready(bool with_auth) {
  const std::string address = with_auth ? uri_ : uri_through(port_);
  const std::string probe = address + "&serverSelectionTimeoutMS=300";
  const auto deadline = std::chrono::steady_clock::now() + start_deadline;
  bool initiated = kind_ != ServerKind::mongod || options_.standalone;
  std::string last = "no answer";
  while (std::chrono::steady_clock::now() < deadline) {
    if (::waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      return why_not("the test server ended at once: " + tail_of_log());
    }
    // The driver is slow to try again where nobody listens yet.
    if (!is_listening(port_)) {
      std::this_thread::sleep_for(10ms);
      continue;
    }
    auto pong = run_json(probe, "admin", R"({"hello": 1})");
    if (pong.ok() && !initiated) {
      const std::string config = fmt::format(
          R"({{"replSetInitiate": {{"_id": "holdfast",
              "members": [{{"_id": 0, "host": "127.0.0.1:{}"}}]}}}})",
          port_);
      (void)run_json(probe, "admin", config);
      initiated = true;
    } else if (pong.ok() && (pong->find("\"isWritablePrimary\" : true") != std::string::npos ||
                             pong->find("\"ismaster\" : true") != std::string::npos)) {
      return {};
    }
    last = pong.ok() ? *pong : pong.error().message();
    std::this_thread::sleep_for(15ms);
  }
  return why_not(
      fmt::format("{} did not get ready: {}; {}", program_.string(), last, tail_of_log()));
}

Status TestServer::create_user() const {
  const std::string command = fmt::format(
      R"({{"createUser": "{}", "pwd": "{}", "roles": [{{"role": "root", "db": "admin"}}]}})",
      options_.user, options_.password);
  if (auto made = run_json(uri_through(port_), "admin", command); !made.ok()) {
    return why_not("createUser: " + made.error().message());
  }
  return {};
}

std::string TestServer::uri_as(const std::string& user, const std::string& password) const {
  return fmt::format("mongodb://{}:{}@127.0.0.1:{}/?authSource=admin&directConnection=true", user,
                     password, port_);
}

std::string TestServer::uri_through(std::uint16_t port) const {
  if (!uri_.empty() && options_.auth && port != port_) {
    return fmt::format("mongodb://{}:{}@127.0.0.1:{}/?authSource=admin&directConnection=true",
                       options_.user, options_.password, port);
  }
  return fmt::format("mongodb://127.0.0.1:{}/?directConnection=true", port);
}

std::string TestServer::tail_of_log() const {
  std::ifstream file(folder_ / "server.log");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  constexpr std::size_t enough = 600;
  return text.size() > enough ? text.substr(text.size() - enough) : text;
}

void TestServer::stop() {
  if (owned_) end_process(process_, SIGTERM);
  process_ = -1;
}

void TestServer::kill() {
  if (owned_) end_process(process_, SIGKILL);
  process_ = -1;
}

Status TestServer::restart() {
  if (!owned_) return why_not("HOLDFAST_TEST_URI gives the server: it cannot be restarted");
  if (process_ > 0) stop();
  return launch(options_.auth);
}

}  // namespace holdfast::mongo

#include "mongo/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <tuple>

#include "base/log.h"
#include "bson/builder.h"
#include "mongo/client_internal.h"

namespace holdfast::mongo {
namespace {

/// More than any sensible number of range scans, streams and writers; connections are opened
/// only as they are needed.
constexpr std::int32_t pool_size = 512;

std::string text_or_empty(const char* text) { return text == nullptr ? std::string() : text; }

/// Whether a message repeats a piece of what stands before the '@' of a URI.
bool leaks_credentials(std::string_view message, std::string_view uri) {
  const auto start = uri.find("://");
  const auto end = uri.rfind('@');
  if (start == std::string_view::npos || end == std::string_view::npos || end < start + 3) {
    return false;
  }
  const std::string_view credentials = uri.substr(start + 3, end - start - 3);
  const auto colon = credentials.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view secret = credentials.substr(colon + 1);
  constexpr std::size_t piece = 4;
  if (secret.size() <= piece) return message.find(secret) != std::string_view::npos;
  for (std::size_t at = 0; at + piece <= secret.size(); ++at) {
    if (message.find(secret.substr(at, piece)) != std::string_view::npos) return true;
  }
  return false;
}

Error bad_uri(std::string_view uri, std::string_view message) {
  constexpr auto hint =
      "Write mongodb://user:password@host:port/?options, with special letters of user and "
      "password percent-encoded.";
  if (message.empty() || leaks_credentials(message, uri)) {
    return Error(ErrorCode::usage, "the MongoDB URI is malformed", hint);
  }
  return Error(ErrorCode::usage, fmt::format("the MongoDB URI is malformed: {}", message), hint);
}

Result<UriPtr> parse_uri(const std::string& text, std::uint32_t server_selection_timeout_ms) {
  bson_error_t error{};
  if (text.find('\0') != std::string::npos) return bad_uri(text, "it contains NUL");
  // The driver would take what follows the first '@' for a host, and show it in its messages.
  const auto authority = std::string_view(text).substr(std::min(text.find("://"), text.size()));
  if (std::count(authority.begin(), authority.end(), '@') > 1) {
    return bad_uri(text, "an '@' of the user or password must be written %40");
  }
  UriPtr uri(mongoc_uri_new_with_error(text.c_str(), &error));
  if (!uri) return bad_uri(text, error.message);
  const auto set_default = [&uri](const char* option, std::int32_t value) {
    if (!mongoc_uri_has_option(uri.get(), option)) {
      mongoc_uri_set_option_as_int32(uri.get(), option, value);
    }
  };
  const auto timeout = static_cast<std::int32_t>(
      std::min<std::uint32_t>(server_selection_timeout_ms, 24U * 3600U * 1000U));
  set_default(MONGOC_URI_SERVERSELECTIONTIMEOUTMS, timeout);
  set_default(MONGOC_URI_CONNECTTIMEOUTMS, std::min(timeout, 10'000));
  set_default(MONGOC_URI_MAXPOOLSIZE, pool_size);
  // Retries are ours (they outlast elections), and what they find already stored is recognised.
  if (!mongoc_uri_has_option(uri.get(), MONGOC_URI_RETRYWRITES)) {
    mongoc_uri_set_option_as_bool(uri.get(), MONGOC_URI_RETRYWRITES, false);
  }
  if (!mongoc_uri_has_option(uri.get(), MONGOC_URI_APPNAME)) {
    mongoc_uri_set_appname(uri.get(), "holdfast");
  }
  return uri;
}

bson::Document one(std::string_view command) {
  bson::Builder builder;
  builder.append_int32(command, 1);
  return std::move(builder).finish();
}

/// "8.2.11" → 8, 2, 11.
int version_part(std::string_view version, int index) {
  for (; index > 0; --index) {
    const auto dot = version.find('.');
    if (dot == std::string_view::npos) return 0;
    version.remove_prefix(dot + 1);
  }
  int number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

/// mongod and mongos name the commit that they were built from; what imitates them names none,
/// or names itself.
bool is_genuine(bson::DocumentView build_info) {
  if (build_info.find("secantusVersion") || build_info.find("ferretdb") ||
      build_info.find("ferretdbVersion")) {
    return false;
  }
  const auto commit = build_info.find_string("gitVersion").value_or("");
  return commit.size() == 40 && commit.find_first_not_of('0') != std::string_view::npos &&
         build_info.find("storageEngines") && build_info.find("openssl") &&
         build_info.find_string("allocator").value_or("") != "mimalloc";
}

}  // namespace

bool sleep_unless_stopped(const std::stop_token& stop, std::uint32_t milliseconds) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, std::chrono::milliseconds(milliseconds), [] { return false; });
  return !stop.stop_requested();
}

Backoff::Backoff(std::uint32_t deadline_ms)
    : deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(deadline_ms)) {}

bool Backoff::wait(const std::stop_token& stop) {
  if (std::chrono::steady_clock::now() >= deadline_) return false;
  const std::uint32_t pause = pause_ms_;
  pause_ms_ = std::min<std::uint32_t>(pause_ms_ * 2, 2000);
  return sleep_unless_stopped(stop, pause);
}

DriverClient& driver_of(Client& client) {
  auto* driver = dynamic_cast<DriverClient*>(&client);
  assert(driver != nullptr && "every Client comes from Client::connect");
  return *driver;
}

DriverClient::DriverClient(PoolPtr pool, std::string masked_uri, std::string default_database)
    : pool_(std::move(pool)),
      masked_uri_(std::move(masked_uri)),
      default_database_(std::move(default_database)) {}

Lease DriverClient::acquire() { return {pool_.get(), mongoc_client_pool_pop(pool_.get())}; }

bool DriverClient::at_least(int major, int minor, int patch) const {
  const std::string_view version = server_.version;
  return std::tuple(version_part(version, 0), version_part(version, 1), version_part(version, 2)) >=
         std::tuple(major, minor, patch);
}

Result<bson::Document> DriverClient::run(const std::string& database, bson::DocumentView command) {
  const Lease lease = acquire();
  const BorrowedBson borrowed(command);
  OwnedBson reply;
  bson_error_t error{};
  if (!mongoc_client_command_with_opts(lease.get(), database.c_str(), borrowed.get(), nullptr,
                                       nullptr, reply.out(), &error)) {
    return error_from(error);
  }
  const ByteView bytes = reply.bytes();
  HOLDFAST_CHECK(bson::validate_document(bytes));
  return bson::Document(to_bytes(bytes));
}

Result<bson::Document> DriverClient::run_retrying(const std::string& database,
                                                  bson::DocumentView command,
                                                  std::uint32_t deadline_ms, std::stop_token stop) {
  Backoff backoff(deadline_ms);
  for (;;) {
    auto reply = run(database, command);
    if (reply.ok() || reply.error().code() != ErrorCode::retry) return reply;
    if (stop.stop_requested() || !backoff.wait(stop)) {
      if (stop.stop_requested()) return Error(ErrorCode::cancelled, "asked to stop");
      return reply;
    }
  }
}

Status DriverClient::discover() {
  HOLDFAST_TRY(const bson::Document hello, run("admin", one("hello").view()));
  const bson::DocumentView view = hello.view();
  server_.wire_version =
      static_cast<std::int32_t>(view.find_integral("maxWireVersion").value_or(0));
  server_.set_name = std::string(view.find_string("setName").value_or(""));
  server_.replica_set = !server_.set_name.empty();
  server_.sharded = view.find_string("msg").value_or("") == "isdbgrid";
  if (const auto time = view.find("localTime"); time && time->type() == bson::Type::date) {
    server_.local_time_ms = time->as_date();
  }
  if (const auto hosts = view.find("hosts"); hosts && hosts->type() == bson::Type::array) {
    for (const bson::Element& host : hosts->as_document()) {
      if (host.value.type() == bson::Type::string) {
        server_.hosts.emplace_back(host.value.as_string());
      }
    }
  }
  HOLDFAST_TRY(const bson::Document build, run("admin", one("buildInfo").view()));
  server_.version = std::string(build.view().find_string("version").value_or(""));
  genuine_ = is_genuine(build.view());
  // hello and buildInfo need no login: a wrong password shows only now.
  HOLDFAST_TRY(const bson::Document status, run("admin", one("ping").view()));
  (void)status;
  if (!server_.replica_set) return {};
  // Needs clusterMonitor or backup where authentication is on; the id is only then known.
  if (const auto config = run("admin", one("replSetGetConfig").view()); config.ok()) {
    const auto inner = config->view().find_document("config");
    const auto settings = inner ? inner->find_document("settings") : std::nullopt;
    const auto id = settings ? settings->find("replicaSetId") : std::nullopt;
    if (id && id->type() == bson::Type::object_id) server_.set_id = to_hex(id->as_object_id());
  }
  return {};
}

Result<std::unique_ptr<Client>> Client::connect(const std::string& uri,
                                                std::uint32_t server_selection_timeout_ms) {
  initialise_driver();
  HOLDFAST_TRY(const UriPtr parsed, parse_uri(uri, server_selection_timeout_ms));
  bson_error_t error{};
  PoolPtr pool(mongoc_client_pool_new_with_error(parsed.get(), &error));
  if (!pool) return bad_uri(uri, error.message);
  mongoc_client_pool_set_error_api(pool.get(), MONGOC_ERROR_API_VERSION_2);
  auto client = std::make_unique<DriverClient>(
      std::move(pool), mask_uri(uri), text_or_empty(mongoc_uri_get_database(parsed.get())));
  if (const Status found = client->discover(); !found.ok()) {
    Error failure = found.error().with_context("cannot use " + client->masked_uri());
    if (failure.code() == ErrorCode::retry) {
      return failure.with_hint("Check that the server runs and that this host may reach it.");
    }
    return failure;
  }
  return std::unique_ptr<Client>(std::move(client));
}

int code_of(const Error& error) {
  constexpr std::string_view mark = "(code ";
  const std::string& message = error.message();
  const auto at = message.rfind(mark);
  if (at == std::string::npos) return 0;
  int code = 0;
  const char* first = message.data() + at + mark.size();
  const auto [end, problem] = std::from_chars(first, message.data() + message.size(), code);
  return problem == std::errc() && end != message.data() + message.size() && *end == ')' ? code : 0;
}

}  // namespace holdfast::mongo

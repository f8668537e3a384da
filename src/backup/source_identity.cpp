#include "backup/source_identity.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace holdfast::backup {

namespace {

/// Lower-case letters, digits and dashes only: it names a folder.
std::string folder_name(std::string_view text) {
  std::string name;
  for (const char letter : text.substr(0, 40)) {
    const bool upper = letter >= 'A' && letter <= 'Z';
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
    if (upper) {
      name.push_back(static_cast<char>(letter - 'A' + 'a'));
    } else {
      name.push_back(plain ? letter : '-');
    }
  }
  return name;
}

std::string short_digest(const std::string& text) {
  Bytes digest(crypto_generichash_BYTES_MIN);
  crypto_generichash(digest.data(), digest.size(), as_bytes(text).data(), text.size(), nullptr, 0);
  return to_hex(digest).substr(0, 16);
}

}  // namespace

repository::SourceIdentity identify_source(const mongo::ServerInfo& server) {
  std::vector<std::string> hosts = server.hosts;
  std::sort(hosts.begin(), hosts.end());
  repository::SourceIdentity source;
  const std::string joined = fmt::format("{}", fmt::join(hosts, ","));
  if (server.replica_set && !server.set_id.empty()) {
    source.id = fmt::format("rs-{}", folder_name(server.set_id));
  } else {
    const std::string_view kind =
        server.sharded ? "sharded" : (server.replica_set ? "set" : "standalone");
    source.id = fmt::format("{}-{}", kind, short_digest(server.set_name + "/" + joined));
  }
  source.description = server.replica_set ? fmt::format("{}/{}", server.set_name, joined) : joined;
  source.server_version = server.version;
  return source;
}

}  // namespace holdfast::backup

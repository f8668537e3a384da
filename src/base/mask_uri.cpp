#include <algorithm>
#include <array>
#include <cctype>

#include "base/log.h"

namespace holdfast {

namespace {

constexpr std::string_view mask = "***";
constexpr std::string_view white = " \t\r\n";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return out;
}

bool names_a_secret(std::string_view name, std::string_view value) {
  static constexpr std::array words = {"password", "passphrase", "passwd",    "pwd", "secret",
                                       "token",    "credential", "signature", "key", "sig"};
  const std::string small = lower(name);
  // Paths of key files help, and are no secret: tlsCertificateKeyFile, sslPEMKeyFile.
  if (small.ends_with("keyfile")) return false;
  // authMechanismProperties=AWS_SESSION_TOKEN:…
  if (lower(value).find("token") != std::string::npos) return true;
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return small.find(word) != std::string::npos; });
}

/// Masks secret values of "a=b&c=d…"; punctuation of the sentence around stays.
std::string mask_query(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const auto end = std::min(query.find_first_of("&;#"), query.size());
    std::string_view part = query.substr(0, end);
    const auto equals = part.find('=');
    if (equals != std::string_view::npos &&
        names_a_secret(part.substr(0, equals), part.substr(equals + 1))) {
      const auto last = part.find_last_not_of("'\"`):,.>");
      const auto tail = std::max(last == std::string_view::npos ? 0 : last + 1, equals + 1);
      out.append(part.substr(0, equals + 1)).append(mask).append(part.substr(tail));
    } else {
      out.append(part);
    }
    if (end < query.size()) out.push_back(query[end]);
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return out;
}

/// Where what follows "://" ends: at white space, unless a password holds some.
std::size_t end_of_uri(std::string_view rest) {
  const auto end = std::min(rest.find_first_of(white), rest.size());
  const std::string_view front = rest.substr(0, end);
  if (end == rest.size() || front.find('@') != std::string_view::npos) return end;
  // "user:my pass@host": what follows the colon is no port, and there is an '@' further on.
  const auto colon = front.find(':');
  if (colon == std::string_view::npos || front.starts_with('[') || colon + 1 == front.size() ||
      front.find_first_of("/?") < colon ||
      std::isdigit(static_cast<unsigned char>(front[colon + 1])) != 0) {
    return end;
  }
  const auto at = rest.find('@');
  if (at == std::string_view::npos || rest.substr(0, at).find("://") != std::string_view::npos) {
    return end;
  }
  return std::min(rest.find_first_of(white, at), rest.size());
}

}  // namespace

std::string mask_uri(std::string_view text) {
  std::string out;
  while (true) {
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos) return out.append(text);
    out.append(text.substr(0, scheme + 3));
    text.remove_prefix(scheme + 3);
    std::string_view uri = text.substr(0, end_of_uri(text));
    text.remove_prefix(uri.size());
    // The last '@', since a password may hold one that nobody escaped.
    if (const auto at = uri.rfind('@'); at != std::string_view::npos) {
      const auto colon = uri.substr(0, at).find(':');
      out.append(uri.substr(0, std::min(colon, at)));
      if (colon != std::string_view::npos) out.append(":").append(mask);
      uri.remove_prefix(at);
    }
    const auto question = uri.find('?');
    out.append(uri.substr(0, question));
    if (question == std::string_view::npos) continue;
    out.append("?").append(mask_query(uri.substr(question + 1)));
  }
}

}  // namespace holdfast

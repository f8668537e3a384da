#include "repository/header.h"

#include <algorithm>
#include <limits>

#include "repository/checked_json.h"
#include "repository/names.h"

namespace holdfast::repository {
namespace {

constexpr std::string_view encryption_name = "xchacha20poly1305";
constexpr std::string_view no_encryption_name = "none";

Error damaged(std::string_view why) {
  return {ErrorCode::corrupt, std::string(header_name) + ": " + std::string(why)};
}

Status check_features(const Json& json) {
  const auto features = json.find("features");
  if (features == json.end() || !features->is_array()) {
    return damaged("\"features\" is missing or wrong");
  }
  for (const Json& feature : *features) {
    const std::string text = feature.is_string() ? feature.get<std::string>() : "?";
    return Error(ErrorCode::unsupported,
                 "the repository uses the feature \"" + text + "\", unknown to this version",
                 "use a newer holdfast");
  }
  return {};
}

}  // namespace

std::string encode_header(const Header& header) {
  Json json;
  json["format"] = repository_format;
  json["features"] = Json::array();
  json["id"] = header.id_text();
  json["encryption"] = header.encrypted ? encryption_name : no_encryption_name;
  json["created"] = to_milliseconds(header.created);
  return encode_checked_json(json);
}

Result<Header> decode_header(ByteView bytes) {
  HOLDFAST_TRY(const Json json, decode_checked_json(header_name, bytes));
  HOLDFAST_TRY(const std::int64_t format, json_integer(header_name, json, "format", 1,
                                                       std::numeric_limits<std::int64_t>::max()));
  if (format > repository_format) {
    return Error(ErrorCode::unsupported,
                 "the repository has format " + std::to_string(format) +
                     "; this version reads formats up to " + std::to_string(repository_format),
                 "use a newer holdfast");
  }
  HOLDFAST_CHECK(check_features(json));
  HOLDFAST_TRY(const std::string id, json_text(header_name, json, "id"));
  HOLDFAST_TRY(const std::string encryption, json_text(header_name, json, "encryption"));
  HOLDFAST_TRY(const std::int64_t created,
               json_integer(header_name, json, "created", -max_milliseconds, max_milliseconds));
  Header header;
  if (!is_hex(id, 2 * header.id.size())) return damaged("\"id\" is wrong");
  const Bytes id_bytes = from_hex(id).value_or(Bytes(header.id.size()));
  std::copy(id_bytes.begin(), id_bytes.end(), header.id.begin());
  if (encryption != encryption_name && encryption != no_encryption_name) {
    return Error(ErrorCode::unsupported,
                 "the repository is encrypted with \"" + encryption + "\", unknown to this version",
                 "use a newer holdfast");
  }
  header.encrypted = encryption == encryption_name;
  header.created = from_milliseconds(created);
  return header;
}

std::int64_t to_milliseconds(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

WallTime from_milliseconds(std::int64_t milliseconds) {
  return WallTime(
      std::chrono::duration_cast<WallTime::duration>(std::chrono::milliseconds(milliseconds)));
}

}  // namespace holdfast::repository

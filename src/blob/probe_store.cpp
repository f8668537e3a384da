#include "blob/probe_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/random.h"

namespace holdfast::blob {

namespace {

Error refuse(const BlobStore& store, std::string_view why) {
  return Error(ErrorCode::unsupported,
               fmt::format("{} cannot hold a repository: {}", store.location(), why));
}

Status probe(BlobStore& store, const std::string& name) {
  const ByteView first = as_bytes("first content");
  HOLDFAST_CHECK(store.put(name, first));

  const auto again = store.put(name, as_bytes("second content, longer than the first"));
  if (again.ok()) return refuse(store, "it lets a second writer replace what exists");
  if (again.error().code() != ErrorCode::exists) return again.error();
  HOLDFAST_TRY(const auto content, store.get(name, 1000));
  if (!same_bytes(content, first)) {
    return refuse(store, "it refused to replace a file, and changed it all the same");
  }
  HOLDFAST_TRY(const auto range, store.get_range(name, 6, 7));
  if (as_text(range) != "content") return refuse(store, "it doesn't read ranges exactly");

  HOLDFAST_TRY(const auto listed, store.list("probe/"));
  if (std::none_of(listed.begin(), listed.end(), [&](const BlobInfo& blob) {
        return blob.name == name && blob.size == first.size();
      })) {
    return refuse(store, "a new file doesn't show when it is listed");
  }
  return {};
}

}  // namespace

Status probe_store(BlobStore& store) {
  SystemRandom random;
  const std::string name = "probe/" + to_hex(random.bytes<16>());
  const auto outcome = probe(store, name);
  const auto removed = store.remove(name);
  if (!outcome.ok()) return outcome;
  HOLDFAST_CHECK(removed);
  const auto gone = store.stat(name);
  if (gone.ok()) return refuse(store, "a removed file is still there");
  if (gone.error().code() != ErrorCode::not_found) return gone.error();
  return {};
}

}  // namespace holdfast::blob

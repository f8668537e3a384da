#include "repository/lease.h"

#include <unistd.h>

#include <array>

#include "bson/builder.h"
#include "repository/header.h"
#include "repository/names.h"

namespace holdfast::repository {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

}  // namespace

Result<std::unique_ptr<Lease>> Lease::open(Context& context, const std::string& source,
                                           const std::string& snapshot_id) {
  const std::string name = lease_name(source, to_hex(context.random.bytes<8>()));
  bson::Builder content;
  content.append_string("snapshot", snapshot_id)
      .append_date("started", to_milliseconds(context.clock.now()))
      .append_int64("process", getpid())
      .append_string("host", host_name());
  HOLDFAST_CHECK(put_object(context, SealKind::lease, name, {std::move(content).finish().bytes()}));
  return std::unique_ptr<Lease>(new Lease(context, name));
}

Lease::~Lease() {
  // Should it stay behind, it is stale like that of a process that was killed.
  [[maybe_unused]] const Status removed = context_.store.remove(name_);
}

}  // namespace holdfast::repository

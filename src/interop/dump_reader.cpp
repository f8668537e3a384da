#include "interop/dump_reader.h"

namespace holdfast::interop {

bool is_missed(const CollectionInfo& info) {
  return info.ns.collection.starts_with("system.buckets.");
}

std::string reason_to_leave_out(const CollectionInfo& info) {
  const Namespace& ns = info.ns;
  if (ns.database == "admin" || ns.database == "config" || ns.database == "local") {
    return "it belongs to the server, not to the data";
  }
  // Users and roles of one database, as archives carry them.
  if (ns.database == "$admin" || ns.database.empty()) return "it belongs to the server's users";
  if (ns.collection.starts_with("$admin.system.")) return "it belongs to the server's users";
  if (ns.collection.starts_with("system.buckets.")) {
    return "it holds a time series as packed buckets, which only a server can unpack";
  }
  if (ns.collection.starts_with("system.") && ns.collection != "system.js") {
    return "the server makes it by itself";
  }
  return {};
}

}  // namespace holdfast::interop

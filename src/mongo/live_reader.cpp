#include <algorithm>

#include "bson/builder.h"
#include "mongo/catalog.h"
#include "mongo/scan_internal.h"

namespace holdfast::mongo {
namespace {

class LiveReader final : public DatasetReader {
 public:
  LiveReader(Client& client, std::vector<std::string> databases)
      : client_(client), databases_(std::move(databases)) {}

  Result<std::vector<CollectionInfo>> catalog() override {
    std::vector<std::string> names = databases_;
    if (names.empty()) {
      HOLDFAST_TRY(names, list_databases(client_));
    }
    std::vector<CollectionInfo> all;
    for (const std::string& name : names) {
      HOLDFAST_TRY(auto catalog, read_catalog(client_, name));
      std::move(catalog.begin(), catalog.end(), std::back_inserter(all));
    }
    std::sort(all.begin(), all.end(),
              [](const CollectionInfo& a, const CollectionInfo& b) { return a.ns < b.ns; });
    return all;
  }

  Result<std::unique_ptr<DocumentCursor>> open(const Namespace& ns) override {
    HOLDFAST_TRY(const auto info, read_catalog_entry(client_, ns));
    ScanOptions options;
    // Reads see at least what was written before they were asked for.
    HOLDFAST_TRY(options.not_before, newest_operation_time(client_));
    HOLDFAST_TRY(auto scan, open_scan(client_, info, {}, options));
    return std::unique_ptr<DocumentCursor>(std::move(scan));
  }

 private:
  Client& client_;
  std::vector<std::string> databases_;
};

}  // namespace

Result<ClusterTime> newest_operation_time(Client& client) {
  if (!client.server().has_log()) return ClusterTime();
  bson::Builder ping;
  ping.append_int32("ping", 1);
  const bson::Document command = std::move(ping).finish();
  HOLDFAST_TRY(const auto reply, client.run("admin", command.view()));
  const auto time = reply.view().find("operationTime");
  if (!time || time->type() != bson::Type::timestamp) return ClusterTime();
  return ClusterTime::from_packed(time->as_timestamp());
}

std::unique_ptr<DatasetReader> make_live_reader(Client& client,
                                                std::vector<std::string> databases) {
  return std::make_unique<LiveReader>(client, std::move(databases));
}

}  // namespace holdfast::mongo

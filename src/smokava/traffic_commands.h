#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"
#include "mongo/client.h"
#include "smokava/traffic_record.h"

namespace holdfast::smokava {

/// What became of one write.
struct WriteOutcome {
  enum class Kind {
    done,     ///< recorded
    nothing,  ///< no document matched
    refused,  ///< the server refused the update; nothing changed
  };
  Kind kind = Kind::done;
  /// The document after the write; none if it is gone.
  std::optional<bson::Document> after;
};

/// One thread's connection to the data: runs writes one by one, each with the bounds of its
/// cluster time, and records them. Its documents must not be written by anybody else, for
/// plain inserts and updates are read back. Not thread-safe.
class TrafficCommands {
 public:
  TrafficCommands(mongo::Client& client, std::string database, TrafficRecord& record,
                  std::int32_t thread)
      : client_(client), database_(std::move(database)), record_(record), thread_(thread) {}

  struct Write {
    std::string_view operation;
    std::string_view collection;
    bson::ValueView id;
    bool removes = false;
  };
  /// findAndModify with what `command` asks: the reply holds the document after the write.
  [[nodiscard]] Result<WriteOutcome> find_and_modify(const Write& write,
                                                     bson::DocumentView command);
  /// An insert or update command, and then the document as it stands.
  [[nodiscard]] Result<WriteOutcome> write_and_read_back(const Write& write,
                                                         bson::DocumentView command);
  /// A command that defines data; recorded as it is.
  [[nodiscard]] Result<WriteOutcome> define(std::string_view operation, std::string_view collection,
                                            bson::DocumentView command);
  [[nodiscard]] Result<std::optional<bson::Document>> find(std::string_view collection,
                                                           bson::ValueView id);

  /// The newest operationTime seen.
  [[nodiscard]] ClusterTime newest_time() const { return newest_; }

 private:
  struct Reply {
    std::optional<bson::Document> document;  ///< none: refused
    ClusterTime since;
    ClusterTime time;
  };
  [[nodiscard]] Result<Reply> run(const TrafficEntry& attempt, bson::DocumentView command);
  void remember_time(bson::DocumentView reply);
  [[nodiscard]] TrafficEntry new_entry(std::string_view operation,
                                       std::string_view collection) const;

  mongo::Client& client_;
  std::string database_;
  TrafficRecord& record_;
  std::int32_t thread_;
  ClusterTime newest_;
};

}  // namespace holdfast::smokava

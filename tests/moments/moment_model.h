#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"
#include "repository/repository.h"

namespace holdfast::moments {

/// A collection as the record of a workload has it.
struct ModelCollection {
  std::string type;
  bson::Document options;
  std::vector<bson::Document> indexes;
  std::map<std::string, bson::Document> documents;  ///< By the bytes of {"": _id}.
};
using ModelState = std::map<std::string, ModelCollection>;

/// The state of two databases at any moment, by the record that moment_workload.py made: each
/// entry tells what was read back after an operation. Knows nothing of change events.
class MomentModel {
 public:
  /// Errors: io, corrupt.
  [[nodiscard]] static Result<MomentModel> read(const std::filesystem::path& record);
  /// The state at a moment; moments must ascend.
  [[nodiscard]] const ModelState& advance(ClusterTime moment);
  void rewind();

 private:
  std::vector<bson::Document> entries_;
  std::size_t next_ = 0;
  ModelState state_;
};

/// How a snapshot compares with the model.
struct Comparison {
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;
  std::uint64_t other_order = 0;  ///< Equal but for the order of fields.
  std::vector<std::string> wrong;
};

struct CompareSettings {
  /// The order of fields that one update added is not told by every server.
  bool order_may_differ = false;
  /// The server's createIndexes events have no options.
  bool index_options_untold = false;
  /// The server writes defaults of validation down when a collMod touches it, as mongod does.
  bool defaults_shown = true;
  /// Collections whose catalog entry was changed in ways that the server's events do not tell.
  std::set<std::string> untold;
};

[[nodiscard]] Status compare(const ModelState& model, repository::SnapshotReader& reader,
                             const CompareSettings& settings, Comparison& comparison);

}  // namespace holdfast::moments

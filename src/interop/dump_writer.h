#pragma once

#include <string>
#include <vector>

#include "dataset/writer.h"

namespace holdfast::interop {

/// A dump in the making. Collections are created with their indexes (`create_indexes` adds none:
/// a dump has them in its metadata). Destroyed without `finish` it leaves nothing that could be
/// taken for a dump.
class DumpWriter : public DatasetWriter {
 public:
  /// Every document of this collection has been inserted.
  [[nodiscard]] virtual Status end_collection(const Namespace& ns) = 0;
  /// Ends the dump, after all collections. Call it once.
  [[nodiscard]] virtual Status finish() = 0;
  [[nodiscard]] Status create_indexes(const Namespace& ns,
                                      const std::vector<bson::Document>& indexes) override {
    (void)ns;
    (void)indexes;
    return {};
  }
};

/// What preludes and archives name as the tool that made them.
inline constexpr const char* dump_tool_version = "holdfast " HOLDFAST_VERSION;

/// The version as archives need it, "x.y.z": what is behind that is cut off, what is missing
/// becomes 0.
[[nodiscard]] std::string plain_version(const std::string& server_version);

}  // namespace holdfast::interop

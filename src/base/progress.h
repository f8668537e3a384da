#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast {

/// How a use case tells about long work. Calls may come from any thread and must be cheap;
/// a display decides when to draw.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  /// A new stage begins, e.g. "scan", "fold", "restore". Totals are 0 where unknown.
  virtual void stage(std::string_view name, std::uint64_t total_documents,
                     std::uint64_t total_bytes) = 0;
  /// Adds to what is done in the current stage. Bytes are of BSON documents.
  virtual void advance(std::uint64_t documents, std::uint64_t bytes) = 0;
  /// Something the operator should read though the work goes on.
  virtual void note(std::string_view sentence) = 0;
};

/// Ignores everything.
class SilentProgress final : public ProgressSink {
 public:
  void stage(std::string_view, std::uint64_t, std::uint64_t) override {}
  void advance(std::uint64_t, std::uint64_t) override {}
  void note(std::string_view) override {}
};

}  // namespace holdfast

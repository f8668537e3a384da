#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "bson/document.h"
#include "dataset/types.h"

namespace holdfast::smokava {

/// One acknowledged write; traffic.h documents the fields.
struct TrafficEntry {
  std::int32_t thread = 0;
  std::string ns;
  std::optional<bson::ValueView> id;
  std::string_view operation;
  std::optional<bson::DocumentView> after;
  std::optional<bson::DocumentView> ddl;
  ClusterTime since;
  ClusterTime time;
  bool unknown = false;
};

/// The file of what traffic did. Thread-safe. A crash leaves whole entries up to the last flush,
/// and perhaps the beginning of one more.
class TrafficRecord {
 public:
  /// An empty path makes a record that keeps nothing. Errors: those of open_file.
  [[nodiscard]] static Result<std::unique_ptr<TrafficRecord>> create(
      const std::filesystem::path& path);

  [[nodiscard]] Status append(const TrafficEntry& entry);
  [[nodiscard]] Status flush();
  [[nodiscard]] Status close();

 private:
  explicit TrafficRecord(std::filesystem::path path) : path_(std::move(path)) {}
  [[nodiscard]] Status flush_locked();

  std::filesystem::path path_;
  FileDescriptor file_;
  std::mutex mutex_;
  std::int64_t entries_ = 0;
  Bytes buffer_;
};

}  // namespace holdfast::smokava

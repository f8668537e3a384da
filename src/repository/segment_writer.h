#pragma once

#include <memory>
#include <optional>
#include <string>

#include "repository/context.h"
#include "repository/repository.h"
#include "repository/segment_file_writer.h"

namespace holdfast::repository {

/// What a SegmentStream works with; shared with the SegmentWriters that it hands out, so that
/// either may go first. Not thread-safe.
class StreamCore {
 public:
  StreamCore(Context& context, std::string source, const LayoutSettings& layout,
             std::shared_ptr<OwnFiles> files);

  /// Errors: precondition (a segment is open, or the stream is closed).
  [[nodiscard]] static Result<std::unique_ptr<SegmentWriter>> begin(
      const std::shared_ptr<StreamCore>& core);
  [[nodiscard]] Status close_file();
  /// close_file, and no segment may begin any more.
  [[nodiscard]] Status close();

 private:
  friend class StoredSegmentWriter;
  /// Opens the file when its first block comes, so that a stream without entries leaves none.
  [[nodiscard]] Result<SegmentFileWriter::Appended> append(SealKind kind, ByteView raw);

  Context& context_;
  const std::string source_;
  const LayoutSettings layout_;
  std::shared_ptr<OwnFiles> files_;
  std::optional<BlockEncoder> encoder_;  ///< While a file is open.
  BlockBuffer block_;
  std::unique_ptr<SegmentFileWriter> file_;
  std::optional<Error> failure_;  ///< The first failed write; what every later call returns.
  bool segment_open_ = false;
  bool closed_ = false;
};

}  // namespace holdfast::repository

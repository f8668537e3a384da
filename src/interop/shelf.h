#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "base/spool.h"
#include "interop/byte_stream.h"
#include "interop/dump_reader.h"

namespace holdfast::interop {

/// Where the documents of a stream that can be read only once are laid down.
struct SpoolPlace {
  std::filesystem::path folder;
  RandomSource& random;
};

/// A dump that came as one stream, made readable by collection: it remembers where each
/// collection's documents lie, in the file itself if that can be read at any place, else in an
/// encrypted spool. Filled first, by one thread; then it is a DumpReader.
class Shelf final : public DumpReader {
 public:
  /// Pieces that lie apart from each other; above it an archive is interleaved too finely for our
  /// memory (each costs 16 bytes).
  static constexpr std::size_t max_pieces = 4U * 1024 * 1024;

  /// Documents stay in this file; `append_at` tells where.
  Shelf(std::string format, FileDescriptor file, std::filesystem::path path);
  /// Documents are copied by `append`.
  [[nodiscard]] static Result<std::unique_ptr<Shelf>> with_spool(std::string format,
                                                                 const SpoolPlace& place);

  /// Begins a collection; what belongs to the server is noted and not shown. Returns its number.
  /// Errors: corrupt (that namespace is there already).
  [[nodiscard]] Result<std::size_t> add_collection(CollectionInfo info);
  /// The oplog is a collection of its own kind.
  [[nodiscard]] Result<std::size_t> add_oplog();
  /// Documents whose collection is not known yet; `name_stream` or `take_as_oplog` tells it.
  [[nodiscard]] std::size_t add_stream();
  [[nodiscard]] Status name_stream(std::size_t number, CollectionInfo info);
  [[nodiscard]] Status take_as_oplog(std::size_t number);
  /// A document (or several whole ones) of this collection, which stood at `offset` of the stream.
  [[nodiscard]] Status append(std::size_t number, ByteView documents, std::uint64_t offset);
  /// Call it once, after all appends.
  [[nodiscard]] Status seal();

  /// Takes a collection out of the catalog again; what is read is then not the whole dump.
  void leave_out(std::size_t number, std::string sentence);
  void set_server_version(std::string version) { server_version_ = std::move(version); }
  void add_note(std::string sentence) { notes_.push_back(std::move(sentence)); }
  void set_incomplete() { incomplete_ = true; }

  [[nodiscard]] Result<std::vector<CollectionInfo>> catalog() override;
  [[nodiscard]] Result<std::unique_ptr<DocumentCursor>> open(const Namespace& ns) override;
  [[nodiscard]] std::string format() const override { return format_; }
  [[nodiscard]] std::string server_version() const override { return server_version_; }
  [[nodiscard]] bool has_oplog() const override { return oplog_.has_value(); }
  [[nodiscard]] Result<std::unique_ptr<DocumentCursor>> open_oplog() override;
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }
  [[nodiscard]] bool incomplete() const override { return incomplete_; }

 private:
  class Source;
  struct Piece {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  struct Collection {
    CollectionInfo info;
    bool hidden = true;    ///< Not in the catalog.
    bool dropped = false;  ///< Its documents are not wanted.
    std::vector<Piece> pieces;
  };
  explicit Shelf(std::string format) : format_(std::move(format)) {}
  [[nodiscard]] std::unique_ptr<DocumentCursor> cursor(const Collection& collection) const;

  const std::string format_;
  FileDescriptor file_;
  std::filesystem::path path_;
  std::unique_ptr<EncryptedSpool> spool_;
  std::vector<Collection> collections_;
  std::map<Namespace, std::size_t> by_name_;
  std::optional<std::size_t> oplog_;
  std::size_t pieces_ = 0;
  std::string server_version_;
  std::vector<std::string> notes_;
  bool incomplete_ = false;
};

}  // namespace holdfast::interop

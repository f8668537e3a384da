#include "interop/shelf.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "interop/buffered_input.h"

namespace holdfast::interop {

/// One collection's pieces behind one another.
class Shelf::Source final : public ByteSource {
 public:
  Source(const Shelf& shelf, const Collection& collection)
      : shelf_(shelf), collection_(collection) {}

  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    while (piece_ < collection_.pieces.size()) {
      const Piece& piece = collection_.pieces[piece_];
      if (done_ == piece.length) {
        ++piece_;
        done_ = 0;
        spool_reader_.reset();
        continue;
      }
      const auto wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), piece.length - done_));
      HOLDFAST_TRY(const std::size_t count, read_piece(piece, out.first(wanted)));
      if (count == 0) return Error(ErrorCode::io, "the dump became shorter while it was read");
      done_ += count;
      return count;
    }
    return std::size_t{0};
  }

 private:
  Result<std::size_t> read_piece(const Piece& piece, std::span<std::uint8_t> out) {
    if (!shelf_.spool_) {
      return read_at(shelf_.file_.get(), out, piece.offset + done_, shelf_.path_);
    }
    if (!spool_reader_) spool_reader_ = shelf_.spool_->reader(piece.offset);
    return spool_reader_->read(out);
  }

  const Shelf& shelf_;
  const Collection& collection_;
  std::size_t piece_ = 0;
  std::uint64_t done_ = 0;
  std::unique_ptr<SpoolReader> spool_reader_;
};

Shelf::Shelf(std::string format, FileDescriptor file, std::filesystem::path path)
    : format_(std::move(format)), file_(std::move(file)), path_(std::move(path)) {}

Result<std::unique_ptr<Shelf>> Shelf::with_spool(std::string format, const SpoolPlace& place) {
  auto shelf = std::unique_ptr<Shelf>(new Shelf(std::move(format)));
  HOLDFAST_TRY(shelf->spool_, EncryptedSpool::create(place.folder, place.random));
  return shelf;
}

std::size_t Shelf::add_stream() {
  collections_.emplace_back();
  return collections_.size() - 1;
}

Status Shelf::name_stream(std::size_t number, CollectionInfo info) {
  if (!by_name_.emplace(info.ns, number).second) {
    return Error(ErrorCode::corrupt, "the dump holds " + info.ns.text() + " twice");
  }
  const std::string reason = reason_to_leave_out(info);
  if (!reason.empty()) notes_.push_back(info.ns.text() + " is left out: " + reason);
  if (!reason.empty() && is_missed(info)) incomplete_ = true;
  Collection& collection = collections_[number];
  collection.info = std::move(info);
  collection.hidden = !reason.empty();
  collection.dropped = collection.hidden;
  return {};
}

void Shelf::leave_out(std::size_t number, std::string sentence) {
  collections_[number].hidden = true;
  notes_.push_back(std::move(sentence));
  incomplete_ = true;
}

Status Shelf::take_as_oplog(std::size_t number) {
  if (oplog_) return Error(ErrorCode::corrupt, "the dump holds two oplogs");
  oplog_ = number;
  return {};
}

Result<std::size_t> Shelf::add_collection(CollectionInfo info) {
  const std::size_t number = add_stream();
  HOLDFAST_CHECK(name_stream(number, std::move(info)));
  return number;
}

Result<std::size_t> Shelf::add_oplog() {
  const std::size_t number = add_stream();
  HOLDFAST_CHECK(take_as_oplog(number));
  return number;
}

Status Shelf::append(std::size_t number, ByteView documents, std::uint64_t offset) {
  if (documents.empty()) return {};
  if (collections_[number].dropped) return {};
  if (spool_) {
    offset = spool_->size();
    HOLDFAST_CHECK(spool_->append(documents));
  }
  std::vector<Piece>& pieces = collections_[number].pieces;
  if (!pieces.empty() && pieces.back().offset + pieces.back().length == offset) {
    pieces.back().length += documents.size();
    return {};
  }
  if (++pieces_ > max_pieces) {
    return Error(ErrorCode::unsupported,
                 fmt::format("its collections are mixed in more than {} pieces", max_pieces));
  }
  pieces.push_back({offset, documents.size()});
  return {};
}

Status Shelf::seal() { return spool_ ? spool_->flush() : Status(); }

Result<std::vector<CollectionInfo>> Shelf::catalog() {
  std::vector<CollectionInfo> infos;
  for (const auto& [ns, number] : by_name_) {
    if (!collections_[number].hidden) infos.push_back(collections_[number].info);
  }
  return infos;
}

std::unique_ptr<DocumentCursor> Shelf::cursor(const Collection& collection) const {
  return make_bson_cursor(std::make_unique<Source>(*this, collection));
}

Result<std::unique_ptr<DocumentCursor>> Shelf::open(const Namespace& ns) {
  const auto found = by_name_.find(ns);
  if (found == by_name_.end() || collections_[found->second].hidden) {
    return Error(ErrorCode::not_found, "the dump holds no " + ns.text());
  }
  return cursor(collections_[found->second]);
}

Result<std::unique_ptr<DocumentCursor>> Shelf::open_oplog() {
  if (!oplog_) return Error(ErrorCode::not_found, "this dump has no oplog");
  return cursor(collections_[*oplog_]);
}

}  // namespace holdfast::interop

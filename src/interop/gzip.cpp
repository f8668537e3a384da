#include "interop/gzip.h"

#include <zlib.h>

#include <array>
#include <deque>
#include <future>
#include <utility>

namespace holdfast::interop {

namespace {

constexpr std::size_t packed_step_bytes = 64U * 1024;
/// A block for one thread: large enough that its overhead is nothing.
constexpr std::size_t block_bytes = 512U * 1024;
/// Deflate's window; what a block can refer back to.
constexpr std::size_t window_bytes = 32U * 1024;
/// As mongodump.
constexpr int compression_level = 6;
/// Window bits of zlib's interface: raw deflate, and gzip with its header.
constexpr int raw_deflate = -15;
constexpr int gzip_format = 15 + 16;
constexpr int deflate_memory_level = 8;

class GunzipSource final : public ByteSource {
 public:
  explicit GunzipSource(std::unique_ptr<ByteSource> packed)
      : packed_(std::move(packed)), buffer_(packed_step_bytes) {
    usable_ = inflateInit2(&stream_, gzip_format) == Z_OK;
  }
  ~GunzipSource() override { inflateEnd(&stream_); }
  GunzipSource(const GunzipSource&) = delete;
  GunzipSource& operator=(const GunzipSource&) = delete;

  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    if (!usable_) return Error(ErrorCode::io, "no memory to unpack gzip");
    while (!ended_) {
      if (stream_.avail_in == 0) HOLDFAST_CHECK(refill());
      if (stream_.avail_in == 0) {
        if (between_members_ && members_ > 0) break;
        return Error(ErrorCode::corrupt, "the gzip stream is cut short");
      }
      if (between_members_ && members_ > 0) {
        HOLDFAST_CHECK(begin_next_member());
        if (ended_) break;
      }
      HOLDFAST_TRY(const std::size_t count, inflate_into(out));
      if (count > 0) return count;
    }
    ended_ = true;
    return std::size_t{0};
  }

 private:
  Status refill() {
    HOLDFAST_TRY(const std::size_t count, packed_->read(buffer_));
    stream_.next_in = buffer_.data();
    stream_.avail_in = static_cast<uInt>(count);
    packed_bytes_ += count;
    return {};
  }

  /// Zeros behind the last member are padding (tape blocks), anything else must be a member.
  Status begin_next_member() {
    while (stream_.avail_in > 0 && *stream_.next_in == 0) {
      ++stream_.next_in;
      if (--stream_.avail_in == 0) HOLDFAST_CHECK(refill());
    }
    if (stream_.avail_in == 0) {
      ended_ = true;
      return {};
    }
    inflateReset(&stream_);
    between_members_ = false;
    return {};
  }

  Result<std::size_t> inflate_into(std::span<std::uint8_t> out) {
    constexpr std::size_t most = 1U << 30U;
    between_members_ = false;
    stream_.next_out = out.data();
    const auto room = static_cast<uInt>(std::min(out.size(), most));
    stream_.avail_out = room;
    const int outcome = inflate(&stream_, Z_NO_FLUSH);
    if (outcome == Z_STREAM_END) {
      between_members_ = true;
      ++members_;
    } else if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
      return Error(ErrorCode::corrupt,
                   std::string("the gzip stream is damaged") +
                       (stream_.msg == nullptr ? "" : ": " + std::string(stream_.msg)));
    }
    const std::size_t count = room - stream_.avail_out;
    plain_bytes_ += count;
    if (plain_bytes_ > gunzip_grace_bytes && plain_bytes_ / max_gunzip_ratio > packed_bytes_) {
      return Error(ErrorCode::corrupt, "the gzip stream expands more than " +
                                           std::to_string(max_gunzip_ratio) +
                                           " times: that is no dump but a bomb");
    }
    return count;
  }

  std::unique_ptr<ByteSource> packed_;
  Bytes buffer_;
  z_stream stream_{};
  bool usable_ = false;
  bool ended_ = false;
  bool between_members_ = false;
  std::uint64_t members_ = 0;
  std::uint64_t packed_bytes_ = 0;
  std::uint64_t plain_bytes_ = 0;
};

struct PackedBlock {
  Bytes bytes;
  std::uint32_t crc = 0;
  std::size_t plain_bytes = 0;
};

/// One block as raw deflate; all but the last end at a byte boundary, so that they can be joined.
PackedBlock deflate_block(const Bytes& plain, const Bytes& dictionary, bool last) {
  PackedBlock packed;
  packed.plain_bytes = plain.size();
  packed.crc = static_cast<std::uint32_t>(
      crc32(crc32(0, nullptr, 0), plain.data(), static_cast<uInt>(plain.size())));
  z_stream stream{};
  if (deflateInit2(&stream, compression_level, Z_DEFLATED, raw_deflate, deflate_memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  if (!dictionary.empty()) {
    deflateSetDictionary(&stream, dictionary.data(), static_cast<uInt>(dictionary.size()));
  }
  constexpr std::size_t flush_room = 64;
  packed.bytes.resize(deflateBound(&stream, static_cast<uLong>(plain.size())) + flush_room);
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.bytes.data();
  stream.avail_out = static_cast<uInt>(packed.bytes.size());
  deflate(&stream, last ? Z_FINISH : Z_SYNC_FLUSH);
  packed.bytes.resize(packed.bytes.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

class GzipSink final : public ByteSink {
 public:
  GzipSink(std::unique_ptr<ByteSink> packed, CompressionPool& pool)
      : packed_(std::move(packed)), pool_(pool) {}

  Status write(ByteView bytes) override {
    while (!bytes.empty()) {
      const std::size_t room = block_bytes - block_.size();
      const auto part = bytes.first(std::min(room, bytes.size()));
      append_bytes(block_, part);
      bytes = bytes.subspan(part.size());
      if (block_.size() == block_bytes) HOLDFAST_CHECK(start_block());
    }
    return {};
  }

  Status finish() override {
    HOLDFAST_CHECK(begin());
    while (!running_.empty()) HOLDFAST_CHECK(write_oldest());
    // The last block is compressed here: a small file costs no change of threads.
    HOLDFAST_CHECK(put(deflate_block(block_, dictionary_, true)));
    Bytes trailer;
    append_little_endian(trailer, crc_);
    append_little_endian(trailer, static_cast<std::uint32_t>(plain_bytes_));
    HOLDFAST_CHECK(packed_->write(trailer));
    return packed_->finish();
  }

 private:
  /// RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system.
  Status begin() {
    if (std::exchange(begun_, true)) return {};
    constexpr std::array<std::uint8_t, 10> header = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
    return packed_->write(header);
  }

  Status start_block() {
    HOLDFAST_CHECK(begin());
    if (running_.size() >= 2 * pool_.thread_count()) HOLDFAST_CHECK(write_oldest());
    auto promise = std::make_shared<std::promise<PackedBlock>>();
    running_.push_back(promise->get_future());
    const ByteView tail = ByteView(block_).last(std::min(window_bytes, block_.size()));
    Bytes next_dictionary = to_bytes(tail);
    pool_.submit([promise, plain = std::make_shared<Bytes>(std::move(block_)),
                  dictionary = std::make_shared<Bytes>(std::move(dictionary_))] {
      try {
        promise->set_value(deflate_block(*plain, *dictionary, false));
      } catch (...) {
        promise->set_exception(std::current_exception());
      }
    });
    block_ = Bytes();
    block_.reserve(block_bytes);
    dictionary_ = std::move(next_dictionary);
    return {};
  }

  Status write_oldest() {
    std::future<PackedBlock> oldest = std::move(running_.front());
    running_.pop_front();
    return put(oldest.get());
  }

  Status put(const PackedBlock& block) {
    crc_ = static_cast<std::uint32_t>(
        crc32_combine(crc_, block.crc, static_cast<z_off_t>(block.plain_bytes)));
    plain_bytes_ += block.plain_bytes;
    return packed_->write(block.bytes);
  }

  std::unique_ptr<ByteSink> packed_;
  CompressionPool& pool_;
  Bytes block_;
  Bytes dictionary_;
  std::deque<std::future<PackedBlock>> running_;
  bool begun_ = false;
  std::uint32_t crc_ = 0;
  std::uint64_t plain_bytes_ = 0;
};

}  // namespace

bool is_gzip(ByteView front) {
  if (front.size() < 3 || front[0] != 0x1f || front[1] != 0x8b || front[2] != 8) return false;
  GunzipSource source(make_memory_source(to_bytes(front)));
  std::array<std::uint8_t, 4096> plain{};
  const auto count = source.read(plain);
  return count.ok() || count.error().message().find("cut short") != std::string::npos;
}

std::unique_ptr<ByteSource> make_gunzip_source(std::unique_ptr<ByteSource> packed) {
  return std::make_unique<GunzipSource>(std::move(packed));
}

CompressionPool::CompressionPool(std::size_t threads) : tasks_(2 * threads) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    threads_.emplace_back([this] {
      while (auto task = tasks_.pop()) (*task)();
    });
  }
}

CompressionPool::~CompressionPool() {
  tasks_.close();
  threads_.clear();
}

void CompressionPool::submit(std::function<void()> task) {
  const bool taken = tasks_.push(std::move(task));
  static_cast<void>(taken);  // closed only by the destructor, after all users
}

std::unique_ptr<ByteSink> make_gzip_sink(std::unique_ptr<ByteSink> packed, CompressionPool& pool) {
  return std::make_unique<GzipSink>(std::move(packed), pool);
}

}  // namespace holdfast::interop

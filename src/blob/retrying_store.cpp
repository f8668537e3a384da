#include "blob/retrying_store.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/sodium.h"
#include "blob/blob_name.h"

namespace holdfast::blob {

namespace {

/// Pieces in which a long blob is read back to compare it.
constexpr std::uint64_t compare_step_bytes = 1024ULL * 1024;

using Digest = std::array<std::uint8_t, crypto_generichash_BYTES>;

class Hasher {
 public:
  Hasher() {
    ensure_sodium();
    crypto_generichash_init(&state_, nullptr, 0, Digest().size());
  }
  void add(ByteView bytes) { crypto_generichash_update(&state_, bytes.data(), bytes.size()); }
  [[nodiscard]] Digest finish() {
    Digest digest{};
    crypto_generichash_final(&state_, digest.data(), digest.size());
    return digest;
  }

 private:
  crypto_generichash_state state_{};
};

struct Policy {
  RetrySettings settings;
  const Clock& clock;
  RandomSource& random;
  Sleep sleep;

  /// Calls until it is ok, fails otherwise than with `retry`, or attempts run out.
  template <typename Call>
  auto repeat(Call call) const -> decltype(call()) {
    const auto start = clock.steady_now();
    for (unsigned attempt = 1;; ++attempt) {
      auto outcome = call();
      if (outcome.ok() || outcome.error().code() != ErrorCode::retry) return outcome;
      const auto delay = delay_after(attempt);
      const auto spent = clock.steady_now() - start;
      if (attempt >= settings.max_attempts || spent + delay > settings.give_up_after) {
        return outcome.error().with_context(fmt::format("gave up after {} attempts", attempt));
      }
      HOLDFAST_CHECK(sleep(delay));
    }
  }

 private:
  [[nodiscard]] std::chrono::milliseconds delay_after(unsigned attempt) const {
    auto delay = settings.first_delay;
    for (unsigned turn = 1; turn < attempt && delay < settings.max_delay; ++turn) delay *= 2;
    delay = std::min(delay, settings.max_delay);
    const auto chance = random.bytes<4>();
    const auto part = static_cast<std::int64_t>(load_little_endian<std::uint32_t>(chance.data()));
    const auto half = delay.count() / 2;
    return std::chrono::milliseconds(delay.count() - half + part % (half + 1));
  }
};

class RetryingWriter final : public BlobWriter {
 public:
  RetryingWriter(BlobStore& inner, const Policy& policy, std::string name)
      : inner_(inner), policy_(policy), name_(std::move(name)) {}

  Status append(ByteView bytes) override {
    if (done_) return over();
    hasher_.add(bytes);
    size_ += bytes.size();
    if (!stream_ && size_ <= policy_.settings.replay_limit_bytes) {
      append_bytes(replay_, bytes);
      return {};
    }
    if (!stream_) {
      HOLDFAST_TRY(stream_, policy_.repeat([&] { return inner_.create(name_); }));
      HOLDFAST_CHECK(stream_->append(replay_));
      replay_ = {};
    }
    return stream_->append(bytes);
  }

  Status commit() override {
    if (std::exchange(done_, true)) return over();
    const Digest digest = hasher_.finish();
    if (stream_) return commit_stream(digest);
    bool reply_lost = false;
    auto outcome = policy_.repeat([&]() -> Status {
      auto put = inner_.put(name_, replay_);
      if (put.ok()) return put;
      if (put.error().code() == ErrorCode::exists && reply_lost) return compare(digest);
      reply_lost = reply_lost || put.error().code() == ErrorCode::retry;
      return put;
    });
    replay_ = {};
    return outcome;
  }

 private:
  Status commit_stream(const Digest& digest) {
    auto outcome = stream_->commit();
    stream_.reset();
    if (outcome.ok() || outcome.error().code() != ErrorCode::retry) return outcome;
    auto compared = policy_.repeat([&] { return compare(digest); });
    if (!compared.ok() && compared.error().code() == ErrorCode::not_found) return outcome;
    return compared;
  }

  /// Ok if the store holds our content under our name; `exists` if it holds another.
  Status compare(const Digest& digest) const {
    const Error other(
        ErrorCode::exists,
        fmt::format("{} exists with another content and is never overwritten", name_));
    HOLDFAST_TRY(const BlobInfo info, inner_.stat(name_));
    if (info.size != size_) return other;
    Hasher hasher;
    for (std::uint64_t at = 0; at < size_; at += compare_step_bytes) {
      HOLDFAST_TRY(const Bytes part,
                   inner_.get_range(name_, at, std::min(compare_step_bytes, size_ - at)));
      hasher.add(part);
    }
    if (hasher.finish() != digest) return other;
    return {};
  }

  Error over() const {
    return Error(ErrorCode::precondition, fmt::format("{} was committed before", name_));
  }

  BlobStore& inner_;
  const Policy& policy_;
  const std::string name_;
  Hasher hasher_;
  std::uint64_t size_ = 0;
  Bytes replay_;
  std::unique_ptr<BlobWriter> stream_;  ///< Once the blob is too long to be sent again.
  bool done_ = false;
};

class RetryingStore final : public BlobStore {
 public:
  RetryingStore(std::unique_ptr<BlobStore> inner, Policy policy)
      : inner_(std::move(inner)), policy_(std::move(policy)) {}

  Result<Bytes> get(std::string_view name, std::uint64_t limit) const override {
    return policy_.repeat([&] { return inner_->get(name, limit); });
  }
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset,
                          std::uint64_t length) const override {
    return policy_.repeat([&] { return inner_->get_range(name, offset, length); });
  }
  Result<BlobInfo> stat(std::string_view name) const override {
    return policy_.repeat([&] { return inner_->stat(name); });
  }
  Result<std::vector<BlobInfo>> list(std::string_view prefix) const override {
    return policy_.repeat([&] { return inner_->list(prefix); });
  }
  std::string location() const override { return inner_->location(); }
  Result<std::uint64_t> free_space() const override {
    return policy_.repeat([&] { return inner_->free_space(); });
  }

  Result<std::unique_ptr<BlobWriter>> create(std::string_view name) override {
    HOLDFAST_CHECK(check_blob_name(name));
    return std::unique_ptr<BlobWriter>(
        std::make_unique<RetryingWriter>(*inner_, policy_, std::string(name)));
  }

  Status remove(std::string_view name) override {
    bool reply_lost = false;
    return policy_.repeat([&]() -> Status {
      auto outcome = inner_->remove(name);
      if (outcome.ok()) return outcome;
      if (outcome.error().code() == ErrorCode::not_found && reply_lost) return {};
      reply_lost = reply_lost || outcome.error().code() == ErrorCode::retry;
      return outcome;
    });
  }

  Result<std::uint64_t> remove_unfinished(std::uint64_t older_than_seconds) override {
    return policy_.repeat([&] { return inner_->remove_unfinished(older_than_seconds); });
  }

 private:
  const std::unique_ptr<BlobStore> inner_;
  const Policy policy_;
};

}  // namespace

std::unique_ptr<BlobStore> make_retrying_store(std::unique_ptr<BlobStore> inner,
                                               const RetrySettings& settings, const Clock& clock,
                                               RandomSource& random, Sleep sleep) {
  return std::make_unique<RetryingStore>(std::move(inner),
                                         Policy{settings, clock, random, std::move(sleep)});
}

}  // namespace holdfast::blob

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "blob/memory_store_testing.h"
#include "repository/open_repository.h"
#include "repository/repository.h"

/// Small repositories for tests: in memory unless said otherwise, opened with a key file, because
/// argon2 is slow on purpose.
namespace holdfast::repository::testing {

/// Starts at 2025-01-01 and goes on by a second whenever somebody looks.
class SteppingClock final : public Clock {
 public:
  WallTime now() const override;
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }

 private:
  mutable std::atomic<std::int64_t> seconds_ = 1735689600;
};

/// The same numbers for the same seed: so that files of tests come out the same. Not random.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

/// An entry that owns its document.
struct OwnedEntry {
  Entry::Kind kind = Entry::Kind::put;
  bson::Document document;
  std::int64_t position = 0;

  [[nodiscard]] Entry view() const { return {kind, document.view(), position}; }
};
[[nodiscard]] OwnedEntry put(int id, std::string_view text);
[[nodiscard]] OwnedEntry put(bson::Document document);
[[nodiscard]] OwnedEntry remove(int id);
[[nodiscard]] OwnedEntry put_at(std::int64_t position, std::string_view text);
[[nodiscard]] bson::Document make_document(int id, std::string_view text);

/// A collection to be written: layers of entries, oldest first, each in order.
struct CollectionPlan {
  Namespace ns;
  std::vector<std::vector<OwnedEntry>> layers;
  bool capped = false;
};
/// What reading it must give: newest wins, removed ones gone, sorted.
[[nodiscard]] std::vector<bson::Document> merged(const CollectionPlan& plan);

inline constexpr std::uint8_t usual_key = 1;
/// The content of a key file, or what opens with it.
[[nodiscard]] SecretBytes key_content(std::uint8_t number);
[[nodiscard]] Unlock unlock_with(std::uint8_t number);
[[nodiscard]] Unlock unlock_with_password(std::string_view password);
[[nodiscard]] PasswordCost cheap_cost();
/// Small blocks and files, so that a few documents make several.
[[nodiscard]] LayoutSettings small_layout();
[[nodiscard]] SourceIdentity test_source(std::string_view id = "shop");

/// Writes the plan's layers as segments of `stream`, cut after `segment_entries` each.
[[nodiscard]] Result<SnapshotCollection> write_collection(const DocumentHasher& hasher,
                                                          SegmentStream& stream,
                                                          const CollectionPlan& plan,
                                                          std::size_t segment_entries = 1000);
/// A whole snapshot with these collections.
[[nodiscard]] Result<SnapshotSummary> write_snapshot(Repository& repository,
                                                     const std::vector<CollectionPlan>& plans,
                                                     const SourceIdentity& source = test_source(),
                                                     const LayoutSettings& layout = small_layout());
[[nodiscard]] Result<std::vector<bson::Document>> read_all(SnapshotReader& reader,
                                                           const Namespace& ns);
[[nodiscard]] Result<std::vector<bson::Document>> read_all(DocumentCursor& cursor);
/// One collection, "shop.guests", with documents 1 … count.
[[nodiscard]] CollectionPlan guests(int count, std::string_view text = "guest");
[[nodiscard]] Result<VerifyReport> verify_all(Repository& repository, bool read_data = true);
/// For messages.
[[nodiscard]] std::string damage_text(const VerifyReport& report);

/// A segment of the source "shop" and the databases "shop" and "stock", between these seconds, with
/// tokens that are made of them.
[[nodiscard]] LogSegmentInfo log_stretch(std::uint32_t from, std::uint32_t to);
[[nodiscard]] Result<LogSegmentInfo> put_log(Repository& repository, const LogSegmentInfo& info,
                                             const std::vector<bson::Document>& events);

/// A repository in memory.
class TestPlace {
 public:
  explicit TestPlace(bool encrypted = true, std::uint64_t seed = 1);

  /// Makes the repository; once.
  [[nodiscard]] Result<InitOutcome> init();
  /// A further view of it, as another process has.
  [[nodiscard]] Result<std::unique_ptr<Repository>> open();
  [[nodiscard]] Result<std::unique_ptr<Repository>> open(const Unlock& unlock);
  /// As a machine with another clock has it, which must outlive it.
  [[nodiscard]] Result<std::unique_ptr<Repository>> open_by_clock(const Clock& other);
  [[nodiscard]] Result<std::unique_ptr<Repository>> open_store(
      std::unique_ptr<blob::BlobStore> store);

  std::shared_ptr<blob::MemoryBlobs> blobs = std::make_shared<blob::MemoryBlobs>();
  const bool encrypted;
  SeededRandom random;
  SteppingClock clock;
};

}  // namespace holdfast::repository::testing

/// Stops the test unless the Result is ok; the value is `declaration`.
#define HOLDFAST_ASSERT_OK(declaration, expression)              \
  auto HOLDFAST_CONCAT(asserted_, __LINE__) = (expression);      \
  ASSERT_TRUE(HOLDFAST_CONCAT(asserted_, __LINE__).ok())         \
      << HOLDFAST_CONCAT(asserted_, __LINE__).error().message(); \
  declaration = std::move(HOLDFAST_CONCAT(asserted_, __LINE__)).value()

#define HOLDFAST_EXPECT_OK(expression)                              \
  do {                                                              \
    const auto expected_ok = (expression);                          \
    EXPECT_TRUE(expected_ok.ok()) << expected_ok.error().message(); \
  } while (false)

#define HOLDFAST_EXPECT_ERROR(wanted, expression)                      \
  do {                                                                 \
    const auto expected_error = (expression);                          \
    ASSERT_FALSE(expected_error.ok());                                 \
    EXPECT_EQ(name_of(expected_error.error().code()), name_of(wanted)) \
        << expected_error.error().message();                           \
  } while (false)

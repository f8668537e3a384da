#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "blob/blob_store.h"

namespace holdfast::blob {

enum class Operation {
  create,
  append,
  commit,
  remove,
  remove_unfinished,
  get,
  get_range,
  stat,
  list,
  free_space,
};

/// All operations that change the store.
[[nodiscard]] std::set<Operation> writing_operations();
[[nodiscard]] std::set<Operation> reading_operations();

/// One thing that goes wrong. The defaults: the first write fails with io and no effect.
struct Fault {
  enum class When {
    before,   ///< Without any effect. For commit: the flush to disk failed, or it is full.
    halfway,  ///< An append arrives in part; other operations as `before`.
    after,    ///< With its whole effect: the reply is lost.
  };

  std::set<Operation> operations = writing_operations();
  /// Which of those operations, counted from 1 since the fault was set.
  std::uint64_t at = 1;
  When when = When::before;
  ErrorCode code = ErrorCode::io;
  /// The process "dies" at this point: all that follows fails, and unfinished writes stay behind
  /// as a crash leaves them (they aren't discarded), until `revive`.
  bool crash = false;
  /// From then on all of these operations fail, as on a full disk.
  bool lasting = false;
  /// Called at that moment, e.g. to end a forked process for real: [] { _exit(9); }.
  std::function<void()> action;
};

/// Decides what fails; shared between a test and its FaultyStores. Thread-safe. Tests only.
class FaultPlan {
 public:
  /// Replaces the fault and starts counting for it. What was counted for `count` stays.
  void set(Fault fault);
  void clear();
  /// Ends a simulated crash and the fault; for the store that is opened next.
  void revive();

  /// How often an operation was asked for, failed ones included.
  [[nodiscard]] std::uint64_t count(Operation operation) const;
  [[nodiscard]] std::uint64_t count(const std::set<Operation>& operations) const;
  [[nodiscard]] std::uint64_t writes() const { return count(writing_operations()); }
  /// Whether the fault has happened.
  [[nodiscard]] bool triggered() const;
  [[nodiscard]] bool crashed() const;
  [[nodiscard]] std::uint64_t crash_count() const;

 private:
  friend class FaultyStore;
  friend class FaultyWriter;
  /// Counts one operation; the fault if it is to happen now.
  [[nodiscard]] std::optional<Fault> next(Operation operation);
  /// Runs the effect unless the fault is in the way.
  template <typename Effect>
  [[nodiscard]] auto run(Operation operation, std::string_view what, Effect effect)
      -> decltype(effect());
  /// Does what the fault does besides failing, and gives its error.
  [[nodiscard]] Error strike(const Fault& fault, std::string_view what);

  mutable std::mutex mutex_;
  std::map<Operation, std::uint64_t> counts_;
  std::optional<Fault> fault_;
  std::uint64_t matching_ = 0;
  bool triggered_ = false;
  bool crashed_ = false;
  std::uint64_t crash_count_ = 0;
};

/// A store in which things go wrong as a plan says; everything else passes on to `inner`, which it
/// owns. A test for every n-th write:
///
///   for (std::uint64_t n = 1;; ++n) {
///     plan->set({.at = n, .crash = true});
///     … the work, then: if (!plan->triggered()) break;
///     plan->revive(); … reopen and check
///   }
///
/// Thread-safe. Tests only.
class FaultyStore final : public BlobStore {
 public:
  FaultyStore(std::unique_ptr<BlobStore> inner, std::shared_ptr<FaultPlan> plan);
  ~FaultyStore() override;

  Result<Bytes> get(std::string_view name, std::uint64_t limit) const override;
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset,
                          std::uint64_t length) const override;
  Result<BlobInfo> stat(std::string_view name) const override;
  Result<std::vector<BlobInfo>> list(std::string_view prefix) const override;
  std::string location() const override { return inner_->location(); }
  Result<std::unique_ptr<BlobWriter>> create(std::string_view name) override;
  Status remove(std::string_view name) override;
  Result<std::uint64_t> free_space() const override;
  Result<std::uint64_t> remove_unfinished(std::uint64_t older_than_seconds) override;

 private:
  const std::unique_ptr<BlobStore> inner_;
  const std::shared_ptr<FaultPlan> plan_;
};

}  // namespace holdfast::blob

#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <stop_token>

#include "base/result.h"

namespace holdfast {

class MemoryBudget;

/// Bytes that were granted by a budget; gives them back when destroyed. Move-only. The budget must
/// outlive it. Not thread-safe, but may be handed to another thread.
class [[nodiscard]] MemoryLease {
 public:
  MemoryLease() = default;
  ~MemoryLease() { release(); }
  MemoryLease(MemoryLease&& other) noexcept;
  MemoryLease& operator=(MemoryLease&& other) noexcept;
  MemoryLease(const MemoryLease&) = delete;
  MemoryLease& operator=(const MemoryLease&) = delete;

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Gives everything back now.
  void release() { shrink(0); }
  /// Keeps at most `bytes` and gives the rest back.
  void shrink(std::uint64_t bytes);

 private:
  friend class MemoryBudget;
  MemoryLease(MemoryBudget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) {}

  MemoryBudget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

/// Bounds the memory that concurrent work holds at once. It counts, it allocates nothing.
/// Thread-safe. Requests are served in the order of their arrival, so a large one is never
/// starved by small ones; hence a thread that holds a lease must not ask for a second one.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes) : total_(bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Waits until there is room. A request above the whole budget is granted when nothing else is
  /// held: work that is larger than planned goes on, alone. Errors: cancelled.
  [[nodiscard]] Result<MemoryLease> acquire(std::uint64_t bytes, std::stop_token stop = {});

  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] std::uint64_t held() const;
  /// The most that was held at once so far.
  [[nodiscard]] std::uint64_t peak() const;

 private:
  friend class MemoryLease;
  void give_back(std::uint64_t bytes);
  [[nodiscard]] bool fits(std::uint64_t bytes) const;

  const std::uint64_t total_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t held_ = 0;
  std::uint64_t peak_ = 0;
  std::list<std::uint64_t> waiting_;  ///< Requests in order of arrival.
};

}  // namespace holdfast

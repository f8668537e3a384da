#include "base/memory_budget.h"

#include <algorithm>
#include <utility>

namespace holdfast {

MemoryLease::MemoryLease(MemoryLease&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

MemoryLease& MemoryLease::operator=(MemoryLease&& other) noexcept {
  if (this != &other) {
    release();
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void MemoryLease::shrink(std::uint64_t bytes) {
  if (bytes >= bytes_) return;
  budget_->give_back(bytes_ - bytes);
  bytes_ = bytes;
}

bool MemoryBudget::fits(std::uint64_t bytes) const {
  return held_ == 0 || (held_ <= total_ && bytes <= total_ - held_);
}

Result<MemoryLease> MemoryBudget::acquire(std::uint64_t bytes, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const auto mine = waiting_.insert(waiting_.end(), bytes);
  const bool granted =
      changed_.wait(lock, stop, [&] { return waiting_.begin() == mine && fits(bytes); });
  waiting_.erase(mine);
  // Whoever is first now may fit; this thread was perhaps what it waited behind.
  changed_.notify_all();
  if (!granted) return Error(ErrorCode::cancelled, "stopped while waiting for memory");
  held_ += bytes;
  peak_ = std::max(peak_, held_);
  return MemoryLease(*this, bytes);
}

void MemoryBudget::give_back(std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  held_ -= bytes;
  changed_.notify_all();
}

std::uint64_t MemoryBudget::held() const {
  const std::scoped_lock lock(mutex_);
  return held_;
}

std::uint64_t MemoryBudget::peak() const {
  const std::scoped_lock lock(mutex_);
  return peak_;
}

}  // namespace holdfast

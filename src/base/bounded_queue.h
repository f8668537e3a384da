#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace holdfast {

/// First in, first out between threads, holding at most `capacity` items, so that a fast producer
/// waits for a slow consumer. Owns its items. Thread-safe. `close` is the normal end; a stop token
/// ends a wait at once and leaves the items where they are.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity == 0 ? 1 : capacity) {}
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  /// Waits for room. False, and the item is dropped, once the queue is closed or stop is asked.
  [[nodiscard]] bool push(T item, std::stop_token stop = {}) {
    std::unique_lock lock(mutex_);
    const bool ready =
        room_.wait(lock, stop, [this] { return closed_ || items_.size() < capacity_; });
    if (!ready || closed_ || stop.stop_requested()) {
      room_.notify_one();  // the wake-up that this thread may have used up
      return false;
    }
    items_.push_back(std::move(item));
    filled_.notify_one();
    return true;
  }

  /// Waits for an item. Nothing once the queue is closed and drained, or stop is asked: the
  /// caller tells these apart by its token.
  [[nodiscard]] std::optional<T> pop(std::stop_token stop = {}) {
    std::unique_lock lock(mutex_);
    const bool ready = filled_.wait(lock, stop, [this] { return closed_ || !items_.empty(); });
    if (!ready || items_.empty() || stop.stop_requested()) {
      filled_.notify_one();  // the wake-up that this thread may have used up
      return std::nullopt;
    }
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    room_.notify_one();
    return item;
  }

  /// No more pushes; what is inside can still be popped. May be called again.
  void close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    room_.notify_all();
    filled_.notify_all();
  }

  [[nodiscard]] std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return items_.size();
  }

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable_any room_;
  std::condition_variable_any filled_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace holdfast

#pragma once

#include <chrono>

namespace holdfast {

using WallTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;

/// Time as the program sees it; passed in, so that tests decide it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Calendar time of this machine. For showing and naming only: no safety rests on it.
  [[nodiscard]] virtual WallTime now() const = 0;
  /// For durations, rates and deadlines.
  [[nodiscard]] virtual SteadyTime steady_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override { return std::chrono::system_clock::now(); }
  [[nodiscard]] SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace holdfast

#pragma once

#include <memory>
#include <string>

#include "repository/context.h"

namespace holdfast::repository {

/// Says that a writer is at work: which manifest it will commit, since when, where. What an open
/// lease may still name is not garbage. One that its process left behind is harmless; whoever
/// collects garbage fences its manifest's name. Removed when destroyed. Thread-safe.
class Lease {
 public:
  /// Durable when it returns.
  [[nodiscard]] static Result<std::unique_ptr<Lease>> open(Context& context,
                                                           const std::string& source,
                                                           const std::string& snapshot_id);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  Lease(Context& context, std::string name) : context_(context), name_(std::move(name)) {}

  Context& context_;
  const std::string name_;
};

}  // namespace holdfast::repository

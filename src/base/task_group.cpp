#include "base/task_group.h"

#include <exception>
#include <string>
#include <utility>

namespace holdfast {

TaskGroup::TaskGroup(std::stop_token outer) : outer_(std::move(outer), PassOn{&stop_}) {}

TaskGroup::~TaskGroup() {
  stop_.request_stop();
  threads_.clear();  // joins
}

void TaskGroup::start(Task task) {
  threads_.emplace_back([this, task = std::move(task)] {
    try {
      record(task(stop_.get_token()));
    } catch (const std::exception& exception) {
      record(Error(ErrorCode::io, std::string("unexpected failure: ") + exception.what()));
    }
  });
}

void TaskGroup::record(const Status& outcome) {
  if (outcome.ok()) return;
  {
    const std::scoped_lock lock(mutex_);
    auto& slot = outcome.error().code() == ErrorCode::cancelled ? cancelled_ : failure_;
    if (!slot) slot = outcome.error();
  }
  stop_.request_stop();
}

Status TaskGroup::wait() {
  threads_.clear();
  const std::scoped_lock lock(mutex_);
  if (failure_) return *failure_;
  if (cancelled_) return *cancelled_;
  return {};
}

}  // namespace holdfast

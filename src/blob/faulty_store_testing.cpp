#include "blob/faulty_store_testing.h"

#include <fmt/format.h>

#include <utility>

namespace holdfast::blob {

namespace {

Error dead() { return Error(ErrorCode::io, "injected fault: the process has crashed before"); }

/// Keeps a writer of a crashed process from discarding its file, for as long as this one runs.
void abandon(std::unique_ptr<BlobWriter> writer) {
  static std::mutex mutex;
  static auto& graveyard = *new std::vector<std::unique_ptr<BlobWriter>>;
  const std::scoped_lock lock(mutex);
  graveyard.push_back(std::move(writer));
}

}  // namespace

std::set<Operation> writing_operations() {
  return {Operation::create, Operation::append, Operation::commit, Operation::remove,
          Operation::remove_unfinished};
}

std::set<Operation> reading_operations() {
  return {Operation::get, Operation::get_range, Operation::stat, Operation::list,
          Operation::free_space};
}

void FaultPlan::set(Fault fault) {
  const std::scoped_lock lock(mutex_);
  fault_ = std::move(fault);
  matching_ = 0;
  triggered_ = false;
}

void FaultPlan::clear() {
  const std::scoped_lock lock(mutex_);
  fault_.reset();
  triggered_ = false;
}

void FaultPlan::revive() {
  const std::scoped_lock lock(mutex_);
  fault_.reset();
  triggered_ = false;
  crashed_ = false;
}

std::uint64_t FaultPlan::count(Operation operation) const {
  const std::scoped_lock lock(mutex_);
  const auto found = counts_.find(operation);
  return found == counts_.end() ? 0 : found->second;
}

std::uint64_t FaultPlan::count(const std::set<Operation>& operations) const {
  std::uint64_t sum = 0;
  for (const Operation operation : operations) sum += count(operation);
  return sum;
}

bool FaultPlan::triggered() const {
  const std::scoped_lock lock(mutex_);
  return triggered_;
}

bool FaultPlan::crashed() const {
  const std::scoped_lock lock(mutex_);
  return crashed_;
}

std::uint64_t FaultPlan::crash_count() const {
  const std::scoped_lock lock(mutex_);
  return crash_count_;
}

std::optional<Fault> FaultPlan::next(Operation operation) {
  const std::scoped_lock lock(mutex_);
  ++counts_[operation];
  if (!fault_ || !fault_->operations.contains(operation)) return std::nullopt;
  ++matching_;
  if (matching_ != fault_->at && !(fault_->lasting && matching_ > fault_->at)) return std::nullopt;
  triggered_ = true;
  return fault_;
}

Error FaultPlan::strike(const Fault& fault, std::string_view what) {
  if (fault.action) fault.action();
  if (fault.crash) {
    const std::scoped_lock lock(mutex_);
    crashed_ = true;
    ++crash_count_;
  }
  return Error(fault.code, fmt::format("injected fault: cannot {}", what));
}

template <typename Effect>
auto FaultPlan::run(Operation operation, std::string_view what, Effect effect)
    -> decltype(effect()) {
  if (crashed()) return dead();
  const auto fault = next(operation);
  if (!fault) return effect();
  if (fault->when != Fault::When::after) return strike(*fault, what);
  auto outcome = effect();
  if (!outcome.ok()) return outcome;
  // The outcome is destroyed after the strike: a writer that a crash left behind stays.
  return strike(*fault, what);
}

class FaultyWriter final : public BlobWriter {
 public:
  FaultyWriter(std::unique_ptr<BlobWriter> inner, std::shared_ptr<FaultPlan> plan)
      : inner_(std::move(inner)), plan_(std::move(plan)), born_(plan_->crash_count()) {}
  ~FaultyWriter() override {
    if (died()) abandon(std::move(inner_));
  }

  Status append(ByteView bytes) override {
    if (died()) return dead();
    const auto fault = plan_->next(Operation::append);
    if (!fault) return inner_->append(bytes);
    if (fault->when == Fault::When::halfway) {
      HOLDFAST_CHECK(inner_->append(bytes.first(bytes.size() / 2)));
    } else if (fault->when == Fault::When::after) {
      HOLDFAST_CHECK(inner_->append(bytes));
    }
    return plan_->strike(*fault, "append");
  }

  Status commit() override {
    if (died()) return dead();
    return plan_->run(Operation::commit, "commit", [this] { return inner_->commit(); });
  }

 private:
  /// A writer doesn't come back with `revive`.
  [[nodiscard]] bool died() const { return plan_->crash_count() != born_; }

  std::unique_ptr<BlobWriter> inner_;
  const std::shared_ptr<FaultPlan> plan_;
  const std::uint64_t born_;
};

FaultyStore::FaultyStore(std::unique_ptr<BlobStore> inner, std::shared_ptr<FaultPlan> plan)
    : inner_(std::move(inner)), plan_(std::move(plan)) {}

FaultyStore::~FaultyStore() = default;

Result<Bytes> FaultyStore::get(std::string_view name, std::uint64_t limit) const {
  return plan_->run(Operation::get, "get", [&] { return inner_->get(name, limit); });
}

Result<Bytes> FaultyStore::get_range(std::string_view name, std::uint64_t offset,
                                     std::uint64_t length) const {
  return plan_->run(Operation::get_range, "get a range",
                    [&] { return inner_->get_range(name, offset, length); });
}

Result<BlobInfo> FaultyStore::stat(std::string_view name) const {
  return plan_->run(Operation::stat, "stat", [&] { return inner_->stat(name); });
}

Result<std::vector<BlobInfo>> FaultyStore::list(std::string_view prefix) const {
  return plan_->run(Operation::list, "list", [&] { return inner_->list(prefix); });
}

Result<std::unique_ptr<BlobWriter>> FaultyStore::create(std::string_view name) {
  return plan_->run(Operation::create, "create", [&]() -> Result<std::unique_ptr<BlobWriter>> {
    HOLDFAST_TRY(auto inner, inner_->create(name));
    return std::unique_ptr<BlobWriter>(std::make_unique<FaultyWriter>(std::move(inner), plan_));
  });
}

Status FaultyStore::remove(std::string_view name) {
  return plan_->run(Operation::remove, "remove", [&] { return inner_->remove(name); });
}

Result<std::uint64_t> FaultyStore::free_space() const {
  return plan_->run(Operation::free_space, "measure", [&] { return inner_->free_space(); });
}

Result<std::uint64_t> FaultyStore::remove_unfinished(std::uint64_t older_than_seconds) {
  return plan_->run(Operation::remove_unfinished, "remove unfinished writes",
                    [&] { return inner_->remove_unfinished(older_than_seconds); });
}

}  // namespace holdfast::blob

#include "mongo/catalog_internal.h"
#include "mongo/target_collections_internal.h"

namespace holdfast::mongo {

Result<TargetCollections::Traits> TargetCollections::traits_of(const Namespace& ns) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(ns); found != known_.end()) return found->second;
  }
  HOLDFAST_TRY(const auto listed, find_listed_retrying(client_, ns));
  Traits traits;
  if (!listed) return traits;  // Not remembered: it may be created at any moment.
  traits.exists = true;
  CollectionInfo info;
  if (const auto options = listed->view().find_document("options")) {
    info.options = bson::Document(*options);
  }
  traits.collated = info.collation().has_value();
  traits.timeseries = info.options.view().find("timeseries").has_value();
  const std::lock_guard lock(mutex_);
  known_[ns] = traits;
  return traits;
}

void TargetCollections::forget(const Namespace& ns) {
  const std::lock_guard lock(mutex_);
  known_.erase(ns);
}

}  // namespace holdfast::mongo

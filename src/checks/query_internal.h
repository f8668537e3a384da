#pragma once

#include <string>

#include "profile/profile.h"

namespace holdfast::checks {

// Text for mongosh that shows the documents which break a rule: an aid for people, not the verdict
// (on the server $$NOW is its own now). Empty where no query can.

[[nodiscard]] std::string query_for(const profile::Profile& profile, const profile::Rule& rule);
[[nodiscard]] std::string schema_query(const profile::CollectionProfile& collection);
[[nodiscard]] std::string soft_query(const profile::CollectionProfile& collection);
[[nodiscard]] std::string reference_query(const std::string& collection,
                                          const profile::Reference& reference);

}  // namespace holdfast::checks

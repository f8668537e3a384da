#include "profile/profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"

namespace holdfast::profile {
namespace {

template <typename T>
const T* named(const std::vector<T>& list, std::string_view name) {
  const auto found = std::ranges::find(list, name, &T::name);
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::error: break;
  }
  return "error";
}

std::optional<Severity> parse_severity(std::string_view name) {
  for (const Severity severity : {Severity::info, Severity::warning, Severity::error}) {
    if (name_of(severity) == name) return severity;
  }
  return std::nullopt;
}

std::string_view name_of(OnDelete action) {
  switch (action) {
    case OnDelete::restrict: return "restrict";
    case OnDelete::cascade: return "cascade";
    case OnDelete::nullify: return "nullify";
    case OnDelete::soft: break;
  }
  return "soft";
}

const CollectionProfile* Profile::collection(std::string_view wanted) const {
  return named(collections, wanted);
}

const View* Profile::view(std::string_view wanted) const { return named(views, wanted); }

const std::string& Profile::collection_of(const Rule& rule) const {
  const View* view_of_rule = view(rule.on);
  return view_of_rule != nullptr ? view_of_rule->of : rule.on;
}

}  // namespace holdfast::profile

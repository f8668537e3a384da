#include "dataset/selection.h"

#include <algorithm>

namespace holdfast {

namespace {

bool matches(std::string_view glob, const Namespace& ns) {
  return matches_glob(glob, ns.collection) || matches_glob(glob, ns.text());
}

}  // namespace

bool matches_glob(std::string_view glob, std::string_view text) {
  // Greedy with one point to return to: the last star decides, so this is linear in practice.
  std::size_t g = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_text = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

bool Selection::contains(const Namespace& ns) const {
  const auto hit = [&](const std::string& glob) { return matches(glob, ns); };
  if (std::any_of(exclude_.begin(), exclude_.end(), hit)) return false;
  return include_.empty() || std::any_of(include_.begin(), include_.end(), hit);
}

std::vector<std::string> Selection::unmatched(const std::vector<CollectionInfo>& catalog) const {
  std::vector<std::string> lonely;
  for (const std::string& glob : include_) {
    const bool hit = std::any_of(catalog.begin(), catalog.end(), [&](const CollectionInfo& info) {
      return matches(glob, info.ns);
    });
    if (!hit) lonely.push_back(glob);
  }
  return lonely;
}

}  // namespace holdfast

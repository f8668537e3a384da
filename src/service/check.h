#pragma once

#include <string>
#include <vector>

namespace holdfast::service {

enum class Verdict { ok, warn, fail };
[[nodiscard]] std::string_view name_of(Verdict verdict);

/// One line of an examination: what was looked at, what was found, and what to do about it.
struct Check {
  std::string name;  ///< "connection", "privileges for backup", …
  Verdict verdict = Verdict::ok;
  std::string finding;  ///< One sentence.
  std::string advice;   ///< What to do, perhaps lines of commands; empty when nothing is needed.
};

[[nodiscard]] Verdict worst_of(const std::vector<Check>& checks);

}  // namespace holdfast::service

#include "service/check.h"

#include <algorithm>

namespace holdfast::service {

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return "ok";
    case Verdict::warn: return "warn";
    case Verdict::fail: return "fail";
  }
  return "fail";
}

Verdict worst_of(const std::vector<Check>& checks) {
  Verdict worst = Verdict::ok;
  for (const Check& check : checks) worst = std::max(worst, check.verdict);
  return worst;
}

}  // namespace holdfast::service

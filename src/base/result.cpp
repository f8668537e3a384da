#include "base/result.h"

namespace holdfast {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage: return "usage";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::no_repository: return "no_repository";
    case ErrorCode::exists: return "exists";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::wrong_key: return "wrong_key";
    case ErrorCode::denied: return "denied";
    case ErrorCode::precondition: return "precondition";
    case ErrorCode::busy: return "busy";
    case ErrorCode::gap: return "gap";
    case ErrorCode::retry: return "retry";
    case ErrorCode::no_space: return "no_space";
    case ErrorCode::io: return "io";
    case ErrorCode::partial: return "partial";
    case ErrorCode::findings: return "findings";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::unsupported: return "unsupported";
  }
  return "unknown";
}

Error Error::with_context(std::string_view context) const {
  return Error(code_, std::string(context) + ": " + message_, hint_);
}

Error Error::with_hint(std::string_view hint) const {
  return Error(code_, message_, hint_.empty() ? std::string(hint) : hint_);
}

}  // namespace holdfast

#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace holdfast {

/// What a caller can do about an error; one code maps to one exit code (see cli/exit_code.h).
enum class ErrorCode {
  usage,          ///< The request makes no sense as given; the user must change it.
  not_found,      ///< The thing named does not exist.
  no_repository,  ///< There is no repository at the place named.
  exists,         ///< A thing of that name is already there and is never overwritten.
  corrupt,        ///< Stored bytes are damaged or forged; reading on would be wrong.
  wrong_key,      ///< No key that was given opens the repository.
  denied,         ///< Permission or privilege is missing.
  precondition,   ///< The world is not in the state that the operation needs.
  busy,           ///< Somebody else holds it; waiting may help.
  gap,            ///< That moment cannot be recovered: its history is lost.
  retry,          ///< Passing trouble (network, election); the same call may succeed later.
  no_space,       ///< The disk or quota is full.
  io,             ///< The operating system or the store failed for good.
  partial,        ///< Done in part; the message names what is missing.
  findings,       ///< Done, and damage or differences were found.
  cancelled,      ///< Asked to stop.
  unsupported,    ///< Well-formed, but this version or this server cannot do it.
};

[[nodiscard]] std::string_view name_of(ErrorCode code);

/// What went wrong, where, and where it helps what to do next. A value; levels add context on
/// the way up with `with_context`, innermost text last.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message, std::string hint = {})
      : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

  [[nodiscard]] ErrorCode code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  /// One sentence about what to do next, or empty.
  [[nodiscard]] const std::string& hint() const { return hint_; }

  /// "context: message", same code; an existing hint stays.
  [[nodiscard]] Error with_context(std::string_view context) const;
  /// The same error with `hint`, unless it already has one.
  [[nodiscard]] Error with_hint(std::string_view hint) const;

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
};

/// Either a value or an Error. Like std::expected (C++23), as far as it is needed here.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Requires ok().
  [[nodiscard]] T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Requires !ok().
  [[nodiscard]] const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// A Result without a value: done, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  /// Requires !ok().
  [[nodiscard]] const Error& error() const {
    assert(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace holdfast

#define HOLDFAST_CONCAT_INNER(a, b) a##b
#define HOLDFAST_CONCAT(a, b) HOLDFAST_CONCAT_INNER(a, b)

/// `HOLDFAST_TRY(auto value, call());` declares value from an ok Result, else returns its error.
#define HOLDFAST_TRY(declaration, expression) \
  HOLDFAST_TRY_INNER(HOLDFAST_CONCAT(holdfast_result_, __LINE__), declaration, expression)
#define HOLDFAST_TRY_INNER(result, declaration, expression) \
  auto result = (expression);                               \
  if (!result.ok()) return result.error();                  \
  declaration = std::move(result).value()

/// Returns the error of a Status (or Result) that is not ok; the value, if any, is dropped.
#define HOLDFAST_CHECK(expression)                                  \
  do {                                                              \
    if (auto holdfast_status = (expression); !holdfast_status.ok()) \
      return holdfast_status.error();                               \
  } while (false)

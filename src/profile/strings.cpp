#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstring>

#include "bson/json_text.h"
#include "profile/node_internal.h"
#include "profile/text_internal.h"

namespace holdfast::profile {
namespace {

using bson::Type;

std::string_view text_of(Evaluation& evaluation, const Datum& value, std::string_view name) {
  const auto text = coerce_to_text(evaluation, value);
  if (text) return *text;
  evaluation.fail(
      fmt::format("{} can't convert from BSON type {} to String", name, type_name(value)));
  return {};
}

Datum concatenate(Evaluation& evaluation, Arguments arguments) {
  ArenaVector<std::string_view> parts(evaluation.arena());
  std::size_t size = 0;
  for (const NodePointer& argument : arguments) {
    const Datum value = argument->evaluate(evaluation);
    if (value.nullish()) return Datum::null();
    if (!value.is(Type::string)) {
      return wrong_type(evaluation, "$concat only supports strings, not", value);
    }
    parts.push_back(value.as_string());
    size += parts.span().back().size();
  }
  auto* joined = reinterpret_cast<char*>(evaluation.arena().allocate(size));
  std::size_t at = 0;
  for (const std::string_view part : parts.span()) at += part.copy(joined + at, part.size());
  return Datum::of_string(evaluation.arena(), {joined, size});
}

template <typename Change>
Datum change_case(Evaluation& evaluation, Arguments arguments, std::string_view name,
                  Change change) {
  std::string text(text_of(evaluation, arguments[0]->evaluate(evaluation), name));
  std::ranges::transform(text, text.begin(), change);
  return Datum::of_string(evaluation.arena(), text);
}

char to_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
}

char to_upper(char letter) {
  return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
}

// Only ASCII letters change: "$toLower only has a well-defined behavior for strings of ASCII
// characters".
Datum lower(Evaluation& evaluation, Arguments arguments) {
  return change_case(evaluation, arguments, "$toLower", to_lower);
}

Datum upper(Evaluation& evaluation, Arguments arguments) {
  return change_case(evaluation, arguments, "$toUpper", to_upper);
}

Datum compare_letters(Evaluation& evaluation, Arguments arguments) {
  const auto a = text_of(evaluation, arguments[0]->evaluate(evaluation), "$strcasecmp");
  const auto b = text_of(evaluation, arguments[1]->evaluate(evaluation), "$strcasecmp");
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const auto x = static_cast<unsigned char>(to_upper(a[i]));
    const auto y = static_cast<unsigned char>(to_upper(b[i]));
    if (x != y) return Datum::of_int32(x < y ? -1 : 1);
  }
  return Datum::of_int32(a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0);
}

Datum length(Evaluation& evaluation, Arguments arguments, std::string_view name, bool bytes) {
  const Datum value = arguments[0]->evaluate(evaluation);
  if (!value.is(Type::string)) {
    return wrong_type(evaluation, std::string(name) + " requires a string argument, found:", value);
  }
  const std::string_view text = value.as_string();
  return Datum::of_integer(
      static_cast<std::int64_t>(bytes ? text.size() : count_code_points(text)));
}

Datum code_points(Evaluation& evaluation, Arguments arguments) {
  return length(evaluation, arguments, "$strLenCP", false);
}

Datum bytes(Evaluation& evaluation, Arguments arguments) {
  return length(evaluation, arguments, "$strLenBytes", true);
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

/// The byte where code point number `index` begins; the size if there are fewer.
std::size_t byte_of(std::string_view text, std::int64_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) {
    ++at;
    while (at < text.size() && is_continuation(text[at])) ++at;
  }
  return at;
}

Datum part_of(Evaluation& evaluation, Arguments arguments, std::string_view name, bool by_byte) {
  const auto text = text_of(evaluation, arguments[0]->evaluate(evaluation), name);
  const Datum from = arguments[1]->evaluate(evaluation);
  const Datum wanted = arguments[2]->evaluate(evaluation);
  if (!from.is_number() || !wanted.is_number()) {
    return evaluation.fail(std::string(name) + " takes a position and a length as numbers");
  }
  const auto begin = clamp_to_int64(from);
  auto count = clamp_to_int64(wanted);
  if (by_byte && count < 0) count = static_cast<std::int64_t>(text.size());
  if (begin < 0 || count < 0) {
    return evaluation.fail(std::string(name) + ": position and length must not be negative");
  }
  if (by_byte) {
    const auto start = std::min(text.size(), static_cast<std::size_t>(begin));
    const auto part = text.substr(start, static_cast<std::size_t>(count));
    const auto end = start + part.size();
    if ((start < text.size() && is_continuation(text[start])) ||
        (end < text.size() && is_continuation(text[end]))) {
      return evaluation.fail(std::string(name) + " would cut a UTF-8 character");
    }
    return Datum::of_string(evaluation.arena(), part);
  }
  const auto rest = text.substr(byte_of(text, begin));
  return Datum::of_string(evaluation.arena(), rest.substr(0, byte_of(rest, count)));
}

Datum part_by_code_points(Evaluation& evaluation, Arguments arguments) {
  return part_of(evaluation, arguments, "$substrCP", false);
}

Datum part_by_bytes(Evaluation& evaluation, Arguments arguments) {
  return part_of(evaluation, arguments, "$substrBytes", true);
}

Datum index_of(Evaluation& evaluation, Arguments arguments) {
  const Datum text = arguments[0]->evaluate(evaluation);
  if (text.nullish()) return Datum::null();
  const Datum wanted = arguments[1]->evaluate(evaluation);
  if (!text.is(Type::string) || !wanted.is(Type::string)) {
    return wrong_type(evaluation,
                      "$indexOfCP requires strings, found:", text.is(Type::string) ? wanted : text);
  }
  const auto found = text.as_string().find(wanted.as_string());
  if (found == std::string_view::npos) return Datum::of_int32(-1);
  return Datum::of_integer(
      static_cast<std::int64_t>(count_code_points(text.as_string().substr(0, found))));
}

Datum split(Evaluation& evaluation, Arguments arguments) {
  const Datum text = arguments[0]->evaluate(evaluation);
  const Datum separator = arguments[1]->evaluate(evaluation);
  if (text.nullish() || separator.nullish()) return Datum::null();
  if (!text.is(Type::string) || !separator.is(Type::string) || separator.as_string().empty()) {
    return evaluation.fail("$split requires a string and a separator that is not empty");
  }
  ArenaVector<Datum> parts(evaluation.arena());
  std::string_view rest = text.as_string();
  for (;;) {
    const auto at = rest.find(separator.as_string());
    parts.push_back(Datum::of_string(evaluation.arena(), rest.substr(0, at)));
    if (at == std::string_view::npos) return Datum::of_list(parts.span());
    rest.remove_prefix(at + separator.as_string().size());
  }
}

/// The documented whitespace of $trim, U+0000 included.
constexpr std::string_view whitespace[] = {std::string_view("\0", 1),
                                           " ",
                                           "\t",
                                           "\n",
                                           "\v",
                                           "\f",
                                           "\r",
                                           "\u00a0",
                                           "\u1680",
                                           "\u2000",
                                           "\u2001",
                                           "\u2002",
                                           "\u2003",
                                           "\u2004",
                                           "\u2005",
                                           "\u2006",
                                           "\u2007",
                                           "\u2008",
                                           "\u2009",
                                           "\u200a"};

Datum trimmed(Evaluation& evaluation, Arguments arguments, bool front, bool back) {
  const Datum input = arguments[0]->evaluate(evaluation);
  if (input.nullish()) return Datum::null();
  if (!input.is(Type::string)) {
    return wrong_type(evaluation, "$trim requires its input to be a string, got", input);
  }
  ArenaVector<std::string_view> letters(evaluation.arena());
  if (arguments[1] == nullptr) {
    for (const std::string_view letter : whitespace) letters.push_back(letter);
  } else {
    const Datum given = arguments[1]->evaluate(evaluation);
    if (given.nullish()) return Datum::null();
    if (!given.is(Type::string)) {
      return wrong_type(evaluation, "$trim requires 'chars' to be a string, got", given);
    }
    for (std::string_view rest = given.as_string(); !rest.empty();) {
      const auto size = byte_of(rest, 1);
      letters.push_back(rest.substr(0, size));
      rest.remove_prefix(size);
    }
  }
  std::string_view text = input.as_string();
  const auto cut = [&](auto matches, auto remove) {
    for (bool again = true; again;) {
      again = false;
      for (const std::string_view letter : letters.span()) {
        if (!text.empty() && matches(letter)) {
          remove(letter.size());
          again = true;
        }
      }
    }
  };
  if (front) {
    cut([&](std::string_view letter) { return text.starts_with(letter); },
        [&](std::size_t size) { text.remove_prefix(size); });
  }
  if (back) {
    cut([&](std::string_view letter) { return text.ends_with(letter); },
        [&](std::size_t size) { text.remove_suffix(size); });
  }
  return Datum::of_string(evaluation.arena(), text);
}

Datum trim(Evaluation& evaluation, Arguments arguments) {
  return trimmed(evaluation, arguments, true, true);
}
Datum trim_front(Evaluation& evaluation, Arguments arguments) {
  return trimmed(evaluation, arguments, true, false);
}
Datum trim_back(Evaluation& evaluation, Arguments arguments) {
  return trimmed(evaluation, arguments, false, true);
}

const Operator operators[] = {
    {"$concat", concatenate, 0, any_number},
    {"$indexOfCP", index_of, 2, 2},
    {"$ltrim", trim_front, 1, 2, {"input", "chars"}},
    {"$rtrim", trim_back, 1, 2, {"input", "chars"}},
    {"$split", split, 2, 2},
    {"$strLenBytes", bytes},
    {"$strLenCP", code_points},
    {"$strcasecmp", compare_letters, 2, 2},
    {"$substr", part_by_bytes, 3, 3},
    {"$substrBytes", part_by_bytes, 3, 3},
    {"$substrCP", part_by_code_points, 3, 3},
    {"$toLower", lower},
    {"$toUpper", upper},
    {"$trim", trim, 1, 2, {"input", "chars"}},
};

}  // namespace

std::span<const Operator> string_operators() { return operators; }

}  // namespace holdfast::profile

#include "changelog/event_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "bson/extended_json.h"
#include "bson/order.h"
#include "dataset/selection.h"

namespace holdfast::changelog {

namespace {

constexpr std::array<std::string_view, 12> known_operations{
    "insert", "update", "replace",       "delete",      "create",           "drop",
    "rename", "modify", "createIndexes", "dropIndexes", "commitIndexBuild", "dropDatabase"};

constexpr std::size_t object_id_digits = 24;

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

Error bad(std::string_view what, std::string_view text, std::string hint) {
  return Error(ErrorCode::usage, fmt::format("{} '{}'", what, text), std::move(hint));
}

/// Cuts at `sign`, but not inside of quotes, braces and brackets.
std::vector<std::string_view> split(std::string_view text, char sign) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == sign && depth <= 0) {
      parts.push_back(text.substr(begin, at - begin));
      begin = at + 1;
    }
  }
  parts.push_back(text.substr(begin));
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  return parts;
}

Status parse_times(std::string_view text, const TimeParser& parse_time, EventSelection& selection) {
  constexpr std::string_view dots = "..";
  const auto at = text.find(dots);
  const std::string_view from = text.substr(0, at);
  const std::string_view until = at == std::string_view::npos ? from : text.substr(at + 2);
  if (from.empty() && until.empty()) return bad("no time in", text, "write time=A..B");
  if (!from.empty()) {
    HOLDFAST_TRY(const TimeSpan span, parse_time(from));
    selection.from = span.first;
  }
  if (!until.empty()) {
    HOLDFAST_TRY(const TimeSpan span, parse_time(until));
    selection.until = span.last;
  }
  if (selection.from && selection.until && *selection.until < *selection.from) {
    return bad("these times are in the wrong order:", text, "write the earlier one first");
  }
  return {};
}

Status parse_word(std::string_view word, const TimeParser& parse_time, EventSelection& selection) {
  const auto sign = word.find('=');
  const std::string_view key = word.substr(0, sign);
  const std::string_view value =
      sign == std::string_view::npos ? std::string_view() : word.substr(sign + 1);
  if (sign == std::string_view::npos || value.empty()) {
    return bad("not KEY=VALUE:", word, "write for example 'op=delete ns=shop.users'");
  }
  if (key == "op") {
    for (const std::string_view part : split(value, ',')) {
      HOLDFAST_TRY(std::string operation, parse_operation(part));
      selection.operations.push_back(std::move(operation));
    }
    return {};
  }
  if (key == "ns") {
    for (const std::string_view part : split(value, ',')) selection.collections.emplace_back(part);
    return {};
  }
  if (key == "time") return parse_times(value, parse_time, selection);
  if (key == "id") {
    HOLDFAST_TRY(bson::Value id, parse_document_id(value));
    selection.ids.push_back(std::move(id));
    return {};
  }
  if (key == "event") {
    for (const std::string_view part : split(value, ',')) {
      HOLDFAST_TRY(const EventName name, parse_event_name(part));
      selection.names.push_back(name);
    }
    return {};
  }
  return bad("unknown key", key, "known are op, ns, time, id and event");
}

}  // namespace

bool EventSelection::empty() const {
  return operations.empty() && collections.empty() && !from && !until && ids.empty() &&
         names.empty();
}

bool EventSelection::matches(const NamedEvent& named) const {
  const Event& event = named.event;
  if (from && event.time < *from) return false;
  if (until && event.time > *until) return false;
  const auto fits = [](const auto& wanted, const auto& is) {
    return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), is);
  };
  if (!fits(names, [&](const EventName& name) { return name.names(named.name); })) return false;
  if (!fits(operations,
            [&](const std::string& operation) { return operation == operation_of(event); })) {
    return false;
  }
  if (!fits(ids, [&](const bson::Value& id) {
        return event.key && bson::compare(id.view(), *event.key) == 0;
      })) {
    return false;
  }
  if (collections.empty()) return true;
  const Selection chosen(collections, {});
  const auto in = [&chosen](std::string_view database, std::string_view collection) {
    return chosen.contains({std::string(database), std::string(collection)});
  };
  return in(event.database, event.collection) ||
         (event.kind == EventKind::rename && in(event.to_database, event.to_collection));
}

Result<EventSelection> parse_event_selection(std::string_view text, const TimeParser& parse_time) {
  EventSelection selection;
  for (const std::string_view word : split(text, ' ')) {
    HOLDFAST_CHECK(parse_word(word, parse_time, selection));
  }
  if (selection.empty()) {
    return bad("nothing selects in", text, "write for example 'op=delete ns=shop.users'");
  }
  return selection;
}

Result<bson::Value> parse_document_id(std::string_view text) {
  if (text.size() == object_id_digits) {
    if (auto digits = from_hex(text)) return bson::Value(bson::Type::object_id, std::move(*digits));
  }
  const auto wrapped = bson::from_json("{\"_id\": " + std::string(text) + "}");
  if (!wrapped.ok()) {
    return bad("not an _id:", text,
               "write an ObjectId's 24 digits, or Extended JSON: 5, \"text\", {\"$oid\": \"…\"}");
  }
  const auto value = wrapped->view().find("_id");
  if (!value || std::next(wrapped->view().begin()) != wrapped->view().end()) {
    return bad("not one _id:", text, "quote a text: \"…\"");
  }
  return bson::Value(*value);
}

Result<std::string> parse_operation(std::string_view text) {
  const auto* const known =
      std::find_if(known_operations.begin(), known_operations.end(),
                   [text](std::string_view name) { return same_word(name, text); });
  if (known != known_operations.end()) return std::string(*known);
  return bad("unknown operation", text,
             fmt::format("known are {}", fmt::join(known_operations, ", ")));
}

std::string_view operation_of(const Event& event) {
  return event.raw.find_string("operationType").value_or("");
}

}  // namespace holdfast::changelog

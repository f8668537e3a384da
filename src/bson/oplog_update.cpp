#include "bson/oplog_update.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bson/builder.h"

namespace holdfast::bson {

namespace {

/// A server refuses to pad an array by more; a forged index must not fill the memory with nulls.
constexpr std::size_t max_array_padding = 1'500'000;

Error malformed(std::string_view what) {
  return {ErrorCode::corrupt, fmt::format("malformed oplog update: {}", what)};
}
Error misfit(std::string_view what) {
  return {ErrorCode::corrupt, fmt::format("an oplog update does not fit its document: {}", what)};
}

std::optional<std::size_t> parse_index(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

bool is_array_difference(DocumentView difference) {
  return !difference.empty() && difference.begin()->name == "a";
}

/// The sections of a document's difference, taken apart.
struct Sections {
  struct Named {
    std::string_view name;
    ValueView value;
    bool met = false;  ///< The document has this field.
  };
  std::map<std::string_view, bool> removed;  ///< Whether the document has it.
  std::vector<Named> updated;
  std::vector<Named> inserted;
  std::vector<Named> nested;
};

Sections::Named* find(std::vector<Sections::Named>& fields, std::string_view name) {
  for (auto& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

Result<DocumentView> section(const Element& element) {
  if (element.value.type() == Type::document) return element.value.as_document();
  return malformed(fmt::format("'{}' holds no document", element.name));
}

Result<Sections> read_sections(DocumentView difference) {
  constexpr std::string_view order = "duibs";
  Sections sections;
  std::size_t last = 0;
  bool first = true;
  for (const Element& element : difference) {
    if (element.name.empty()) return malformed("a section without a name");
    const std::size_t place = order.find(element.name[0]);
    const bool nested = element.name[0] == 's';
    const bool known = place != std::string_view::npos && (nested || element.name.size() == 1);
    if (!known) return malformed(fmt::format("an unknown section '{}'", element.name));
    if (!first && (place < last || (place == last && !nested))) {
      return malformed(fmt::format("the section '{}' out of order", element.name));
    }
    first = false;
    last = place;
    HOLDFAST_TRY(const DocumentView fields, section(element));
    if (nested) {
      if (find(sections.nested, element.name.substr(1)) != nullptr) {
        return malformed(fmt::format("two differences of '{}'", element.name.substr(1)));
      }
      sections.nested.push_back({element.name.substr(1), element.value});
      continue;
    }
    if (element.name == "b") return Error(ErrorCode::unsupported, "a binary difference");
    for (const Element& field : fields) {
      if (element.name == "d") sections.removed.emplace(field.name, false);
      if (element.name == "u") sections.updated.push_back({field.name, field.value});
      if (element.name == "i") sections.inserted.push_back({field.name, field.value});
    }
  }
  return sections;
}

class DiffApplier {
 public:
  explicit DiffApplier(UpdateFit fit) : fit_(fit) {}

  Status apply_document(DocumentView before, DocumentView difference, Builder& out, int depth) {
    if (depth > max_nesting) return malformed("it is nested too deeply");
    HOLDFAST_TRY(Sections sections, read_sections(difference));
    for (const Element& element : before) {
      HOLDFAST_CHECK(apply_field(element, sections, out, depth));
    }
    HOLDFAST_CHECK(check_all_met(sections));
    for (const auto& field : sections.updated) {
      if (!field.met) out.append(field.name, field.value);
    }
    for (const auto& field : sections.inserted) out.append(field.name, field.value);
    return {};
  }

 private:
  [[nodiscard]] bool strict() const { return fit_ == UpdateFit::strict; }

  Status apply_field(const Element& element, Sections& sections, Builder& out, int depth) {
    if (const auto removed = sections.removed.find(element.name);
        removed != sections.removed.end()) {
      removed->second = true;
      return {};
    }
    if (find(sections.inserted, element.name) != nullptr) return {};
    if (auto* updated = find(sections.updated, element.name)) {
      // Of a repeated name only the first is meant.
      if (!updated->met) out.append(element.name, updated->value);
      updated->met = true;
      return {};
    }
    if (auto* nested = find(sections.nested, element.name)) {
      nested->met = true;
      return apply_nested(element.name, element.value, nested->value.as_document(), out, depth);
    }
    out.append(element.name, element.value);
    return {};
  }

  Status apply_nested(std::string_view name, ValueView before, DocumentView difference,
                      Builder& out, int depth) {
    const bool array = is_array_difference(difference);
    if (before.type() != (array ? Type::array : Type::document)) {
      if (strict()) return misfit(fmt::format("'{}' is of another type", name));
      out.append(name, before);
      return {};
    }
    if (array) {
      out.begin_array(name);
      HOLDFAST_CHECK(apply_array(before.as_document(), difference, out, depth + 1));
    } else {
      out.begin_document(name);
      HOLDFAST_CHECK(apply_document(before.as_document(), difference, out, depth + 1));
    }
    out.end();
    return {};
  }

  Status check_all_met(const Sections& sections) const {
    if (!strict()) return {};
    for (const auto& [name, met] : sections.removed) {
      if (!met) return misfit(fmt::format("'{}' is removed, but not there", name));
    }
    for (const auto* fields : {&sections.updated, &sections.nested}) {
      for (const auto& field : *fields) {
        if (!field.met) return misfit(fmt::format("'{}' is changed, but not there", field.name));
      }
    }
    return {};
  }

  struct ArrayChange {
    std::size_t index = 0;
    bool nested = false;
    ValueView value{Type::null, {}};
  };
  struct ArrayDifference {
    std::optional<std::size_t> length;
    std::vector<ArrayChange> changes;
  };

  static Result<ArrayDifference> read_array_difference(DocumentView difference) {
    ArrayDifference read;
    std::size_t position = 0;
    for (const Element& element : difference) {
      if (position++ == 0) continue;  // "a", which brought us here
      if (element.name == "l") {
        const auto length = element.value.integral();
        if (position != 2 || !length || *length < 0) return malformed("a bad length of an array");
        read.length = static_cast<std::size_t>(*length);
        continue;
      }
      const bool nested = element.name.starts_with('s');
      const auto index = element.name.empty() ? std::nullopt : parse_index(element.name.substr(1));
      if (!index || (!nested && !element.name.starts_with('u')) ||
          (nested && element.value.type() != Type::document)) {
        return malformed(fmt::format("'{}' in a difference of an array", element.name));
      }
      if (!read.changes.empty() && read.changes.back().index >= *index) {
        return malformed("indexes of an array out of order");
      }
      read.changes.push_back({*index, nested, element.value});
    }
    return read;
  }

  Status apply_array(DocumentView before, DocumentView difference, Builder& out, int depth) {
    if (depth > max_nesting) return malformed("it is nested too deeply");
    HOLDFAST_TRY(const ArrayDifference change, read_array_difference(difference));
    std::size_t at = 0;
    std::size_t next = 0;
    const auto take_change = [&]() -> const ArrayChange* {
      const bool due = next < change.changes.size() && change.changes[next].index == at;
      return due ? &change.changes[next++] : nullptr;
    };
    for (const Element& element : before) {
      if (change.length && at >= *change.length) break;
      const std::string name = array_index_name(at);
      const ArrayChange* due = take_change();
      if (due == nullptr) {
        out.append(name, element.value);
      } else if (due->nested) {
        HOLDFAST_CHECK(apply_nested(name, element.value, due->value.as_document(), out, depth));
      } else {
        out.append(name, due->value);
      }
      ++at;
    }
    // The rest lies behind the array's end: padded with null.
    const std::size_t end =
        std::max(change.length.value_or(0),
                 next < change.changes.size() ? change.changes.back().index + 1 : std::size_t{0});
    if (end > at + max_array_padding) return malformed("an array would be padded beyond reason");
    for (; at < end; ++at) {
      const ArrayChange* due = take_change();
      if (due != nullptr && due->nested && strict()) return misfit("an array is too short");
      const std::string name = array_index_name(at);
      due == nullptr || due->nested ? out.append_null(name) : out.append(name, due->value);
    }
    return {};
  }

  const UpdateFit fit_;
};

/// `$v: 1` as the description of a change event, which has the same meaning: paths through
/// documents and arrays, set or removed.
Result<Document> apply_modifiers(DocumentView document, DocumentView update, UpdateFit fit);

}  // namespace

bool is_oplog_update(DocumentView update) {
  return update.find("$v") || update.find("$set") || update.find("$unset");
}

Result<Document> apply_oplog_update(DocumentView document, DocumentView update, UpdateFit fit) {
  if (!is_oplog_update(update)) return Document(update);
  const auto version = update.find("$v");
  const auto number = version ? version->integral() : std::optional<std::int64_t>(1);
  if (number == 1) return apply_modifiers(document, update, fit);
  if (number != 2) return Error(ErrorCode::unsupported, "an oplog update of an unknown version");
  const auto difference = update.find_document("diff");
  if (!difference) return malformed("it holds no diff");
  Builder out;
  DiffApplier applier(fit);
  HOLDFAST_CHECK(applier.apply_document(document, *difference, out, 0));
  Document after = std::move(out).finish();
  if (after.bytes().size() > max_document_bytes) return misfit("it grows beyond any document");
  return after;
}

namespace {

Result<Document> apply_modifiers(DocumentView document, DocumentView update, UpdateFit fit) {
  Builder description;
  for (const Element& element : update) {
    const bool known = element.name == "$v" || element.name == "$set" || element.name == "$unset";
    if (!known) return malformed(fmt::format("the modifier {}", element.name));
  }
  const auto set = update.find("$set");
  if (set) {
    if (set->type() != Type::document) return malformed("$set holds no document");
    description.append_document("updatedFields", set->as_document());
  } else {
    description.append_document("updatedFields", DocumentView());
  }
  description.begin_array("removedFields");
  if (const auto unset = update.find("$unset")) {
    if (unset->type() != Type::document) return malformed("$unset holds no document");
    std::size_t count = 0;
    for (const Element& field : unset->as_document()) {
      description.append_string(array_index_name(count++), field.name);
    }
  }
  description.end();
  const Document whole = std::move(description).finish();
  HOLDFAST_TRY(UpdateOutcome outcome, apply_update(document, whole.view(), fit));
  return std::move(outcome.document);
}

}  // namespace

}  // namespace holdfast::bson

#include "bson/update_description.h"

#include <array>
#include <charconv>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "bson/mutable_tree.h"

// When can the order of fields differ from the true one?
//
// One event over the exact document: removals and updates in place keep the order; what is added
// goes to the end of its parent. Only if one event adds two or more fields to one parent is their
// order among themselves not certain: the event lists them as the server's difference does, and
// servers have not always listed them as they stored them. (A pipeline that reorders fields
// without changing them leaves no trace in its event; nothing here can see it.)
//
// Fuzzy: the base B holds the true state after the first k events of the window, and all events
// are replayed over it. Consider the replay of the first k (later ones meet the true state, if
// these kept it):
//  * An updated field that B has keeps B's place, which is the true one unless the replay takes it
//    away: that is a removal of a field which exists, and an update of the same window may have
//    added it again, before others that B already holds. So: uncertain. It cannot be told here
//    from a removal that is simply new, which would be certain; the caller reads a few documents
//    again for nothing.
//  * A removal of a field that is absent changes nothing; when it is added again later than k,
//    that event appends it, as it did on the server.
//  * A single added field that B does not have was removed after it was added, or its parent was;
//    either way a later event of the window takes it out again (an existing field: uncertain, by
//    the rule above) or replaces its parent whole, with the true order inside.
//  * Replacing a value whole makes its inside exact; its own place is as for any updated field.
//  * Elements of arrays have positions, not an order that could be lost.
// So the flag is: added twice or more to one parent, or fuzzy and removed something. It says that
// of this event alone: the caller keeps it for the document until an event brings the document
// whole (insert, replace) or deletes it. `update_replay_test.cpp` tries this on random histories.

namespace holdfast::bson {

namespace {

/// A server refuses to pad an array by more than this; without a limit a forged index would make
/// us fill the memory with nulls.
constexpr std::size_t max_array_padding = 1'500'000;

using Container = MutableTree::Container;
using Field = MutableTree::Field;

/// One step of a path. Without disambiguation a number is an index only if the parent is an array.
struct Step {
  enum class Kind { by_parent, name, index };
  Kind kind = Kind::by_parent;
  std::string_view name;
  std::size_t index = 0;
};
using Path = std::vector<Step>;

Error malformed(std::string what) {
  return Error(ErrorCode::corrupt, "malformed update description: " + std::move(what));
}

std::string quoted(std::string_view path) { return "'" + std::string(path) + "'"; }

/// "0", "17", but not "01", "-1" or "".
std::optional<std::size_t> parse_index(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

Path split_at_dots(std::string_view text) {
  Path path;
  for (;;) {
    const std::size_t dot = text.find('.');
    path.push_back(Step{Step::Kind::by_parent, text.substr(0, dot), 0});
    if (dot == std::string_view::npos) return path;
    text.remove_prefix(dot + 1);
  }
}

/// The components that `disambiguatedPaths` gives for some paths. A path may be listed twice in
/// one section: {"a.b": …} and {a: {b: …}} changed by one update both read "a.b"; the server then
/// gives components for the first, which holds a dot in its name.
class Paths {
 public:
  static Result<Paths> read(std::optional<ValueView> disambiguated) {
    Paths paths;
    if (!disambiguated) return paths;
    if (disambiguated->type() != Type::document) {
      return malformed("disambiguatedPaths is not a document");
    }
    for (const auto& entry : disambiguated->as_document()) {
      HOLDFAST_TRY(auto path, read_components(entry));
      paths.known_[entry.name].paths.push_back(std::move(path));
    }
    return paths;
  }

  void begin_section() { ++section_; }

  Path resolve(std::string_view text) {
    const auto found = known_.find(text);
    if (found == known_.end()) return split_at_dots(text);
    Entry& entry = found->second;
    if (entry.section != section_) {
      entry.section = section_;
      entry.used = 0;
    }
    if (entry.used == entry.paths.size()) return split_at_dots(text);
    return entry.paths[entry.used++];
  }

 private:
  struct Entry {
    std::vector<Path> paths;
    int section = 0;
    std::size_t used = 0;
  };

  static Result<Path> read_components(const Element& entry) {
    if (entry.value.type() != Type::array) {
      return malformed("disambiguatedPaths of " + quoted(entry.name) + " is not an array");
    }
    Path path;
    for (const auto& component : entry.value.as_document()) {
      if (component.value.type() == Type::string) {
        path.push_back(Step{Step::Kind::name, component.value.as_string(), 0});
        if (path.back().name.find('\0') != std::string_view::npos) {
          return malformed("a field name with NUL in disambiguatedPaths");
        }
        continue;
      }
      const auto index = component.value.integral();
      if (!index || *index < 0) {
        return malformed("a component of " + quoted(entry.name) + " is neither name nor index");
      }
      path.push_back(Step{Step::Kind::index, {}, static_cast<std::size_t>(*index)});
    }
    if (path.empty()) return malformed("no components for " + quoted(entry.name));
    return path;
  }

  std::unordered_map<std::string_view, Entry> known_;
  int section_ = 0;
};

/// Where the last step of a path leads.
struct Place {
  Container* parent = nullptr;
  /// Valid if the parent is a document.
  std::string_view name;
  /// Valid if the parent is an array.
  std::size_t index = 0;
  /// What stands there, or nullptr.
  Field* field = nullptr;
};

class Update {
 public:
  Update(DocumentView document, UpdateFit fit) : tree_(document), fit_(fit) {}

  Status truncate(DocumentView arrays, Paths& paths) {
    for (const auto& entry : arrays) {
      if (entry.value.type() != Type::document)
        return malformed("truncatedArrays holds no document");
      const auto field = entry.value.as_document().find_string("field");
      const auto size = entry.value.as_document().find_integral("newSize");
      if (!field || has_nul(*field) || !size || *size < 0) {
        return malformed("truncatedArrays needs field and newSize");
      }
      const auto place = locate(paths.resolve(*field));
      Container* array =
          place && place->field != nullptr ? MutableTree::open(*place->field) : nullptr;
      const bool fits = array != nullptr && array->is_array;
      const auto new_size = static_cast<std::size_t>(*size);
      if (!fits || array->fields.size() < new_size) {
        HOLDFAST_CHECK(
            does_not_fit("truncates " + quoted(*field) + " to " + std::to_string(*size)));
        continue;
      }
      array->fields.erase(array->fields.begin() + static_cast<std::ptrdiff_t>(new_size),
                          array->fields.end());
    }
    return {};
  }

  Status remove(DocumentView names, Paths& paths) {
    for (const auto& entry : names) {
      if (entry.value.type() != Type::string || has_nul(entry.value.as_string())) {
        return malformed("removedFields holds something else than names");
      }
      const auto path = entry.value.as_string();
      const auto place = locate(paths.resolve(path));
      // An element of an array is never removed by name: servers write null instead.
      if (!place || place->parent->is_array || place->field == nullptr) {
        HOLDFAST_CHECK(does_not_fit("removes " + quoted(path)));
        continue;
      }
      place->parent->remove(*place->field);
      if (fit_ == UpdateFit::fuzzy) order_uncertain_ = true;
    }
    return {};
  }

  Status set(DocumentView fields, Paths& paths) {
    for (const auto& entry : fields) {
      const auto place = locate(paths.resolve(entry.name));
      if (!place) {
        HOLDFAST_CHECK(does_not_fit("updates " + quoted(entry.name)));
        continue;
      }
      if (place->field != nullptr) {
        place->field->opened.reset();
        place->field->value = entry.value;
      } else if (place->parent->is_array) {
        HOLDFAST_CHECK(extend(*place->parent, place->index, entry));
      } else {
        place->parent->append(place->name, entry.value);
        if (++place->parent->added > 1) order_uncertain_ = true;
      }
    }
    return {};
  }

  [[nodiscard]] UpdateOutcome outcome() const { return {tree_.build(), order_uncertain_}; }

 private:
  static bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

  [[nodiscard]] Status does_not_fit(const std::string& what) const {
    if (fit_ == UpdateFit::fuzzy) return {};
    return Error(ErrorCode::corrupt, "an update does not fit the document before it: it " + what);
  }

  static Status extend(Container& array, std::size_t index, const Element& entry) {
    if (index - array.fields.size() >= max_array_padding) {
      return malformed(quoted(entry.name) + " is too far past the end of its array");
    }
    while (array.fields.size() < index) array.append({}, ValueView(Type::null, {}));
    array.append({}, entry.value);
    return {};
  }

  static std::optional<Place> take_step(Container& parent, const Step& step) {
    Place place;
    place.parent = &parent;
    if (!parent.is_array) {
      if (step.kind == Step::Kind::index) return std::nullopt;
      place.name = step.name;
      place.field = parent.find(step.name);
      return place;
    }
    if (step.kind == Step::Kind::name) return std::nullopt;
    if (step.kind == Step::Kind::index) {
      place.index = step.index;
    } else {
      const auto index = parse_index(step.name);
      if (!index) return std::nullopt;
      place.index = *index;
    }
    if (place.index < parent.fields.size()) place.field = &parent.fields[place.index];
    return place;
  }

  /// Nothing if a parent on the way is missing or of a type that the path does not fit.
  std::optional<Place> locate(const Path& path) {
    auto place = take_step(tree_.root(), path[0]);
    for (std::size_t at = 1; at < path.size(); ++at) {
      if (!place || place->field == nullptr) return std::nullopt;
      Container* inner = MutableTree::open(*place->field);
      if (inner == nullptr) return std::nullopt;
      place = take_step(*inner, path[at]);
    }
    return place;
  }

  MutableTree tree_;
  UpdateFit fit_;
  bool order_uncertain_ = false;
};

/// The sections of an update description; what is absent stays empty.
struct Sections {
  DocumentView truncated;
  DocumentView removed;
  DocumentView updated;
  std::optional<ValueView> disambiguated;
};

/// A section that nobody knows could change the document in a way that we would miss.
Result<Sections> read_sections(DocumentView description) {
  Sections sections;
  for (const auto& [name, value] : description) {
    if (name == "updatedFields" && value.type() == Type::document) {
      sections.updated = value.as_document();
    } else if (name == "removedFields" && value.type() == Type::array) {
      sections.removed = value.as_document();
    } else if (name == "truncatedArrays" && value.type() == Type::array) {
      sections.truncated = value.as_document();
    } else if (name == "disambiguatedPaths") {
      sections.disambiguated = value;
    } else {
      return malformed("unknown section or type of section " + quoted(name));
    }
  }
  return sections;
}

}  // namespace

Result<UpdateOutcome> apply_update(DocumentView document, DocumentView update_description,
                                   UpdateFit fit) {
  HOLDFAST_TRY(const auto sections, read_sections(update_description));
  HOLDFAST_TRY(auto paths, Paths::read(sections.disambiguated));
  Update update(document, fit);
  HOLDFAST_CHECK(update.truncate(sections.truncated, paths));
  paths.begin_section();
  HOLDFAST_CHECK(update.remove(sections.removed, paths));
  paths.begin_section();
  HOLDFAST_CHECK(update.set(sections.updated, paths));
  UpdateOutcome outcome = update.outcome();
  // Nested parts can pass the limit together though each kept to it.
  if (auto valid = validate_document(outcome.document.bytes()); !valid) {
    return valid.error().with_context("after an update");
  }
  return outcome;
}

}  // namespace holdfast::bson

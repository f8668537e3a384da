#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "bson/builder.h"
#include "bson/extended_json.h"
#include "bson/generate_testing.h"
#include "bson/update_description.h"

// Random histories of a document against the promise of apply_update: replayed over any state of
// the window, values come out right, and order too unless some event was flagged.

namespace holdfast::bson {
namespace {

using Random = std::mt19937_64;
constexpr std::string_view field_names[] = {"a", "b", "c", "d"};

/// What one update changes, as a change event tells it.
struct Changes {
  std::vector<std::pair<std::string, Value>> set;
  std::vector<std::string> removed;
  std::vector<std::pair<std::string, std::size_t>> truncated;
};

Value random_value(Random& random, int depth) {
  const std::size_t kind = depth > 0 ? pick_below(random, 5) : 0;
  if (kind < 2) return value_from_json(std::to_string(pick_below(random, 1000)));
  Builder out;
  if (kind == 2) {
    const std::size_t size = pick_below(random, 4);
    for (std::size_t at = 0; at < size; ++at) {
      out.append(array_index_name(at), random_value(random, 0).view());
    }
    return Value(Type::array, std::move(out).finish().bytes());
  }
  for (const auto name : field_names) {
    if (pick_below(random, 2) == 0) out.append(name, random_value(random, depth - 1).view());
  }
  return Value(Type::document, std::move(out).finish().bytes());
}

void change_inside(Random& random, ValueView value, const std::string& path, Changes& changes);

void change_document(Random& random, DocumentView document, const std::string& prefix,
                     Changes& changes) {
  for (const auto name : field_names) {
    if (pick_below(random, 3) != 0) continue;
    const std::string path = prefix + std::string(name);
    const auto value = document.find(name);
    if (!value) {
      changes.set.emplace_back(path, random_value(random, 2));
      continue;
    }
    switch (pick_below(random, 4)) {
      case 0: changes.removed.push_back(path); break;
      case 1: changes.set.emplace_back(path, random_value(random, 2)); break;
      default: change_inside(random, *value, path, changes); break;
    }
  }
}

void change_inside(Random& random, ValueView value, const std::string& path, Changes& changes) {
  if (value.type() == Type::document) {
    change_document(random, value.as_document(), path + ".", changes);
  } else if (value.type() == Type::array) {
    const DocumentView array = value.as_document();
    auto size = static_cast<std::size_t>(std::distance(array.begin(), array.end()));
    if (size > 0 && pick_below(random, 2) == 0) {
      size = pick_below(random, size);
      changes.truncated.emplace_back(path, size);
    }
    const std::size_t at = pick_below(random, size + 2);
    changes.set.emplace_back(path + "." + array_index_name(at), random_value(random, 1));
  } else {
    changes.set.emplace_back(path, random_value(random, 2));
  }
}

Document describe(const Changes& changes) {
  Builder out;
  out.begin_document("updatedFields");
  for (const auto& [path, value] : changes.set) out.append(path, value.view());
  out.end().begin_array("removedFields");
  std::size_t index = 0;
  for (const auto& path : changes.removed) out.append_string(array_index_name(index++), path);
  out.end().begin_array("truncatedArrays");
  index = 0;
  for (const auto& [path, size] : changes.truncated) {
    out.begin_document(array_index_name(index++));
    out.append_string("field", path).append_int32("newSize", static_cast<std::int32_t>(size)).end();
  }
  out.end();
  return std::move(out).finish();
}

struct History {
  /// states[i] is the document after i events.
  std::vector<Document> states;
  std::vector<Document> events;
};

/// The server stores new fields in another order than the event lists them, now and then.
History random_history(Random& random) {
  History history;
  history.states.push_back(document_from_json(R"({"a":{"b":1},"b":[1,2]})"));
  const std::size_t length = 2 + pick_below(random, 8);
  while (history.events.size() < length) {
    Changes changes;
    change_document(random, history.states.back().view(), "", changes);
    history.events.push_back(describe(changes));
    Changes stored = changes;
    if (pick_below(random, 2) == 0) std::reverse(stored.set.begin(), stored.set.end());
    auto next =
        apply_update(history.states.back().view(), describe(stored).view(), UpdateFit::strict);
    if (!next) throw std::logic_error(next.error().message());
    history.states.push_back(std::move(next->document));
  }
  return history;
}

/// The document with the fields of every level sorted by name.
Document sorted(DocumentView document, bool array) {
  std::vector<Element> fields(document.begin(), document.end());
  if (!array) {
    std::sort(fields.begin(), fields.end(),
              [](const Element& a, const Element& b) { return a.name < b.name; });
  }
  Builder out;
  for (const auto& [name, value] : fields) {
    if (value.type() == Type::document) {
      out.append_document(name, sorted(value.as_document(), false).view());
    } else if (value.type() == Type::array) {
      out.append_array(name, sorted(value.as_document(), true).view());
    } else {
      out.append(name, value);
    }
  }
  return std::move(out).finish();
}

std::string shown(const Document& document) { return to_json(document.view(), JsonMode::relaxed); }

TEST(UpdateReplay, over_any_state_of_the_window_gives_the_last_state) {
  std::size_t certain = 0;
  std::size_t misordered = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const History history = random_history(random);
    for (std::size_t read_after = 0; read_after < history.states.size(); ++read_after) {
      Document document = history.states[read_after];
      bool uncertain = false;
      std::string told = "seed " + std::to_string(seed) + " from " + std::to_string(read_after);
      for (const auto& event : history.events) {
        auto outcome = apply_update(document.view(), event.view(), UpdateFit::fuzzy);
        ASSERT_TRUE(outcome.ok()) << told << ": " << outcome.error().message();
        uncertain = uncertain || outcome->order_uncertain;
        document = std::move(outcome->document);
      }
      const Document& truth = history.states.back();
      ASSERT_EQ(shown(sorted(document.view(), false)), shown(sorted(truth.view(), false))) << told;
      ASSERT_TRUE(uncertain || document == truth) << told << shown(document) << shown(truth);
      certain += uncertain ? 0 : 1;
      misordered += document == truth ? 0 : 1;
    }
  }
  // Both happen often enough to mean something.
  EXPECT_GT(certain, 200U);
  EXPECT_GT(misordered, 200U);
}

TEST(UpdateReplay, strict_over_the_state_before_gives_the_state_after) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Random random(seed);
    const History history = random_history(random);
    for (std::size_t at = 0; at < history.events.size(); ++at) {
      const auto outcome =
          apply_update(history.states[at].view(), history.events[at].view(), UpdateFit::strict);
      ASSERT_TRUE(outcome.ok()) << seed << ": " << outcome.error().message();
      const Document& truth = history.states[at + 1];
      ASSERT_EQ(sorted(outcome->document.view(), false), sorted(truth.view(), false)) << seed;
      ASSERT_TRUE(outcome->order_uncertain || outcome->document == truth) << seed;
    }
  }
}

}  // namespace
}  // namespace holdfast::bson

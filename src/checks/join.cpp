#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>

#include "base/task_group.h"
#include "bson/order.h"
#include "checks/scan_internal.h"

namespace holdfast::checks {
namespace {

using bson::Type;

/// What belongs to one document of a view; more is no sensible join.
constexpr std::uint64_t largest_group_bytes = 256ULL * 1024 * 1024;

bson::ValueView field_of(ByteView document, std::string_view name) {
  return *bson::DocumentView(document).find(name);
}

/// Walks a sorter's records; `visit(record, whether its key is another than the last one's)`.
template <typename Visit>
Status walk(RecordSorter& sorter, std::stop_token stop, Visit visit) {
  Bytes last;
  bool first = true;
  for (;;) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    HOLDFAST_TRY(const auto record, sorter.next());
    if (!record) return {};
    const bool other = first || !same_bytes(last, record->key);
    if (other) last.assign(record->key.begin(), record->key.end());
    first = false;
    HOLDFAST_CHECK(visit(*record, other));
  }
}

Status find_duplicates(RecordSorter& sorter, Tally& tally, std::stop_token stop) {
  Bytes kept;
  bool reported = false;
  const auto report = [&tally](ByteView payload) {
    const Datum value(field_of(payload, "v"));
    tally.violation(Datum(field_of(payload, "_id")), nullptr, &value);
  };
  return walk(sorter, stop, [&](const Record& record, bool other) -> Status {
    if (other) {
      kept.assign(record.payload.begin(), record.payload.end());
      reported = false;
      return {};
    }
    // All that share a key are named, the first of them when a second one comes.
    if (!reported) report(kept);
    reported = true;
    report(record.payload);
    return {};
  });
}

Status find_disagreement(RecordSorter& sorter, Tally& tally, std::stop_token stop) {
  std::optional<bson::Value> agreed;
  return walk(sorter, stop, [&](const Record& record, bool other) -> Status {
    const bson::ValueView value = field_of(record.payload, "v");
    if (other) {
      agreed.emplace(value);
      return {};
    }
    if (bson::compare(agreed->view(), value) == 0) return {};
    const Datum expected(agreed->view());
    const Datum actual(value);
    tally.violation(Datum(field_of(record.payload, "_id")), &expected, &actual);
    return {};
  });
}

Status find_disorder(RecordSorter& sorter, Tally& tally, std::stop_token stop) {
  std::optional<bson::Value> highest;
  return walk(sorter, stop, [&](const Record& record, bool) -> Status {
    const bson::ValueView value = field_of(record.payload, "v");
    if (highest && bson::compare(value, highest->view()) <= 0) {
      const Datum actual(value);
      const Datum limit(highest->view());
      tally.violation(Datum(field_of(record.payload, "_id")), nullptr, &actual,
                      "not above the one before it");
    } else {
      highest.emplace(value);
    }
    return {};
  });
}

Status find_one_sided(const profile::Rule& rule, RecordSorter& sorter, Tally& tally,
                      std::stop_token stop) {
  Bytes pending;
  std::uint8_t pending_tag = 0;
  bool waiting = false;
  const auto report = [&] {
    if (!waiting) return;
    const Datum link(field_of(pending, "v"));
    const bool forward = pending_tag == 0;
    tally.violation(
        Datum(field_of(pending, "_id")), nullptr, &link,
        fmt::format("in {}, but not in the other's {}", forward ? rule.field : rule.other,
                    forward ? rule.other : rule.field));
    waiting = false;
  };
  HOLDFAST_CHECK(walk(sorter, stop, [&](const Record& record, bool other) -> Status {
    if (other) report();
    if (!other && record.tag != pending_tag) {
      waiting = false;
      return {};
    }
    if (!other) return {};  // the same link twice
    pending.assign(record.payload.begin(), record.payload.end());
    pending_tag = record.tag;
    waiting = true;
    return {};
  }));
  report();
  return {};
}

Status join_keys(Program& program, const KeyRule& rule, Tallies& tallies, std::stop_token stop) {
  RecordSorter& sorter = *program.sorters[rule.sorter];
  Tally& tally = tallies[rule.finding];
  switch (rule.rule->kind) {
    case profile::RuleKind::unique: return find_duplicates(sorter, tally, stop);
    case profile::RuleKind::determines: return find_disagreement(sorter, tally, stop);
    case profile::RuleKind::ordered: return find_disorder(sorter, tally, stop);
    default: return find_one_sided(*rule.rule, sorter, tally, stop);
  }
}

/// References that could not be looked up when they were read.
Status join_references(Program& program, Target& target, Tallies& tallies, std::stop_token stop) {
  bool there = false;
  return walk(*program.sorters[target.sorter], stop,
              [&](const Record& record, bool other) -> Status {
                if (other) {
                  there = record.tag == 0;
                  if (!target.overflowed) {
                    ShortKey key;
                    std::memcpy(&key, record.key.data(), sizeof key);
                    there = target.ids.contains(key);
                  }
                }
                if (record.tag == 0 || there) return {};
                const Datum key(field_of(record.payload, "k"));
                const auto finding = field_of(record.payload, "f").as_int32();
                tallies[static_cast<std::size_t>(finding)].violation(
                    Datum(field_of(record.payload, "_id")), nullptr, &key);
                return {};
              });
}

/// Gives each document that asked for a key what the lookup has under it.
Status join_lookup(Program& program, const CompiledView& view, const CompiledLookup& lookup,
                   std::stop_token stop) {
  std::vector<Bytes> documents;
  std::uint64_t bytes = 0;
  return walk(
      *program.sorters[lookup.sorter], stop, [&](const Record& record, bool other) -> Status {
        if (other) {
          documents.clear();
          bytes = 0;
        }
        if (record.tag == 0) {
          documents.push_back(to_bytes(record.payload));
          bytes += record.payload.size();
          if (bytes <= largest_group_bytes) return {};
          return Error(ErrorCode::unsupported,
                       fmt::format("more than 256 MiB of {} share one key of the view {}",
                                   lookup.lookup->from, view.view->name));
        }
        for (const Bytes& document : documents) {
          HOLDFAST_CHECK(program.sorters[view.sorter]->add({record.payload, lookup.tag, document}));
        }
        return {};
      });
}

Status join_view(Program& program, CompiledView& view, std::int64_t now_ms, Tallies& tallies,
                 std::stop_token stop) {
  for (const CompiledLookup& lookup : view.lookups) {
    if (!lookup.direct && !lookup.in_table) {
      HOLDFAST_CHECK(join_lookup(program, view, lookup, stop));
    }
  }
  ViewEvaluation evaluation(view, now_ms);
  // A group's documents, kept until it is complete; their places may move while it grows.
  Bytes group;
  std::vector<std::pair<std::uint8_t, std::size_t>> parts;
  bool has_root = false;
  const auto finish = [&] {
    if (has_root) {
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::size_t end = i + 1 < parts.size() ? parts[i + 1].second : group.size();
        const bson::DocumentView document(
            ByteView(group).subspan(parts[i].second, end - parts[i].second));
        parts[i].first == 0 ? evaluation.begin(document) : evaluation.add(parts[i].first, document);
      }
      evaluation.finish(tallies);
    }
    group.clear();
    parts.clear();
    has_root = false;
  };
  HOLDFAST_CHECK(
      walk(*program.sorters[view.sorter], stop, [&](const Record& record, bool other) -> Status {
        if (other) finish();
        has_root = has_root || record.tag == 0;
        parts.emplace_back(record.tag, group.size());
        append_bytes(group, record.payload);
        if (group.size() <= largest_group_bytes) return {};
        return Error(ErrorCode::unsupported,
                     fmt::format("more than 256 MiB belong to one document of the "
                                 "view {}",
                                 view.view->name));
      }));
  finish();
  return {};
}

}  // namespace

ViewEvaluation::ViewEvaluation(CompiledView& view, std::int64_t now_ms)
    : view_(view), evaluation_(view.fields, now_ms), found_(view.lookups.size()) {}

void ViewEvaluation::begin(bson::DocumentView root) {
  evaluation_.set_root(root);
  for (std::size_t i = 0; i < found_.size(); ++i) {
    found_[i].clear();
    const CompiledLookup& lookup = view_.lookups[i];
    if (!lookup.in_table) continue;
    Bytes bytes;
    for_each_key(lookup.local->evaluate(evaluation_), [&](const Datum& key) {
      bytes.clear();
      append_join_key(bytes, key);
      const auto [from, to] = lookup.table.documents.equal_range(std::string(as_text(bytes)));
      for (auto at = from; at != to; ++at) {
        found_[i].push_back(Datum(bson::ValueView(Type::document, at->second)));
      }
    });
  }
}

void ViewEvaluation::add(std::uint8_t tag, bson::DocumentView document) {
  found_[tag - 1U].push_back(Datum(bson::ValueView(Type::document, document.bytes())));
}

void ViewEvaluation::finish(Tallies& tallies) {
  for (std::size_t i = 0; i < found_.size(); ++i) {
    const CompiledLookup& lookup = view_.lookups[i];
    if (!lookup.lookup->one) {
      evaluation_.set_field(lookup.slot, Datum::of_list(found_[i]));
    } else {
      evaluation_.set_field(lookup.slot, found_[i].empty() ? Datum() : found_[i].front());
    }
  }
  const Datum id = evaluation_.field(view_.id_slot);
  for (const CompiledRule& rule : view_.rules) {
    apply_rule(rule, evaluation_, id, tallies[rule.finding]);
  }
}

Status send_foreign(Program& program, const CompiledView& view, const CompiledLookup& lookup,
                    ByteView key, ByteView document) {
  const std::size_t sorter = lookup.direct ? view.sorter : lookup.sorter;
  const std::uint8_t tag = lookup.direct ? lookup.tag : 0;
  return program.sorters[sorter]->add({key, tag, document});
}

Status join_all(Program& program, std::int64_t now_ms, Tallies& tallies, std::stop_token stop) {
  // Each of these has sorters and tallies of its own, so they can run side by side.
  std::vector<std::function<Status(std::stop_token)>> work;
  for (const auto& view : program.views) {
    work.emplace_back([&, one = view.get()](std::stop_token inner) {
      return join_view(program, *one, now_ms, tallies, inner);
    });
  }
  for (const auto& collection : program.collections) {
    for (const KeyRule& rule : collection->keys) {
      work.emplace_back(
          [&](std::stop_token inner) { return join_keys(program, rule, tallies, inner); });
    }
  }
  for (const auto& target : program.targets) {
    if (!target->deferred) continue;
    work.emplace_back([&, one = target.get()](std::stop_token inner) {
      return join_references(program, *one, tallies, inner);
    });
  }
  std::atomic<std::size_t> next = 0;
  TaskGroup tasks(stop);
  for (int thread = 0; thread < 2; ++thread) {
    tasks.start([&](std::stop_token inner) -> Status {
      for (std::size_t at = next++; at < work.size(); at = next++) HOLDFAST_CHECK(work[at](inner));
      return {};
    });
  }
  return tasks.wait();
}

}  // namespace holdfast::checks

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "base/bounded_queue.h"
#include "base/task_group.h"
#include "bson/order.h"
#include "checks/scan_internal.h"
#include "profile/decimal.h"

namespace holdfast::checks {
namespace {

using bson::Type;

/// Documents handed over at once: enough that handing over costs nothing.
constexpr std::size_t batch_bytes = 256UL * 1024;

struct Batch {
  Bytes bytes;
  std::vector<std::uint32_t> sizes;
};

/// Bytes whose order is that of the values, for dates, numbers, strings and ObjectIds.
void append_order_key(Bytes& out, const Datum& value) {
  out.push_back(static_cast<std::uint8_t>(bson::bracket_of(value.type()) + 1));
  std::uint64_t bits = 0;
  if (value.is(Type::date) || value.is(Type::timestamp)) {
    bits = static_cast<std::uint64_t>(value.as_integer()) ^ (std::uint64_t{1} << 63U);
  } else if (value.is_number()) {
    const double number = value.is(Type::float64) ? value.as_double()
                          : value.is(Type::decimal128)
                              ? profile::to_double(profile::decimal_of(value))
                              : static_cast<double>(value.as_integer());
    bits = std::bit_cast<std::uint64_t>(number);
    bits = (bits >> 63U) != 0 ? ~bits : bits | (std::uint64_t{1} << 63U);
  } else {
    return append_bytes(out, value.is(Type::string) ? as_bytes(value.as_string()) : value.bytes());
  }
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(bits >> static_cast<unsigned>(shift)));
  }
}

/// The first date after now, with the path that leads to it.
bool has_future(const Datum& value, std::int64_t now_ms, std::string& path, Datum& found) {
  if (value.is(Type::date) && value.as_integer() > now_ms) {
    found = value;
    return true;
  }
  if (!value.is(Type::document) && !value.is_array()) return false;
  for (const bson::Element& element : value.as_document()) {
    if (has_future(Datum(element.value), now_ms, path, found)) {
      path = path.empty() ? std::string(element.name) : fmt::format("{}.{}", element.name, path);
      return true;
    }
  }
  return false;
}

/// Evaluates a collection's program on documents; one per thread.
class Worker {
 public:
  Worker(Program& program, CollectionProgram& collection, std::int64_t now_ms, Tallies tallies)
      : program_(program),
        collection_(collection),
        evaluation_(collection.fields, now_ms),
        tallies_(std::move(tallies)) {
    for (CompiledView* view : collection.views) {
      views_.push_back(std::make_unique<ViewEvaluation>(*view, now_ms));
      asking_.push_back(std::make_unique<Evaluation>(view->fields, now_ms));
    }
  }

  Status process(bson::DocumentView document) {
    evaluation_.set_root(document);
    const Datum id = evaluation_.field(collection_.id_slot);
    for (const CompiledRule& rule : collection_.rules) {
      apply_rule(rule, evaluation_, id, tallies_[rule.finding]);
    }
    built_in(document, id);
    for (const CompiledReference& reference : collection_.references) {
      HOLDFAST_CHECK(refer(reference, id));
    }
    for (const KeyRule& rule : collection_.keys) HOLDFAST_CHECK(send_key(rule, id));
    for (std::size_t i = 0; i < views_.size(); ++i) {
      HOLDFAST_CHECK(send_to_view(i, document, id));
    }
    for (const LookupSource& source : collection_.sources) {
      HOLDFAST_CHECK(send_to_lookup(source, document));
    }
    if (!collection_.target) return {};
    key_.clear();
    append_join_key(key_, id);
    return add_to_target(*program_.targets[*collection_.target], shorten(key_));
  }

  [[nodiscard]] Tallies& tallies() { return tallies_; }

 private:
  void built_in(bson::DocumentView document, const Datum& id) {
    if (collection_.schema) {
      Tally& tally = tallies_[collection_.schema_finding];
      tally.check();
      if (const auto violation = collection_.schema->violation(document)) {
        const Datum expected = Datum::of_string(evaluation_.arena(), violation->expected);
        const Datum actual = violation->actual ? Datum(violation->actual->view()) : Datum();
        tally.violation(id, &expected, &actual,
                        fmt::format("{}: {}", violation->path, violation->keyword));
      }
    }
    if (collection_.soft_delete_finding) {
      Tally& tally = tallies_[*collection_.soft_delete_finding];
      tally.check();
      const Datum& at = evaluation_.field(collection_.deleted_at_slot);
      const Datum& by = evaluation_.field(collection_.deleted_by_slot);
      if (at.nullish() != by.nullish()) tally.violation(id, nullptr, at.nullish() ? &by : &at);
    }
    for (const CompiledRule& rule : collection_.no_future) {
      Tally& tally = tallies_[rule.finding];
      tally.check();
      for (const bson::Element& element : document) {
        if (std::ranges::find(rule.rule->except, element.name) != rule.rule->except.end()) continue;
        std::string path;
        Datum found;
        if (!has_future(Datum(element.value), evaluation_.now_ms(), path, found)) continue;
        const std::string full =
            path.empty() ? std::string(element.name) : fmt::format("{}.{}", element.name, path);
        tally.violation(id, nullptr, &found, full);
        break;
      }
    }
  }

  Status refer(const CompiledReference& reference, const Datum& id) {
    const Datum keys = reference.path->evaluate(evaluation_);
    Target& target = *program_.targets[reference.target];
    Tally& tally = tallies_[reference.finding];
    Status status;
    for_each_key(keys, [&](const Datum& key) {
      tally.check();
      key_.clear();
      append_join_key(key_, key);
      const ShortKey wanted = shorten(key_);
      if (target.scanned && !target.overflowed) {
        if (!target.ids.contains(wanted)) tally.violation(id, nullptr, &key);
      } else if (status.ok()) {
        std::atomic_ref<bool>(target.deferred).store(true);
        begin_payload();
        append_field("f", Datum::of_int32(static_cast<std::int32_t>(reference.finding)));
        append_field("_id", id);
        append_field("k", key);
        status = add(target.sorter, short_bytes(wanted), 1, end_payload());
      }
    });
    return status;
  }

  Status send_key(const KeyRule& rule, const Datum& id) {
    if (rule.rule->kind == profile::RuleKind::symmetric) return send_links(rule, id);
    if (!rule.each) return send_one_key(rule, id);
    const Datum elements = rule.each->evaluate(evaluation_);
    if (!elements.is_array()) return {};
    Status status;
    profile::for_each_element(elements, [&](const Datum& element) {
      evaluation_.set_variable(0, element);
      status = send_one_key(rule, id);
      return status.ok();
    });
    return status;
  }

  Status send_one_key(const KeyRule& rule, const Datum& id) {
    if (rule.where && !rule.where->evaluate(evaluation_).truthy()) return {};
    const Datum key = rule.key->evaluate(evaluation_);
    if (!is_key(key)) return {};
    tallies_[rule.finding].check();
    key_.clear();
    if (rule.rule->kind == profile::RuleKind::ordered) {
      append_order_key(key_, key);
      append_join_key(key_, id);  // a stable order of equals
    } else {
      append_join_key(key_, key);
    }
    const Datum value = rule.value ? rule.value->evaluate(evaluation_) : key;
    return add(rule.sorter, key_, 0, subject_and_value(id, value));
  }

  Status send_links(const KeyRule& rule, const Datum& id) {
    Status status;
    const auto send = [&](const Datum& other, bool forward) {
      if (!status.ok()) return;
      key_.clear();
      append_join_key(key_, forward ? id : other);
      append_join_key(key_, forward ? other : id);
      tallies_[rule.finding].check();
      status = add(rule.sorter, key_, forward ? 0 : 1, subject_and_value(id, other));
    };
    for_each_key(rule.key->evaluate(evaluation_), [&](const Datum& one) { send(one, true); });
    for_each_key(rule.value->evaluate(evaluation_), [&](const Datum& one) { send(one, false); });
    return status;
  }

  Status send_to_view(std::size_t index, bson::DocumentView document, const Datum& id) {
    CompiledView& view = *collection_.views[index];
    payload_.clear();
    if (view.fields.whole()) {
      append_bytes(payload_, document.bytes());
    } else {
      project(payload_, document, view.kept);
    }
    const bool complete = std::ranges::all_of(
        view.lookups, [](const CompiledLookup& lookup) { return lookup.in_table; });
    if (complete) {
      views_[index]->begin(bson::DocumentView(payload_));
      views_[index]->finish(tallies_);
      return {};
    }
    key_.clear();
    append_join_key(key_, id);
    HOLDFAST_CHECK(add(view.sorter, key_, 0, payload_));
    return ask(view, *asking_[index], document);
  }

  /// Which keys this document wants of lookups that are joined by sorting.
  Status ask(CompiledView& view, Evaluation& evaluation, bson::DocumentView document) {
    const bool asks = std::ranges::any_of(view.lookups, [](const CompiledLookup& lookup) {
      return !lookup.direct && !lookup.in_table;
    });
    if (!asks) return {};
    const Bytes own = key_;
    evaluation.set_root(document);
    for (const CompiledLookup& lookup : view.lookups) {
      if (lookup.direct || lookup.in_table) continue;
      Status status;
      for_each_key(lookup.local->evaluate(evaluation), [&](const Datum& key) {
        if (!status.ok()) return;
        key_.clear();
        append_join_key(key_, key);
        status = add(lookup.sorter, key_, 1, own);
      });
      HOLDFAST_CHECK(status);
    }
    return {};
  }

  Status send_to_lookup(const LookupSource& source, bson::DocumentView document) {
    const Datum keys = source.foreign->evaluate(evaluation_);
    payload_.clear();
    bool projected = false;
    Status status;
    for_each_key(keys, [&](const Datum& key) {
      if (!status.ok()) return;
      if (!projected) project(payload_, document, source.lookup->lookup->keep);
      projected = true;
      key_.clear();
      append_join_key(key_, key);
      status = store(source);
    });
    return status;
  }

  /// Into the table while that is small; when it grows too large all of it goes to the sorter.
  Status store(const LookupSource& source) {
    CompiledLookup& lookup = *source.lookup;
    if (lookup.table_possible) {
      const std::scoped_lock lock(*program_.mutex);
      if (lookup.in_table) {
        LookupTable& table = lookup.table;
        table.documents.emplace(std::string(as_text(key_)), payload_);
        table.bytes += key_.size() + payload_.size() + 128;
        if (table.bytes <= program_.table_bytes) return {};
        for (const auto& [key, bytes] : table.documents) {
          HOLDFAST_CHECK(send_foreign(program_, *source.view, lookup, as_bytes(key), bytes));
        }
        table = LookupTable();
        lookup.in_table = false;
        return {};
      }
    }
    return send_foreign(program_, *source.view, lookup, key_, payload_);
  }

  Status add_to_target(Target& target, const ShortKey& key) {
    {
      const std::scoped_lock lock(*program_.mutex);
      if (!target.overflowed) {
        target.ids.insert(key);
        if (program_.held_target_bytes() <= program_.target_bytes) return {};
        Status status;
        target.ids.for_each([&](const ShortKey& one) {
          if (status.ok()) status = add(target.sorter, short_bytes(one), 0, {});
        });
        target.ids.clear();
        target.overflowed = true;
        return status;
      }
    }
    return add(target.sorter, short_bytes(key), 0, {});
  }

  Status add(std::size_t sorter, ByteView key, std::uint8_t tag, ByteView payload) {
    return program_.sorters[sorter]->add({key, tag, payload});
  }

  // A small document of a record, written without the detours of a Builder.
  void begin_payload() { payload_.assign(4, 0); }
  void append_field(std::string_view name, const Datum& value) {
    std::array<std::uint8_t, 8> scratch;
    std::optional<bson::Value> owned;
    if (value.missing() || value.is_list()) owned.emplace(value.to_value());
    const bson::ValueView view = owned ? owned->view() : value.view(scratch);
    payload_.push_back(static_cast<std::uint8_t>(view.type()));
    append_bytes(payload_, as_bytes(name));
    payload_.push_back(0);
    append_bytes(payload_, view.bytes());
  }
  ByteView end_payload() {
    payload_.push_back(0);
    const auto size = static_cast<std::int32_t>(payload_.size());
    std::memcpy(payload_.data(), &size, sizeof size);
    return payload_;
  }
  /// The payload of key rules.
  ByteView subject_and_value(const Datum& id, const Datum& value) {
    begin_payload();
    append_field("_id", id);
    append_field("v", value);
    return end_payload();
  }

  static ByteView short_bytes(const ShortKey& key) {
    return {reinterpret_cast<const std::uint8_t*>(&key), sizeof key};
  }

  Program& program_;
  CollectionProgram& collection_;
  profile::Evaluation evaluation_;
  Tallies tallies_;
  std::vector<std::unique_ptr<ViewEvaluation>> views_;
  std::vector<std::unique_ptr<Evaluation>> asking_;  ///< Per view: for the keys that it wants.
  Bytes key_;
  Bytes payload_;
};

Status read_batches(DocumentCursor& cursor, BoundedQueue<Batch>& queue, std::uint64_t& seen,
                    ProgressSink& progress, std::stop_token stop) {
  Batch batch;
  const auto hand_over = [&] {
    progress.advance(batch.sizes.size(), batch.bytes.size());
    seen += batch.sizes.size();
    const bool taken = queue.push(std::move(batch), stop);
    batch = Batch();
    return taken;
  };
  for (;;) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    HOLDFAST_TRY(const auto document, cursor.next());
    if (!document) break;
    append_bytes(batch.bytes, document->bytes());
    batch.sizes.push_back(static_cast<std::uint32_t>(document->bytes().size()));
    if (batch.bytes.size() >= batch_bytes && !hand_over()) break;
  }
  if (!batch.sizes.empty() && !hand_over()) return Error(ErrorCode::cancelled, "stopped");
  return {};
}

}  // namespace

Status scan_collection(Program& program, CollectionProgram& collection, DocumentCursor& cursor,
                       const ScanOptions& options, Tallies& tallies, std::uint64_t& seen,
                       ProgressSink& progress, std::stop_token stop) {
  BoundedQueue<Batch> queue(options.workers * 2);
  std::vector<std::unique_ptr<Worker>> all;
  TaskGroup tasks(stop);
  for (std::size_t i = 0; i < options.workers; ++i) {
    all.push_back(
        std::make_unique<Worker>(program, collection, options.now_ms, options.empty_tallies));
    tasks.start([&queue, worker = all.back().get()](std::stop_token inner) -> Status {
      while (const auto batch = queue.pop(inner)) {
        std::size_t at = 0;
        for (const std::uint32_t size : batch->sizes) {
          HOLDFAST_CHECK(
              worker->process(bson::DocumentView(ByteView(batch->bytes).subspan(at, size))));
          at += size;
        }
      }
      return {};
    });
  }
  tasks.start([&](std::stop_token inner) {
    const Status status = read_batches(cursor, queue, seen, progress, inner);
    queue.close();
    return status;
  });
  HOLDFAST_CHECK(tasks.wait());
  for (const auto& worker : all) {
    for (std::size_t i = 0; i < tallies.size(); ++i) {
      tallies[i].merge(std::move(worker->tallies()[i]));
    }
  }
  if (collection.target) program.targets[*collection.target]->scanned = true;
  return {};
}

}  // namespace holdfast::checks

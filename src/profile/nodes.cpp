#include <fmt/format.h>
#include <re2/re2.h>

#include "bson/builder.h"
#include "profile/node_internal.h"
#include "profile/nodes_internal.h"

namespace holdfast::profile {

using bson::Type;

std::span<const Datum> evaluate_all(Evaluation& evaluation, Arguments arguments) {
  Datum* values = evaluation.arena().allocate_array<Datum>(arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    values[i] = arguments[i]->evaluate(evaluation);
  }
  return {values, arguments.size()};
}

Datum wrong_type(Evaluation& evaluation, std::string_view message, const Datum& found) {
  if (evaluation.failed()) return {};
  return evaluation.fail(fmt::format("{} {}", message, type_name(found)));
}

Datum BuiltinNode::evaluate(Evaluation& evaluation) const {
  switch (which_) {
    case Builtin::root: {
      const bson::ValueView root(Type::document, evaluation.root().bytes());
      return Datum(root);
    }
    case Builtin::now: return Datum::of_date(evaluation.now_ms());
    case Builtin::remove: break;
  }
  return {};
}

Datum Path::below(Evaluation& evaluation, const Datum& value) const {
  if (names_.empty()) return value;
  return step(evaluation, value, 0);
}

Datum Path::step(Evaluation& evaluation, const Datum& value, std::size_t index) const {
  if (value.is(Type::document)) {
    const auto found = value.as_document().find(names_[index]);
    if (!found) return {};
    return index + 1 == names_.size() ? Datum(*found) : step(evaluation, Datum(*found), index + 1);
  }
  if (!value.is_array()) return {};
  // Only the array's objects are looked into; arrays in it are not.
  ArenaVector<Datum> found(evaluation.arena());
  for_each_element(value, [&](const Datum& item) {
    if (!item.is(Type::document)) return true;
    const Datum inner = step(evaluation, item, index);
    if (!inner.missing()) found.push_back(inner);
    return true;
  });
  return Datum::of_list(found.span());
}

Datum ArrayNode::evaluate(Evaluation& evaluation) const {
  Datum* values = evaluation.arena().allocate_array<Datum>(items_.size());
  for (std::size_t i = 0; i < items_.size(); ++i) {
    values[i] = items_[i]->evaluate(evaluation);
    if (values[i].missing()) values[i] = Datum::null();
  }
  return Datum::of_list({values, items_.size()});
}

namespace {

Datum document_of(Evaluation& evaluation, bson::Builder&& out) {
  const bson::Document document = std::move(out).finish();
  return Datum::of_bytes(evaluation.arena(), Type::document, document.bytes());
}

}  // namespace

Datum ObjectNode::evaluate(Evaluation& evaluation) const {
  bson::Builder out;
  for (const auto& [name, node] : fields_) {
    const Datum value = node->evaluate(evaluation);
    if (!value.missing()) append_to(out, name, value);
  }
  return document_of(evaluation, std::move(out));
}

Datum LetNode::evaluate(Evaluation& evaluation) const {
  for (const auto& [slot, node] : variables_) {
    evaluation.set_variable(slot, node->evaluate(evaluation));
  }
  return in_->evaluate(evaluation);
}

Datum MapNode::evaluate(Evaluation& evaluation) const {
  const Datum input = loop_.input->evaluate(evaluation);
  if (input.nullish()) return Datum::null();
  if (!input.is_array()) return wrong_type(evaluation, "input to $map must be an array not", input);
  ArenaVector<Datum> results(evaluation.arena());
  for_each_element(input, [&](const Datum& item) {
    evaluation.set_variable(loop_.variable, item);
    const Datum result = loop_.body->evaluate(evaluation);
    results.push_back(result.missing() ? Datum::null() : result);
    return !evaluation.failed();
  });
  return Datum::of_list(results.span());
}

Datum FilterNode::evaluate(Evaluation& evaluation) const {
  const Datum input = loop_.input->evaluate(evaluation);
  if (input.nullish()) return Datum::null();
  if (!input.is_array()) {
    return wrong_type(evaluation, "input to $filter must be an array not", input);
  }
  std::int64_t limit = INT32_MAX;
  if (loop_.other != nullptr) {
    const Datum given = loop_.other->evaluate(evaluation);
    if (!given.nullish()) {
      std::array<std::uint8_t, 8> scratch;
      const auto whole = given.is_number() ? given.view(scratch).integral() : std::nullopt;
      if (!whole || *whole < 1 || *whole > INT32_MAX) {
        return evaluation.fail("$filter: limit must be a positive 32-bit integer");
      }
      limit = *whole;
    }
  }
  ArenaVector<Datum> kept(evaluation.arena());
  for_each_element(input, [&](const Datum& item) {
    evaluation.set_variable(loop_.variable, item);
    if (loop_.body->evaluate(evaluation).truthy()) kept.push_back(item);
    return !evaluation.failed() && static_cast<std::int64_t>(kept.size()) < limit;
  });
  return Datum::of_list(kept.span());
}

Datum ReduceNode::evaluate(Evaluation& evaluation) const {
  const Datum input = loop_.input->evaluate(evaluation);
  if (input.nullish()) return Datum::null();
  if (!input.is_array()) return wrong_type(evaluation, "$reduce requires an array, found", input);
  Datum value = loop_.other->evaluate(evaluation);
  for_each_element(input, [&](const Datum& item) {
    evaluation.set_variable(loop_.variable, item);
    evaluation.set_variable(loop_.value_variable, value);
    value = loop_.body->evaluate(evaluation);
    return !evaluation.failed();
  });
  return value;
}

Datum SwitchNode::evaluate(Evaluation& evaluation) const {
  for (const auto& [condition, result] : branches_) {
    if (condition->evaluate(evaluation).truthy()) return result->evaluate(evaluation);
  }
  if (otherwise_ != nullptr) return otherwise_->evaluate(evaluation);
  return evaluation.fail(
      "$switch could not find a matching branch for an input, and no default was specified");
}

RegexMatchNode::RegexMatchNode(NodePointer input, std::unique_ptr<re2::RE2> pattern)
    : input_(std::move(input)), pattern_(std::move(pattern)) {}
RegexMatchNode::~RegexMatchNode() = default;

Datum RegexMatchNode::evaluate(Evaluation& evaluation) const {
  const Datum input = input_->evaluate(evaluation);
  if (input.nullish()) return Datum::of_bool(false);
  if (!input.is(Type::string)) {
    return wrong_type(evaluation, "$regexMatch needs 'input' to be of type string, found", input);
  }
  const std::string_view text = input.as_string();
  return Datum::of_bool(
      re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern_));
}

Datum GetFieldNode::evaluate(Evaluation& evaluation) const {
  const Datum input = input_->evaluate(evaluation);
  if (input.is(Type::document)) {
    const auto found = input.as_document().find(name_);
    return found ? Datum(*found) : Datum();
  }
  // Documented: missing gives missing, null gives null, another type gives missing.
  return input.is(Type::null) || input.is(Type::undefined) ? Datum::null() : Datum();
}

Datum MergeObjectsNode::evaluate(Evaluation& evaluation) const {
  ArenaVector<Datum> documents(evaluation.arena());
  for (const NodePointer& item : items_) {
    const Datum value = item->evaluate(evaluation);
    if (items_.size() == 1 && value.is_array()) {
      for_each_element(value, [&](const Datum& inner) { return documents.push_back(inner), true; });
    } else {
      documents.push_back(value);
    }
  }
  std::vector<bson::Element> fields;
  for (const Datum& document : documents.span()) {
    if (document.nullish()) continue;
    if (!document.is(Type::document)) {
      return wrong_type(evaluation, "$mergeObjects requires object inputs, but input is of type",
                        document);
    }
    for (const bson::Element& element : document.as_document()) {
      auto at = fields.begin();
      while (at != fields.end() && at->name != element.name) ++at;
      if (at == fields.end()) {
        fields.push_back(element);
      } else {
        at->value = element.value;
      }
    }
  }
  bson::Builder out;
  for (const bson::Element& field : fields) out.append(field.name, field.value);
  return document_of(evaluation, std::move(out));
}

}  // namespace holdfast::profile

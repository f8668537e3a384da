#include "bson/mutable_tree.h"

#include "bson/builder.h"

namespace holdfast::bson {

namespace {

/// Below these an index costs more than it saves.
constexpr std::size_t fields_worth_an_index = 32;
constexpr std::size_t searches_worth_an_index = 16;

ValueView null_value() { return {Type::null, {}}; }

void write(Builder& out, const MutableTree::Container& container) {
  std::size_t position = 0;
  for (const auto& field : container.fields) {
    if (field.removed) continue;
    std::string position_name;
    std::string_view name = field.name;
    if (container.is_array && name.empty()) {
      position_name = array_index_name(position);
      name = position_name;
    }
    ++position;
    if (!field.opened) {
      out.append(name, field.value);
      continue;
    }
    if (field.opened->is_array) {
      out.begin_array(name);
    } else {
      out.begin_document(name);
    }
    write(out, *field.opened);
    out.end();
  }
}

}  // namespace

MutableTree::Container::Container(ValueView value) : is_array(value.type() == Type::array) {
  for (const auto& element : value.as_document()) {
    fields.push_back(Field{element.name, element.value, nullptr, false});
  }
}

void MutableTree::Container::build_index() {
  indexed_ = true;
  for (std::size_t at = 0; at < fields.size(); ++at) {
    if (fields[at].removed) continue;
    if (!index_.emplace(fields[at].name, at).second) repeats_names_ = true;
  }
}

MutableTree::Field* MutableTree::Container::find(std::string_view name) {
  if (!indexed_ && fields.size() >= fields_worth_an_index &&
      ++searches_ > searches_worth_an_index) {
    build_index();
  }
  if (indexed_ && !repeats_names_) {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &fields[found->second];
  }
  for (auto& field : fields) {
    if (!field.removed && field.name == name) return &field;
  }
  return nullptr;
}

void MutableTree::Container::append(std::string_view name, ValueView value) {
  if (indexed_ && !index_.emplace(name, fields.size()).second) repeats_names_ = true;
  fields.push_back(Field{name, value, nullptr, false});
}

void MutableTree::Container::remove(Field& field) {
  field.removed = true;
  field.opened.reset();
  if (indexed_) index_.erase(field.name);
}

MutableTree::MutableTree(DocumentView document)
    : root_(ValueView(Type::document, document.bytes())) {}

MutableTree::Container* MutableTree::open(Field& field) {
  if (field.opened) return field.opened.get();
  if (field.value.type() != Type::document && field.value.type() != Type::array) return nullptr;
  field.opened = std::make_unique<Container>(field.value);
  field.value = null_value();
  return field.opened.get();
}

Document MutableTree::build() const {
  Builder out;
  write(out, root_);
  return std::move(out).finish();
}

}  // namespace holdfast::bson

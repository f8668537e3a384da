#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bson/document.h"

namespace holdfast::bson {

/// A document under edit. Containers are taken apart only where an edit goes through them; all
/// else stays a view into the bytes that it came from, which must outlive the tree.
/// Not thread-safe.
class MutableTree {
 public:
  struct Container;

  struct Field {
    /// Empty for elements that were added to an array: they are named by their position.
    std::string_view name;
    ValueView value;
    /// Takes the place of `value` once something inside it was edited.
    std::unique_ptr<Container> opened;
    bool removed = false;
  };

  /// A document or array that was taken apart.
  struct Container {
    bool is_array = false;
    /// Fields that this container did not have before.
    std::size_t added = 0;
    std::vector<Field> fields;

    explicit Container(ValueView value);
    /// The first field of that name that is not removed.
    [[nodiscard]] Field* find(std::string_view name);
    void append(std::string_view name, ValueView value);
    void remove(Field& field);

   private:
    void build_index();
    /// Position by name, made when linear searches begin to cost.
    std::unordered_map<std::string_view, std::size_t> index_;
    std::size_t searches_ = 0;
    bool indexed_ = false;
    bool repeats_names_ = false;
  };

  explicit MutableTree(DocumentView document);

  [[nodiscard]] Container& root() { return root_; }
  /// The container at `field`, or nullptr if it is neither a document nor an array.
  [[nodiscard]] static Container* open(Field& field);
  [[nodiscard]] Document build() const;

 private:
  Container root_;
};

}  // namespace holdfast::bson

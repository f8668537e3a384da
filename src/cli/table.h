#pragma once

#include <string>
#include <vector>

#include "base/text.h"

namespace holdfast::cli {

/// Columns of text, aligned by the width that a terminal gives them. Cells may hold anything: they
/// are made safe for terminals, and right-to-left names stay in their column.
class Table {
 public:
  struct Column {
    std::string heading;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Requires as many cells as columns.
  void add_row(const std::vector<std::string>& cells);
  /// Heading and rows, each with `indent` spaces before it and a line break behind it. Columns
  /// without a single cell are left out.
  [[nodiscard]] std::string text(std::size_t indent = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace holdfast::cli

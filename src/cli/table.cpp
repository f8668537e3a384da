#include "cli/table.h"

#include <algorithm>
#include <cassert>

namespace holdfast::cli {

void Table::add_row(const std::vector<std::string>& cells) {
  assert(cells.size() == columns_.size());
  std::vector<std::string> row;
  row.reserve(cells.size());
  for (const std::string& cell : cells) row.push_back(sanitize_for_terminal(cell));
  rows_.push_back(std::move(row));
}

std::string Table::text(std::size_t indent) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  std::size_t last = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    for (const auto& row : rows_) widths[i] = std::max(widths[i], display_width(row[i]));
    if (widths[i] == 0) continue;
    widths[i] = std::max(widths[i], display_width(columns_[i].heading));
    last = i;
  }
  const auto line = [&](const auto& cell_at) {
    std::string out(indent, ' ');
    for (std::size_t i = 0; i <= last && i < columns_.size(); ++i) {
      if (widths[i] == 0) continue;
      // Spaces at the end of a line help nobody.
      const bool open_end = i == last && columns_[i].align == Align::left;
      out += pad_to_width(cell_at(i), open_end ? 0 : widths[i], columns_[i].align);
      if (i != last) out += "  ";
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string out = line([&](std::size_t i) { return columns_[i].heading; });
  for (const auto& row : rows_) {
    out += line([&](std::size_t i) { return row[i]; });
  }
  return out;
}

}  // namespace holdfast::cli

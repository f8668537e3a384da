#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "bson/builder.h"
#include "bson/json_text.h"
#include "interop/buffered_input.h"
#include "interop/csv_column.h"
#include "interop/dump_metadata.h"
#include "interop/text_records.h"

namespace holdfast::interop {

namespace {

/// More columns than any table has; each costs memory for every row.
constexpr std::size_t max_columns = 100'000;
constexpr std::size_t first_look_bytes = 64U * 1024;

struct Row {
  std::vector<std::string> cells;
  std::size_t length = 0;  ///< With its line break.
  std::string reason;      ///< Why it is none, or empty.
};

/// Takes the first row of `text` apart; nothing if it does not end in there and more may come.
std::optional<Row> take_row(std::string_view text, char separator, bool all_there) {
  // TSV knows no quotes.
  const bool quotes = separator != '\t';
  Row row;
  std::string cell;
  std::size_t i = 0;
  while (true) {
    if (i >= text.size()) {
      if (!all_there) return std::nullopt;
      break;
    }
    if (quotes && text[i] == '"' && cell.empty()) {
      ++i;
      while (true) {
        const auto quote = text.find('"', i);
        if (quote == std::string_view::npos) {
          if (!all_there) return std::nullopt;
          row.reason = "a quoted cell has no end";
          row.length = text.size();
          return row;
        }
        cell += text.substr(i, quote - i);
        i = quote + 1;
        if (i >= text.size() && !all_there) return std::nullopt;
        if (i < text.size() && text[i] == '"') {
          cell += '"';
          ++i;
          continue;
        }
        break;
      }
      if (i < text.size() && text[i] != separator && text[i] != '\n' && text[i] != '\r') {
        row.reason = "something stands behind a quoted cell";
      }
      if (i >= text.size()) continue;
    }
    const char letter = text[i++];
    if (letter == separator) {
      row.cells.push_back(std::exchange(cell, {}));
    } else if (letter == '\n') {
      break;
    } else if (letter == '\r' && (i >= text.size() || text[i] == '\n')) {
      if (i >= text.size() && !all_there) return std::nullopt;
    } else {
      cell += letter;
    }
  }
  row.cells.push_back(std::move(cell));
  row.length = i;
  return row;
}

/// A document in the making, whose fields may be documents.
struct Node {
  std::string name;
  std::vector<Node> fields;
  std::optional<bson::Value> value;

  Node& at(const std::string& wanted) {
    for (Node& node : fields) {
      if (node.name == wanted) return node;
    }
    Node& added = fields.emplace_back();
    added.name = wanted;
    return added;
  }
  void build(bson::Builder& builder) const {
    for (const Node& node : fields) {
      if (node.value) {
        builder.append(node.name, node.value->view());
      } else {
        builder.begin_document(node.name);
        node.build(builder);
        builder.end();
      }
    }
  }
};

class CsvReader {
 public:
  CsvReader(std::unique_ptr<ByteSource> source, Shelf& shelf, const TextReadOptions& options,
            const CsvReadOptions& csv)
      : input_(std::move(source)), shelf_(shelf), options_(options), csv_(csv) {}

  Status run() {
    HOLDFAST_TRY(collection_, shelf_.add_collection(bare_collection(options_.ns)));
    std::vector<std::string> names = csv_.fields;
    if (names.empty()) {
      HOLDFAST_TRY(const auto header, next_row());
      if (!header) return Error(ErrorCode::corrupt, "the first line should name the columns");
      names = header->cells;
    }
    HOLDFAST_CHECK(set_columns(names));
    while (true) {
      const std::uint64_t line = line_;
      HOLDFAST_TRY(const auto row, next_row());
      if (!row) return {};
      // An empty line is no record.
      if (row->reason.empty() && row->cells.size() == 1 && row->cells.front().empty()) continue;
      HOLDFAST_CHECK(store(*row, line));
    }
  }

 private:
  Status set_columns(const std::vector<std::string>& names) {
    if (names.size() > max_columns) return Error(ErrorCode::corrupt, "there are too many columns");
    for (const std::string& name : names) {
      HOLDFAST_TRY(CsvColumn column, parse_csv_column(name));
      for (const CsvColumn& other : columns_) {
        const std::size_t common = std::min(other.path.size(), column.path.size());
        if (std::equal(other.path.begin(), other.path.begin() + static_cast<std::ptrdiff_t>(common),
                       column.path.begin())) {
          return Error(ErrorCode::usage, fmt::format("two columns set '{}'", name));
        }
      }
      columns_.push_back(std::move(column));
    }
    return {};
  }

  Result<std::optional<Row>> next_row() {
    std::size_t look = first_look_bytes;
    while (true) {
      HOLDFAST_TRY(const ByteView seen, input_.ahead(look));
      if (seen.empty()) return std::optional<Row>();
      const bool all_there = seen.size() < look;
      std::string_view text = as_text(seen);
      constexpr std::string_view mark = "\xef\xbb\xbf";
      if (input_.offset() == 0 && text.starts_with(mark)) {
        input_.consume(mark.size());
        continue;
      }
      auto row = take_row(text, csv_.separator, all_there);
      if (row) {
        line_ += static_cast<std::uint64_t>(std::count(
            text.begin(), text.begin() + static_cast<std::ptrdiff_t>(row->length), '\n'));
        input_.consume(row->length);
        return row;
      }
      if (look >= max_record_bytes) {
        return Error(ErrorCode::corrupt,
                     fmt::format("line {}: a row longer than any document", line_));
      }
      look = std::min(look * 4, max_record_bytes);
    }
  }

  Status store(const Row& row, std::uint64_t line) {
    const auto document = build(row);
    if (!document.ok()) return options_.on_bad_record({line, document.error().message()});
    return shelf_.append(collection_, document->bytes(), 0);
  }

  Result<bson::Document> build(const Row& row) {
    if (!row.reason.empty()) return Error(ErrorCode::usage, row.reason);
    if (row.cells.size() != columns_.size()) {
      return Error(ErrorCode::usage,
                   fmt::format("{} cells for {} columns", row.cells.size(), columns_.size()));
    }
    Node root;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const CsvColumn& column = columns_[i];
      if (row.cells[i].empty() && csv_.ignore_blanks) continue;
      auto value = parse_cell(column, row.cells[i]);
      if (!value.ok())
        return value.error().with_context(fmt::format("{}", fmt::join(column.path, ".")));
      Node* node = &root;
      for (const std::string& name : column.path) node = &node->at(name);
      node->value = std::move(*value);
    }
    bson::Builder builder;
    const bool has_id = std::any_of(root.fields.begin(), root.fields.end(),
                                    [](const auto& field) { return field.name == "_id"; });
    if (!has_id && options_.ids != nullptr) {
      builder.append_object_id("_id", options_.ids->next());
    }
    root.build(builder);
    bson::Document document = std::move(builder).finish();
    if (document.bytes().size() > bson::max_document_bytes) {
      return Error(ErrorCode::usage, "it is larger than a document may be");
    }
    return document;
  }

  BufferedInput input_;
  Shelf& shelf_;
  const TextReadOptions& options_;
  const CsvReadOptions& csv_;
  std::vector<CsvColumn> columns_;
  std::size_t collection_ = 0;
  std::uint64_t line_ = 1;
};

}  // namespace

Status read_csv(std::unique_ptr<ByteSource> source, Shelf& shelf, const TextReadOptions& options,
                const CsvReadOptions& csv) {
  CsvReader reader(std::move(source), shelf, options, csv);
  HOLDFAST_CHECK(reader.run());
  return shelf.seal();
}

}  // namespace holdfast::interop

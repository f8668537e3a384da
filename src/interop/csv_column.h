#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bson/document.h"

namespace holdfast::interop {

/// A column of CSV or TSV: where its cells go, and what they are.
struct CsvColumn {
  enum class Kind {
    string,
    int32,
    int64,
    float64,
    decimal,
    boolean,
    date,
    date_ms,
    binary_base64,
    binary_hex,
    object_id,
    automatic,
  };
  std::vector<std::string> path;
  Kind kind = Kind::string;
};

/// "name" or "name.type(argument)", as mongoimport's --columnsHaveTypes writes it. Errors: usage.
[[nodiscard]] Result<CsvColumn> parse_csv_column(std::string_view text);

/// The cell as a value of that type, exactly. Errors: usage (it is none), with the reason.
[[nodiscard]] Result<bson::Value> parse_cell(const CsvColumn& column, std::string_view cell);

}  // namespace holdfast::interop

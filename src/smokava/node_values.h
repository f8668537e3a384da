#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "bson/builder.h"

/// Values as Mongoose and the Node driver write them.
namespace holdfast::smokava {

using Documents = std::vector<bson::Document>;

/// A JavaScript number: int32 where it fits, else a double (the Node driver makes no int64).
inline void append_number(bson::Builder& out, std::string_view name, std::int64_t value) {
  if (value >= std::numeric_limits<std::int32_t>::min() &&
      value <= std::numeric_limits<std::int32_t>::max()) {
    out.append_int32(name, static_cast<std::int32_t>(value));
  } else {
    out.append_double(name, static_cast<double>(value));
  }
}

/// "0", "1", … without an allocation for the usual lengths of arrays.
inline std::string_view index_name(std::size_t index) {
  static const auto names = [] {
    std::vector<std::string> list;
    for (std::size_t i = 0; i < 100'000; ++i) list.push_back(std::to_string(i));
    return list;
  }();
  if (index < names.size()) return names[index];
  thread_local std::string name;
  name = std::to_string(index);
  return name;
}

}  // namespace holdfast::smokava

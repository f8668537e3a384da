#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "bson/document.h"

/// What shredding (docs/format/repository.md, "Shredded blocks") and its reverse share.
namespace holdfast::repository::shred {

/// How the values of one column are kept.
enum class ColumnClass : std::uint8_t {
  none = 0,    ///< The type says it all (null, minKey, …).
  bytes = 1,   ///< Lengths and bytes.
  fixed1 = 2,  ///< Numbers of that many bytes, in planes: all first bytes, all second, …
  fixed4 = 3,
  fixed8 = 4,
  fixed16 = 5,
  object_id = 6,  ///< References to ids met before, and new ids as differences.
};

[[nodiscard]] constexpr ColumnClass class_of(bson::Type type) {
  switch (type) {
    case bson::Type::boolean: return ColumnClass::fixed1;
    case bson::Type::int32: return ColumnClass::fixed4;
    case bson::Type::float64:
    case bson::Type::int64:
    case bson::Type::date:
    case bson::Type::timestamp: return ColumnClass::fixed8;
    case bson::Type::decimal128: return ColumnClass::fixed16;
    case bson::Type::object_id: return ColumnClass::object_id;
    case bson::Type::null:
    case bson::Type::undefined:
    case bson::Type::min_key:
    case bson::Type::max_key:
    case bson::Type::document:
    case bson::Type::array: return ColumnClass::none;
    default: return ColumnClass::bytes;
  }
}

[[nodiscard]] constexpr std::size_t width_of(ColumnClass column) {
  switch (column) {
    case ColumnClass::fixed1: return 1;
    case ColumnClass::fixed4: return 4;
    case ColumnClass::fixed8: return 8;
    case ColumnClass::fixed16: return 16;
    case ColumnClass::object_id: return 2;
    default: return 0;
  }
}

inline constexpr std::size_t object_id_bytes = 12;
/// A reference 0 means: a new id follows. So many ids are remembered in a block.
inline constexpr std::size_t max_known_ids = 16'383;
/// With more columns a block is not shredded.
inline constexpr std::size_t max_columns = 4096;
/// Column 0 keeps the positions of put_at.
inline constexpr std::size_t position_column = 0;
/// Array events: elements of several types or names (then a shape follows), or none; any other
/// value is the type that all elements have, followed by their number.
inline constexpr std::uint8_t mixed_array = 0x00;
inline constexpr std::uint8_t empty_array = 0xfe;
/// Ends the definition of a shape.
inline constexpr std::uint8_t shape_end = 0x00;

[[nodiscard]] inline std::uint64_t zigzag(std::uint64_t value) {
  return (value << 1U) ^ (0 - (value >> 63U));
}
[[nodiscard]] inline std::uint64_t unzigzag(std::uint64_t value) {
  return (value >> 1U) ^ (0 - (value & 1U));
}
[[nodiscard]] inline std::uint32_t zigzag32(std::uint32_t value) {
  return (value << 1U) ^ (0 - (value >> 31U));
}
[[nodiscard]] inline std::uint32_t unzigzag32(std::uint32_t value) {
  return (value >> 1U) ^ (0 - (value & 1U));
}
/// The same for 24 bits.
[[nodiscard]] inline std::uint32_t zigzag24(std::uint32_t value) {
  const std::uint32_t extended = (value & 0x800000U) != 0 ? value | 0xff000000U : value & 0xffffffU;
  return zigzag32(extended) & 0xffffffU;
}
[[nodiscard]] inline std::uint32_t unzigzag24(std::uint32_t value) {
  return unzigzag32(value) & 0xffffffU;
}

/// An ObjectId (https://www.mongodb.com/docs/manual/reference/bson-types/#objectid): seconds and
/// a counter count up, so differences are small; what lies between is random but stays.
struct ObjectIdParts {
  std::uint32_t seconds = 0;
  std::uint64_t random = 0;  ///< Five bytes, the first one lowest.
  std::uint32_t counter = 0;

  static constexpr std::uint64_t random_mask = 0xff'ffff'ffffU;

  [[nodiscard]] static ObjectIdParts read(const std::uint8_t* at) {
    const auto tail = load_little_endian<std::uint64_t>(at + 4);
    return {__builtin_bswap32(load_little_endian<std::uint32_t>(at)), tail & random_mask,
            __builtin_bswap32(static_cast<std::uint32_t>(tail >> 40U)) >> 8U};
  }
  void write(std::uint8_t* at) const {
    const std::uint32_t head = __builtin_bswap32(seconds);
    const std::uint64_t tail = random | (std::uint64_t{__builtin_bswap32(counter << 8U)} << 40U);
    std::memcpy(at, &head, sizeof(head));
    std::memcpy(at + sizeof(head), &tail, sizeof(tail));
  }
  /// As a column keeps a new id: what changed since `last`.
  void write_difference(const ObjectIdParts& last, std::uint8_t* at) const {
    const std::uint32_t head = zigzag32(seconds - last.seconds);
    const std::uint64_t tail =
        (random ^ last.random) | (std::uint64_t{zigzag24(counter - last.counter)} << 40U);
    std::memcpy(at, &head, sizeof(head));
    std::memcpy(at + sizeof(head), &tail, sizeof(tail));
  }
  void add_difference(const std::uint8_t* at) {
    const auto tail = load_little_endian<std::uint64_t>(at + 4);
    seconds += unzigzag32(load_little_endian<std::uint32_t>(at));
    random ^= tail & random_mask;
    counter = (counter + unzigzag24(static_cast<std::uint32_t>(tail >> 40U))) & 0xffffffU;
  }
  /// Milliseconds, as dates count.
  [[nodiscard]] std::uint64_t milliseconds() const { return std::uint64_t{seconds} * 1000; }
};

}  // namespace holdfast::repository::shred

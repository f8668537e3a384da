#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "base/bytes.h"

namespace holdfast::smokava {

struct ObjectId {
  std::array<std::uint8_t, 12> bytes{};
  operator ByteView() const { return bytes; }
  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
};

/// Occasions on which ids are made. Documents that one request makes share an occasion: their ids
/// come from one process, one after the other.
enum class IdKind : std::uint64_t {
  admin,
  role,
  restaurant,
  offer,
  user,  ///< the user, then up to three roles
  follow_request,
  purchase,  ///< the userpackage, then its transaction
  payment,   ///< up to four payments of a purchase
  settlement,
  rating,
  post,
  comment,
  moderation_log,
};

/// ObjectIds as half a dozen server processes make them that are restarted every few weeks: four
/// bytes of time, five random bytes for each process, and a counter that starts anywhere and goes
/// on within the process (https://www.mongodb.com/docs/manual/reference/bson-types/#objectid).
/// Unique within a kind. Immutable.
class ObjectIdFactory {
 public:
  /// `ids_per_year`: about how many ids all processes make together. `redemptions`: indexes of
  /// redemptions stay below it.
  ObjectIdFactory(std::uint64_t seed, std::int64_t start_second, std::uint64_t ids_per_year,
                  std::uint64_t redemptions);

  /// `place`: which of the ids of that occasion. Requires that `second` depends on the arguments
  /// alone, and that no indexes of one second lie some ten millions apart.
  [[nodiscard]] ObjectId make(IdKind kind, std::uint64_t index, std::int64_t second,
                              std::uint64_t place = 0) const;
  /// The id of a redemption. Counters follow time, as those of ids made by the hundred million
  /// do; unique because a redemption happens in its own second of an hour.
  [[nodiscard]] ObjectId make_redemption(std::uint64_t index, std::int64_t second) const;
  /// The second of the hour (0 … 3599) in which redemption `index` happens.
  [[nodiscard]] std::int64_t redemption_second(std::uint64_t index) const;

 private:
  struct Process {
    std::uint64_t random;
    std::uint64_t first_counter;
  };
  [[nodiscard]] Process process_at(std::uint64_t worker, std::int64_t second) const;
  [[nodiscard]] static ObjectId assemble(std::int64_t second, const Process& process,
                                         std::uint64_t counter);

  std::uint64_t seed_;
  std::int64_t start_second_;
  std::uint64_t ids_per_year_;
  /// How far counters of redemptions in the same second may lie apart.
  std::uint64_t scatter_;
};

}  // namespace holdfast::smokava

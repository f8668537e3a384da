#include "smokava/object_ids.h"

#include "smokava/dice.h"

namespace holdfast::smokava {
namespace {

constexpr std::uint64_t workers = 6;
constexpr std::int64_t shortest_life_seconds = 14LL * 86'400;
constexpr std::uint64_t longest_extra_life_seconds = 30ULL * 86'400;
constexpr std::uint64_t year_seconds = 365ULL * 86'400;

constexpr std::uint64_t seconds_of_hour = 3600;
/// Shares no factor with 3600, so neighbouring indexes fall far apart and none falls together.
constexpr std::uint64_t second_step = 1657;

/// How far a process's counter goes from one index to the next, powers of two: about as many ids
/// as all occasions together make meanwhile; and how many ids one occasion makes.
struct Counting {
  std::uint64_t step;
  std::uint64_t places;
};

constexpr Counting counting_of(IdKind kind) {
  switch (kind) {
    case IdKind::admin:
    case IdKind::restaurant:
    case IdKind::offer:
    case IdKind::settlement: return {64, 1};
    case IdKind::user: return {8, 4};
    case IdKind::purchase: return {4, 2};
    case IdKind::payment: return {8, 4};
    case IdKind::post: return {8, 1};
    case IdKind::role:
    case IdKind::follow_request:
    case IdKind::rating:
    case IdKind::comment:
    case IdKind::moderation_log: break;
  }
  return {1, 1};
}

}  // namespace

ObjectIdFactory::ObjectIdFactory(std::uint64_t seed, std::int64_t start_second,
                                 std::uint64_t ids_per_year, std::uint64_t redemptions)
    : seed_(seed),
      start_second_(start_second),
      ids_per_year_(ids_per_year),
      scatter_(redemptions / (seconds_of_hour * workers) + 1) {}

ObjectIdFactory::Process ObjectIdFactory::process_at(std::uint64_t worker,
                                                     std::int64_t second) const {
  const auto habit = hash_of(seed_, Topic::process, worker);
  const auto life = static_cast<std::uint64_t>(shortest_life_seconds) +
                    (habit >> 32U) % longest_extra_life_seconds;
  const auto phase = (habit & 0xffffffffU) % life;
  const auto generation = (static_cast<std::uint64_t>(second) + phase) / life;
  const auto random =
      hash_of(seed_, Topic::process, (generation * workers + worker) | (1ULL << 60U));
  return {random >> 24U, random & 0xffffffU};
}

ObjectId ObjectIdFactory::assemble(std::int64_t second, const Process& process,
                                   std::uint64_t counter) {
  ObjectId id;
  for (unsigned i = 0; i < 4; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(second) >> (24U - 8U * i));
  }
  for (unsigned i = 0; i < 5; ++i) {
    id.bytes[4 + i] = static_cast<std::uint8_t>(process.random >> (32U - 8U * i));
  }
  const auto value = process.first_counter + counter;
  for (unsigned i = 0; i < 3; ++i) {
    id.bytes[9 + i] = static_cast<std::uint8_t>(value >> (16U - 8U * i));
  }
  return id;
}

ObjectId ObjectIdFactory::make(IdKind kind, std::uint64_t index, std::int64_t second,
                               std::uint64_t place) const {
  const auto habit = counting_of(kind);
  const auto base = seed_ ^ (static_cast<std::uint64_t>(kind) << 56U);
  // Where the counter comes round to the same number, another worker has the turn.
  const auto period = (std::uint64_t{1} << 24U) / habit.step;
  const auto worker = (scramble(base ^ (index % period)) + index / period) % workers;
  // Other requests' ids come in between.
  const auto skipped = (scramble(base ^ index) >> 32U) % (habit.step - habit.places + 1);
  return assemble(second, process_at(worker, second), index * habit.step + skipped + place);
}

std::int64_t ObjectIdFactory::redemption_second(std::uint64_t index) const {
  return static_cast<std::int64_t>((index % seconds_of_hour * second_step + seed_ % 997) %
                                   seconds_of_hour);
}

ObjectId ObjectIdFactory::make_redemption(std::uint64_t index, std::int64_t second) const {
  // Equal seconds mean equal index % 3600; then the counter differs, or else the worker.
  const auto period = seconds_of_hour * scatter_;
  const auto worker = (scramble(seed_ ^ (index % period)) + index / period) % workers;
  const auto elapsed = static_cast<std::uint64_t>(second - start_second_);
  const auto counter = multiply_divide(elapsed, ids_per_year_, year_seconds * workers) +
                       index / seconds_of_hour % scatter_;
  return assemble(second, process_at(worker, second), counter);
}

}  // namespace holdfast::smokava

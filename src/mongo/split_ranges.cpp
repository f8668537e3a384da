#include <algorithm>
#include <array>
#include <bit>

#include "bson/builder.h"
#include "bson/order.h"
#include "mongo/client_internal.h"
#include "mongo/command_cursor_internal.h"
#include "mongo/scan_internal.h"

// Why the ranges cover everything. The first and last `_id` are read after the window's start; a
// document that no event of the window touches stood between them then and stands there now.
// Their types are the same, so everything between is of that bracket (brackets are contiguous in
// the order), and $gte / $lt, which compare inside one bracket only, leave none of it out. The
// outermost ranges are open. ObjectIds and dates have a bracket of their own; strings share theirs
// with symbols, which compare with them by the same bytes; binary orders by length, then subtype,
// then bytes, so with both ends of one length and subtype everything between is of that length
// and subtype too.

namespace holdfast::mongo {
namespace {

// __extension__: a type that GCC and clang have, though ISO C++ has not.
__extension__ using Wide = unsigned __int128;

/// How many digits of a key are interpolated: 2^56 and more steps are plenty.
constexpr std::size_t digits = 8;
/// Binary subtype 2 repeats its length inside: not ours to construct.
constexpr std::uint8_t old_binary_subtype = 2;

/// low + (high - low) * part / parts, exactly.
std::uint64_t between(std::uint64_t low, std::uint64_t high, std::size_t part, std::size_t parts) {
  return low + static_cast<std::uint64_t>(static_cast<Wide>(high - low) * part / parts);
}

std::uint64_t big_endian(ByteView bytes, std::size_t from) {
  std::uint64_t number = 0;
  for (std::size_t at = from; at < from + digits; ++at) {
    number = (number << 8U) | (at < bytes.size() ? bytes[at] : 0U);
  }
  return number;
}

std::size_t common_prefix(ByteView a, ByteView b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shorter), b.begin()).first -
      a.begin());
}

/// `part` of `parts` between two byte strings of one length: the common prefix, eight digits, and
/// zeros.
Bytes bytes_between(ByteView first, ByteView last, std::size_t part, std::size_t parts) {
  const std::size_t prefix = common_prefix(first, last);
  std::uint64_t number = between(big_endian(first, prefix), big_endian(last, prefix), part, parts);
  Bytes key(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(prefix));
  key.resize(first.size(), 0);
  for (std::size_t at = prefix + digits; at-- > prefix;) {
    if (at < key.size()) key[at] = static_cast<std::uint8_t>(number);
    number >>= 8U;
  }
  return key;
}

/// ASCII letters that the ends are made of behind their common prefix, and the ranges that such
/// letters come from: hexadecimal and decimal digits are recognised as such.
std::string alphabet_of(std::string_view first, std::string_view last) {
  const std::string both = std::string(first) + std::string(last);
  const auto only = [&both](std::string_view letters) {
    return both.find_first_not_of(letters) == std::string::npos;
  };
  for (const std::string_view letters :
       {"0123456789", "0123456789abcdef", "0123456789ABCDEF", "-0123456789abcdef"}) {
    if (only(letters)) return std::string(letters);
  }
  std::string letters;
  for (char letter = ' '; letter != 0x7f; ++letter) letters.push_back(letter);
  return letters;
}

/// A string as a number whose digits are places in the alphabet (or the next place above).
std::uint64_t number_of(std::string_view text, std::string_view alphabet) {
  std::uint64_t number = 0;
  for (std::size_t at = 0; at < digits; ++at) {
    std::size_t place = 0;
    if (at < text.size()) {
      const auto letter = static_cast<unsigned char>(text[at]);
      while (place < alphabet.size() && static_cast<unsigned char>(alphabet[place]) < letter) {
        ++place;
      }
      ++place;  // 0 means: the string ends here.
    }
    number = number * (alphabet.size() + 2) + place;
  }
  return number;
}

std::string text_of(std::uint64_t number, std::string_view alphabet) {
  std::array<std::size_t, digits> places{};
  for (std::size_t at = digits; at-- > 0;) {
    places[at] = static_cast<std::size_t>(number % (alphabet.size() + 2));
    number /= alphabet.size() + 2;
  }
  std::string text;
  for (const std::size_t place : places) {
    if (place == 0) break;
    text.push_back(alphabet[std::min(place, alphabet.size()) - 1]);
  }
  return text;
}

std::string string_between(std::string_view first, std::string_view last, std::size_t part,
                           std::size_t parts) {
  std::size_t prefix = common_prefix(as_bytes(first), as_bytes(last));
  // Keep the prefix whole characters, so that the key is UTF-8 if the ends are.
  const auto continues = [&first](std::size_t at) {
    return at < first.size() && (static_cast<unsigned char>(first[at]) & 0xc0U) == 0x80U;
  };
  while (prefix > 0 &&
         (continues(prefix) ||
          (prefix < last.size() && (static_cast<unsigned char>(last[prefix]) & 0xc0U) == 0x80U))) {
    --prefix;
  }
  const std::string_view low = first.substr(prefix);
  const std::string_view high = last.substr(prefix);
  const std::string alphabet = alphabet_of(low, high);
  const std::uint64_t number =
      between(number_of(low, alphabet), number_of(high, alphabet), part, parts);
  return std::string(first.substr(0, prefix)) + text_of(number, alphabet);
}

std::uint64_t unsigned_date(bson::ValueView value) {
  return std::bit_cast<std::uint64_t>(value.as_date()) ^ (std::uint64_t{1} << 63U);
}

bson::Document key_between(bson::ValueView first, bson::ValueView last, std::size_t part,
                           std::size_t parts) {
  bson::Builder builder;
  switch (first.type()) {
    case bson::Type::object_id:
      builder.append_object_id("", bytes_between(first.bytes(), last.bytes(), part, parts));
      break;
    case bson::Type::binary:
      builder.append_binary("", first.binary_subtype(),
                            bytes_between(first.binary_data(), last.binary_data(), part, parts));
      break;
    case bson::Type::date:
      builder.append_date("", std::bit_cast<std::int64_t>(
                                  between(unsigned_date(first), unsigned_date(last), part, parts) ^
                                  (std::uint64_t{1} << 63U)));
      break;
    default:
      builder.append_string("", string_between(first.as_string(), last.as_string(), part, parts));
  }
  return std::move(builder).finish();
}

bool can_be_split(bson::ValueView first, bson::ValueView last) {
  if (first.type() != last.type()) return false;
  switch (first.type()) {
    case bson::Type::object_id:
    case bson::Type::date:
    case bson::Type::string: return true;
    case bson::Type::binary:
      return first.binary_subtype() == last.binary_subtype() &&
             first.binary_subtype() != old_binary_subtype &&
             first.binary_data().size() == last.binary_data().size();
    default: return false;
  }
}

Result<std::optional<bson::Value>> outermost_id(DriverClient& client, const Namespace& ns,
                                                std::int32_t direction,
                                                const ScanOptions& options) {
  bson::Builder command;
  command.append_string("find", ns.collection);
  command.begin_document("sort").append_int32("_id", direction).end();
  command.begin_document("projection").append_int32("_id", 1).end();
  command.append_int64("limit", 1).append_bool("singleBatch", true);
  if (const bson::Document concern = read_concern(options.not_before); !concern.view().empty()) {
    command.append_document("readConcern", concern.view());
  }
  const bson::Document document = std::move(command).finish();
  HOLDFAST_TRY(const auto cursor, CommandCursor::open(client, ns.database, document.view()));
  HOLDFAST_TRY(const auto found, cursor->next_in_batch());
  const auto id = found ? found->find("_id") : std::nullopt;
  return id ? std::optional(bson::Value(*id)) : std::nullopt;
}

std::vector<KeyRange> ranges_between(const std::vector<bson::Value>& keys) {
  std::vector<KeyRange> ranges(1);
  for (const bson::Value& key : keys) {
    ranges.back().upper = key;
    ranges.push_back({key, std::nullopt});
  }
  return ranges;
}

}  // namespace

std::vector<bson::Value> interpolate_keys(bson::ValueView first, bson::ValueView last,
                                          std::size_t parts) {
  std::vector<bson::Value> keys;
  if (!can_be_split(first, last) || !bson::less(first, last)) return keys;
  for (std::size_t part = 1; part < parts; ++part) {
    const bson::Document holder = key_between(first, last, part, parts);
    const bson::ValueView key = holder.view().begin()->value;
    const bson::ValueView before = keys.empty() ? first : keys.back().view();
    // Rounding may repeat a key or leave the ends; what is left out makes a range longer.
    if (bson::less(before, key) && bson::less(key, last)) keys.emplace_back(key);
  }
  return keys;
}

Result<std::vector<KeyRange>> split_ranges(Client& client, const CollectionInfo& collection,
                                           std::size_t parts, const ScanOptions& options) {
  std::vector<KeyRange> whole(1);
  if (parts < 2 || collection.capped() || collection.type != CollectionType::collection) {
    return whole;
  }
  DriverClient& driver = driver_of(client);
  const auto read_both = [&]() -> Result<std::vector<KeyRange>> {
    HOLDFAST_TRY(const auto first, outermost_id(driver, collection.ns, 1, options));
    HOLDFAST_TRY(const auto last, outermost_id(driver, collection.ns, -1, options));
    if (!first || !last) return whole;
    // A collated string's order is not that of its bytes.
    if (collection.collation() && first->view().type() == bson::Type::string) return whole;
    return ranges_between(interpolate_keys(first->view(), last->view(), parts));
  };
  Backoff backoff(60'000);
  for (;;) {
    auto ranges = read_both();
    if (ranges.ok() || ranges.error().code() != ErrorCode::retry || !backoff.wait()) {
      if (ranges.ok()) return ranges;
      return ranges.error().with_context("cannot split " + collection.ns.text());
    }
  }
}

}  // namespace holdfast::mongo

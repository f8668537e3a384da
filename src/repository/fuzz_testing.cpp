#include "repository/fuzz_testing.h"

#include <vector>

#include "repository/block_codec.h"
#include "repository/block_index.h"
#include "repository/checked_json.h"
#include "repository/entry_codec.h"
#include "repository/header.h"
#include "repository/key_file.h"
#include "repository/log_codec.h"
#include "repository/manifest_codec.h"
#include "repository/names.h"
#include "repository/object_envelope.h"
#include "repository/recovery_text.h"
#include "repository/segment_file_writer.h"

namespace holdfast::repository {
namespace {

std::string check_index(ByteView input) {
  const auto index = BlockIndex::decode(input, input.size() * 3);
  if (!index.ok()) return {};
  for (std::size_t at = 0; at < index->size(); ++at) {
    if (index->find(index->first_key(at)) != at) return "an index does not find its own key";
  }
  return {};
}

/// Entries that are accepted can be walked; their first key is promised by themselves.
std::string check_entry_bytes(ByteView input) {
  constexpr std::size_t least = 9 + 5;  // position and kind, and an empty document
  if (input.size() < least || input.front() < 1 || input.front() > 3) return {};
  ByteView first = input.subspan(input.front() == 3 ? 9 : 1);
  const auto size = bson::front_document_size(first);
  if (!size || !bson::validate_document(first.first(*size)).ok()) return {};
  ByteView rest = input;
  const KeyedEntry taken = take_entry(rest);
  const bson::Value key(taken.key);
  std::uint32_t count = 0;
  for (std::uint32_t entries = 1; entries < 5 && count == 0; ++entries) {
    const bson::Value top(bson::Type::max_key, {});
    if (check_entries(input, {entries, key.view(), top.view(), true}).ok()) count = entries;
  }
  if (count == 0) return {};
  std::uint32_t walked = 0;
  for (rest = input; !rest.empty(); ++walked) {
    static_cast<void>(take_entry(rest));
    if (walked > count) return "more entries than were checked";
  }
  return walked == count ? "" : "fewer entries than were checked";
}

/// What a block holds behind its tag, with a tag that fits.
std::string check_block(ByteView input) {
  Bytes sealed = to_bytes(input);
  sealed.resize(sealed.size() + tag_bytes);
  const Sealer sealer;
  const Nonce nonce{};
  sealer.seal(sealed, nonce, {});
  BlockDecoder decoder;
  BlockBuffer raw;
  if (input.size() >= 5 && load_little_endian<std::uint32_t>(input.data() + 1) > 1U << 22U) {
    return {};  // only slow
  }
  const Status decoded = decoder.decode(sealer, nonce, {}, sealed, raw);
  if (!decoded.ok()) return {};
  BlockEncoder encoder(Compression::fast);
  const auto again = encoder.encode(sealer, nonce, {}, raw.view());
  return again.ok() ? "" : "a block that was read cannot be written: " + again.error().message();
}

/// Entries through both directions of shredding, whatever the documents.
std::string check_shredding(ByteView input) {
  for (ByteView rest = input; !rest.empty();) {
    if (rest.front() < 1 || rest.front() > 3) return {};
    const std::size_t before = rest.front() == 3 ? 9 : 1;
    if (rest.size() < before) return {};
    const auto size = bson::front_document_size(rest.subspan(before));
    if (!size || !bson::validate_document(rest.subspan(before, *size)).ok()) return {};
    rest = rest.subspan(before + *size);
  }
  Shredder shredder;
  const Shredded* const shredded = shredder.shred(input);
  if (shredded == nullptr) return {};
  Bytes out(input.size());
  Unshredder unshredder;
  const Status back = unshredder.unshred(shredded->structure.view(), shredded->text.view(),
                                         shredded->planes.view(), out);
  if (!back.ok()) return "shredded entries are refused";
  return same_bytes(out, input) ? "" : "shredding changes entries";
}

/// Two lengths, then three parts.
std::string check_unshredding(ByteView input) {
  ByteReader reader(input);
  const auto out_size = reader.number<std::uint16_t>();
  const auto first = reader.number<std::uint16_t>();
  const auto second = reader.number<std::uint16_t>();
  if (!second) return {};
  const auto structure = reader.take(*first);
  const auto text = structure ? reader.take(*second) : std::nullopt;
  if (!text) return {};
  const auto planes = reader.take(reader.remaining());
  Bytes out(*out_size);
  Unshredder unshredder;
  [[maybe_unused]] const Status back = unshredder.unshred(*structure, *text, *planes, out);
  return {};
}

/// Blocks: each with a length of two bytes in front.
std::string check_manifest(ByteView input) {
  std::vector<Bytes> blocks;
  ByteReader reader(input);
  while (const auto size = reader.number<std::uint16_t>()) {
    const auto block = reader.take(std::min<std::size_t>(*size, reader.remaining()));
    blocks.push_back(to_bytes(*block));
  }
  [[maybe_unused]] const auto tombstone = decode_tombstone(blocks);
  const auto manifest = decode_manifest(blocks);
  if (!manifest.ok()) return {};
  const auto encoded = encode_manifest(*manifest);
  const auto again = decode_manifest(encoded);
  if (!again.ok()) return "a manifest that was read cannot be written: " + again.error().message();
  return encode_manifest(*again) == encoded ? "" : "a manifest changes when it is written again";
}

std::string check_object(ByteView input) {
  const RepositoryId id{};
  const Sealer sealer;
  const std::string_view name = "shop/snapshots/0123456789abcdef";
  [[maybe_unused]] const auto kind = object_kind(input);
  [[maybe_unused]] const auto end = first_block_end(name, input);
  [[maybe_unused]] const auto first =
      open_first_block({id, sealer}, SealKind::manifest, name, input);
  const auto blocks = open_object({id, sealer}, SealKind::manifest, name, input);
  if (!blocks.ok()) return {};
  [[maybe_unused]] const auto manifest = decode_manifest(*blocks);
  [[maybe_unused]] const auto header = read_segment_header(input);
  return {};
}

std::string check_json(ByteView input) {
  [[maybe_unused]] const auto as_is = decode_header(input);
  // With a checksum that fits, as somebody would make it who wants to harm.
  const Json json = Json::parse(as_text(input), nullptr, false);
  if (!json.is_object() || json.empty() || json.contains("checksum")) return {};
  const std::string text = encode_checked_json(json);
  [[maybe_unused]] const auto header = decode_header(as_bytes(text));
  [[maybe_unused]] const auto key = decode_key_file("0123456789abcdef", as_bytes(text));
  return {};
}

std::string check_texts(ByteView input) {
  [[maybe_unused]] const auto key = parse_recovery_text(input);
  const auto snapshot = parse_snapshot_blob(as_text(input));
  if (snapshot && snapshot->generation > 0 &&
      manifest_name(snapshot->source, snapshot->id, snapshot->generation) != as_text(input)) {
    return "a manifest's name has two meanings";
  }
  [[maybe_unused]] const auto segment = parse_segment_blob(as_text(input));
  [[maybe_unused]] const auto key_blob = parse_key_blob(as_text(input));
  const auto log = parse_log_blob(as_text(input));
  if (log && log->text() != as_text(input)) return "a log segment's name has two meanings";
  return {};
}

std::string check_log_header(ByteView input) {
  const auto info = decode_log_header(input);
  if (!info.ok()) return {};
  const Bytes encoded = encode_log_header(*info);
  const auto again = decode_log_header(encoded);
  if (!again.ok()) return "a log header that was read cannot be written";
  if (!parse_log_blob(info->name)) return "a log segment has a name that is none";
  return encode_log_header(*again) == encoded ? ""
                                              : "a log header changes when it is written again";
}

}  // namespace

std::string check_segment_bytes(ByteView input) {
  if (input.empty()) return {};
  const ByteView rest = input.subspan(1);
  switch (input.front() % 5) {
    case 0: return check_index(rest);
    case 1: return check_entry_bytes(rest);
    case 2: return check_block(rest);
    case 3: return check_shredding(rest);
    default: return check_unshredding(rest);
  }
}

std::string check_manifest_bytes(ByteView input) {
  if (input.empty()) return {};
  const ByteView rest = input.subspan(1);
  switch (input.front() % 5) {
    case 0: return check_manifest(rest);
    case 1: return check_object(rest);
    case 2: return check_json(rest);
    case 3: return check_texts(rest);
    default: return check_log_header(rest);
  }
}

}  // namespace holdfast::repository

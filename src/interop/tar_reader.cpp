#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "interop/tar.h"

namespace holdfast::interop {

namespace {

constexpr std::size_t block_bytes = 512;
constexpr std::size_t name_at = 0, name_bytes = 100;
constexpr std::size_t size_at = 124, size_bytes = 12;
constexpr std::size_t sum_at = 148, sum_bytes = 8;
constexpr std::size_t type_at = 156;
constexpr std::size_t magic_at = 257;
constexpr std::size_t prefix_at = 345, prefix_bytes = 155;

std::string text_field(ByteView header, std::size_t at, std::size_t size) {
  const auto field = as_text(header.subspan(at, size));
  return std::string(field.substr(0, field.find('\0')));
}

/// Octal digits, or GNU's base 256 where the first bit is set.
std::optional<std::uint64_t> number_field(ByteView header, std::size_t at, std::size_t size) {
  ByteView field = header.subspan(at, size);
  std::uint64_t value = 0;
  if ((field[0] & 0x80U) != 0) {
    for (std::size_t i = 0; i < size; ++i) {
      if (value >> 55U != 0) return std::nullopt;
      const std::uint8_t byte = i == 0 ? field[0] & 0x7fU : field[i];
      value = (value << 8U) | byte;
    }
    return value;
  }
  bool any = false;
  for (const std::uint8_t byte : field) {
    if (byte == ' ' && !any) continue;
    if (byte == ' ' || byte == 0) break;
    if (byte < '0' || byte > '7') return std::nullopt;
    any = true;
    value = value * 8 + (byte - '0');
  }
  return value;
}

bool sum_is_right(ByteView header) {
  std::uint64_t sum = std::accumulate(header.begin(), header.end(), std::uint64_t{0});
  for (std::size_t i = 0; i < sum_bytes; ++i) sum += ' ' - header[sum_at + i];
  return number_field(header, sum_at, sum_bytes) == sum;
}

/// Records "LENGTH KEY=VALUE\n" of a pax header; the value of one key.
std::optional<std::string> pax_value(std::string_view records, std::string_view wanted) {
  std::optional<std::string> found;
  while (!records.empty()) {
    std::size_t length = 0;
    std::size_t at = 0;
    for (; at < records.size() && records[at] >= '0' && records[at] <= '9'; ++at) {
      length = length * 10 + static_cast<std::size_t>(records[at] - '0');
      if (length > records.size()) return found;
    }
    if (length <= at + 1 || at >= records.size() || records[at] != ' ') return found;
    std::string_view record = records.substr(at + 1, length - at - 2);
    const auto equals = record.find('=');
    if (equals != std::string_view::npos && record.substr(0, equals) == wanted) {
      found = std::string(record.substr(equals + 1));
    }
    records.remove_prefix(length);
  }
  return found;
}

std::optional<std::uint64_t> parse_decimal(const std::string& text) {
  constexpr std::size_t most_digits = 18;
  if (text.empty() || text.size() > most_digits) return std::nullopt;
  if (text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stoull(text);
}

}  // namespace

struct TarReader::Header {
  std::string name;
  std::uint64_t size = 0;
  char type = '0';
};

/// The rest of the member, through the reader's own input.
class TarReader::Content final : public ByteSource {
 public:
  explicit Content(TarReader& reader) : reader_(reader) {}
  Result<std::size_t> read(std::span<std::uint8_t> out) override {
    const auto wanted = std::min<std::uint64_t>(out.size(), reader_.rest_);
    if (wanted == 0) return std::size_t{0};
    HOLDFAST_TRY(const ByteView seen, reader_.input_.ahead(1));
    if (seen.empty()) return reader_.corrupt("the tar is cut short");
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, seen.size()));
    std::copy_n(seen.begin(), count, out.begin());
    reader_.input_.consume(count);
    reader_.rest_ -= count;
    return count;
  }

 private:
  TarReader& reader_;
};

Error TarReader::corrupt(const std::string& what) const {
  return {ErrorCode::corrupt, fmt::format("byte {}: {}", input_.offset(), what)};
}

bool is_tar(ByteView front) {
  return front.size() >= block_bytes && as_text(front.subspan(magic_at, 5)) == "ustar" &&
         sum_is_right(front.first(block_bytes));
}

Result<std::optional<TarReader::Header>> TarReader::read_header() {
  HOLDFAST_TRY(ByteView seen, input_.ahead(block_bytes));
  if (seen.empty()) return corrupt("the tar is cut short: it has no end mark");
  if (seen.size() < block_bytes) return corrupt("the tar is cut short");
  const ByteView block = seen.first(block_bytes);
  if (std::all_of(block.begin(), block.end(), [](std::uint8_t byte) { return byte == 0; })) {
    return std::optional<Header>();
  }
  if (!sum_is_right(block)) return corrupt("a member's header is damaged (wrong sum)");
  Header header;
  header.name = text_field(block, name_at, name_bytes);
  const std::string prefix = text_field(block, prefix_at, prefix_bytes);
  // GNU's own header has other things where ustar has the prefix.
  const bool ustar = block[magic_at + 5] == 0;
  if (ustar && !prefix.empty()) header.name = prefix + "/" + header.name;
  const auto size = number_field(block, size_at, size_bytes);
  if (!size) return corrupt("a member's size is no number");
  header.size = *size;
  header.type = static_cast<char>(block[type_at]);
  input_.consume(block_bytes);
  return std::optional(std::move(header));
}

Result<std::string> TarReader::read_text(std::uint64_t size) {
  if (size > max_tar_header_bytes) return corrupt("a member's name is longer than any name");
  HOLDFAST_TRY(const ByteView seen, input_.ahead(static_cast<std::size_t>(size)));
  if (seen.size() < size) return corrupt("the tar is cut short");
  std::string text(as_text(seen.first(static_cast<std::size_t>(size))));
  HOLDFAST_CHECK(input_.skip((size + block_bytes - 1) / block_bytes * block_bytes));
  return text;
}

Result<std::optional<TarMember>> TarReader::next() {
  HOLDFAST_CHECK(input_.skip(rest_ + padding_));
  rest_ = padding_ = 0;
  std::optional<std::string> long_name;
  std::optional<std::uint64_t> long_size;
  while (true) {
    HOLDFAST_TRY(auto header, read_header());
    if (!header) return std::optional<TarMember>();
    switch (header->type) {
      case 'L': {
        HOLDFAST_TRY(std::string text, read_text(header->size));
        long_name = text.substr(0, text.find('\0'));
        continue;
      }
      case 'x':
      case 'g': {
        HOLDFAST_TRY(const std::string records, read_text(header->size));
        if (header->type == 'g') continue;
        if (auto path = pax_value(records, "path")) long_name = std::move(path);
        if (const auto text = pax_value(records, "size")) {
          long_size = parse_decimal(*text);
          if (!long_size) return corrupt("a member's size is no number");
        }
        continue;
      }
      case 'K': {
        HOLDFAST_TRY(const std::string ignored, read_text(header->size));
        continue;
      }
      default: break;
    }
    TarMember member;
    member.name = long_name.value_or(header->name);
    member.regular = header->type == '0' || header->type == 0 || header->type == '7';
    // Links and folders have no bytes, whatever stands in their header.
    const bool empty = header->type >= '1' && header->type <= '6';
    member.size = empty ? 0 : long_size.value_or(header->size);
    if (member.size >> 56U != 0) return corrupt("a member's size is beyond any file's");
    rest_ = member.size;
    padding_ = (block_bytes - member.size % block_bytes) % block_bytes;
    return std::optional(std::move(member));
  }
}

std::unique_ptr<ByteSource> TarReader::content() { return std::make_unique<Content>(*this); }

}  // namespace holdfast::interop

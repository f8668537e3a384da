#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <numeric>

#include "interop/tar.h"

namespace holdfast::interop {

namespace {

constexpr std::size_t block_bytes = 512;
constexpr std::size_t name_bytes = 100;
/// Eleven octal digits.
constexpr std::uint64_t max_ustar_size = (std::uint64_t{1} << 33U) - 1;

/// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
std::string pax_record(const std::string& key, const std::string& value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return fmt::format("{} {}={}\n", length, key, value);
}

Bytes make_header(const std::string& name, std::uint64_t size, char type, std::uint64_t modified) {
  Bytes header(block_bytes, 0);
  const auto put = [&](std::size_t at, const std::string& text) {
    std::memcpy(header.data() + at, text.data(), text.size());
  };
  put(0, name.substr(0, name_bytes));
  put(100, type == '5' ? "0000755" : "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", std::min(size, max_ustar_size)));
  put(136, fmt::format("{:011o}", std::min(modified, max_ustar_size)));
  put(148, "        ");
  header[156] = static_cast<std::uint8_t>(type);
  put(257, std::string("ustar\0"
                       "00",
                       8));
  put(265, "root");
  put(297, "root");
  const auto sum = std::accumulate(header.begin(), header.end(), 0U);
  put(148, fmt::format("{:06o}", sum));
  header[154] = 0;
  return header;
}

}  // namespace

Status TarWriter::begin(const std::string& name, std::uint64_t size, bool folder,
                        std::uint64_t modified) {
  const std::string full = folder ? name + "/" : name;
  std::string records;
  if (full.size() > name_bytes) records += pax_record("path", full);
  if (size > max_ustar_size) records += pax_record("size", std::to_string(size));
  if (!records.empty()) {
    HOLDFAST_CHECK(sink_->write(make_header("././@PaxHeader", records.size(), 'x', modified)));
    records.resize((records.size() + block_bytes - 1) / block_bytes * block_bytes, '\0');
    HOLDFAST_CHECK(sink_->write(as_bytes(records)));
  }
  size_ = size;
  written_ = 0;
  return sink_->write(make_header(full, size, folder ? '5' : '0', modified));
}

Status TarWriter::write(ByteView bytes) {
  written_ += bytes.size();
  return sink_->write(bytes);
}

Status TarWriter::end() {
  assert(written_ == size_);
  const Bytes padding((block_bytes - size_ % block_bytes) % block_bytes, 0);
  return sink_->write(padding);
}

Status TarWriter::finish() {
  // Two empty blocks end a tar.
  constexpr std::size_t end_bytes = 2 * block_bytes;
  const Bytes end(end_bytes, 0);
  HOLDFAST_CHECK(sink_->write(end));
  return sink_->finish();
}

}  // namespace holdfast::interop

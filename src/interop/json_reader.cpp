#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "bson/builder.h"
#include "bson/extended_json.h"
#include "interop/buffered_input.h"
#include "interop/dump_metadata.h"
#include "interop/text_records.h"

namespace holdfast::interop {

namespace {

constexpr std::size_t first_look_bytes = 64U * 1024;

/// The length of the object at the front (which is '{'), or nothing if it does not end in there.
/// Only braces outside of strings count; whether it is JSON is the parser's question.
std::optional<std::size_t> object_length(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (quoted) {
      if (letter == '\\') {
        ++i;
      } else if (letter == '"') {
        quoted = false;
      }
    } else if (letter == '"') {
      quoted = true;
    } else if (letter == '{') {
      ++depth;
    } else if (letter == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::nullopt;
}

class JsonReader {
 public:
  JsonReader(std::unique_ptr<ByteSource> source, Shelf& shelf, const TextReadOptions& options)
      : input_(std::move(source)), shelf_(shelf), options_(options) {}

  Status run() {
    HOLDFAST_TRY(collection_, shelf_.add_collection(bare_collection(options_.ns)));
    HOLDFAST_CHECK(skip_byte_order_mark());
    while (true) {
      HOLDFAST_TRY(const char letter, next_letter());
      if (letter == '\0') break;
      if (letter == '[' && !in_array_ && !any_) {
        in_array_ = true;
        consume(1);
      } else if (letter == ']' && in_array_) {
        consume(1);
        return check_end();
      } else if (letter == ',' && in_array_ && any_) {
        consume(1);
      } else if (letter == '{') {
        HOLDFAST_CHECK(read_object());
      } else {
        HOLDFAST_CHECK(
            refuse(line_, fmt::format("'{}' where an object should begin", printable(letter))));
        HOLDFAST_CHECK(skip_to_next_record());
      }
    }
    if (in_array_) return refuse(line_, "the array has no end: the text is cut short");
    return {};
  }

 private:
  static std::string printable(char letter) {
    const bool plain = letter > ' ' && letter < 0x7f;
    return plain ? std::string(1, letter)
                 : fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
  }

  Status refuse(std::uint64_t line, const std::string& reason) {
    return options_.on_bad_record({line, reason});
  }

  Status skip_byte_order_mark() {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    HOLDFAST_TRY(const ByteView seen, input_.ahead(mark.size()));
    if (as_text(seen).starts_with(mark)) input_.consume(mark.size());
    return {};
  }

  /// Consumes and counts lines.
  void consume(std::size_t count) {
    const auto seen = input_.ahead(count);
    const ByteView bytes = seen->first(count);
    line_ += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    input_.consume(count);
  }

  /// The next letter that is no space, not consumed; NUL at the end.
  Result<char> next_letter() {
    while (true) {
      HOLDFAST_TRY(const ByteView seen, input_.ahead(1));
      if (seen.empty()) return '\0';
      const auto text = as_text(seen);
      const auto at = text.find_first_not_of(" \t\r\n");
      if (at == std::string_view::npos) {
        consume(text.size());
        continue;
      }
      const char letter = text[at] == '\0' ? '\x01' : text[at];
      if (at > 0) consume(at);
      return letter;
    }
  }

  Status read_object() {
    const std::uint64_t line = line_;
    any_ = true;
    std::size_t look = first_look_bytes;
    while (true) {
      HOLDFAST_TRY(const ByteView seen, input_.ahead(look));
      const auto length = object_length(as_text(seen));
      if (length && *length <= max_record_bytes) {
        const auto document = bson::from_json(as_text(seen).substr(0, *length));
        if (!document.ok()) {
          // A quote that is missing swallows the records behind it: one of them begins a line.
          const auto next = as_text(seen).substr(0, *length).find("\n{");
          consume(next == std::string_view::npos ? *length : next + 1);
          return refuse(line, document.error().message());
        }
        HOLDFAST_CHECK(store(*document));
        consume(*length);
        return {};
      }
      const bool at_end = seen.size() < look;
      if (at_end || look >= max_record_bytes) {
        HOLDFAST_CHECK(refuse(line, at_end ? "an object has no end: the text is cut short"
                                           : "an object longer than any document"));
        return skip_to_next_record();
      }
      look = std::min(std::max(look * 4, seen.size()), max_record_bytes);
    }
  }

  Status store(const bson::Document& document) {
    if (options_.ids == nullptr || document.view().find("_id")) {
      return shelf_.append(collection_, document.bytes(), 0);
    }
    bson::Builder with_id;
    with_id.append_object_id("_id", options_.ids->next());
    for (const bson::Element& element : document.view()) {
      with_id.append(element.name, element.value);
    }
    return shelf_.append(collection_, std::move(with_id).finish().bytes(), 0);
  }

  /// Goes on where a line begins with an object, or the array ends.
  Status skip_to_next_record() {
    consume(1);
    while (true) {
      HOLDFAST_TRY(const ByteView seen, input_.ahead(2));
      if (seen.empty()) return {};
      const auto text = as_text(seen);
      const auto at = text.find('\n');
      if (at == std::string_view::npos) {
        consume(text.size());
        continue;
      }
      consume(at + 1);
      HOLDFAST_TRY(const ByteView behind, input_.ahead(1));
      if (behind.empty() || behind.front() == '{' || behind.front() == ']') return {};
    }
  }

  Status check_end() {
    HOLDFAST_TRY(const char letter, next_letter());
    if (letter == '\0') return {};
    return refuse(line_, "something stands behind the end of the array");
  }

  BufferedInput input_;
  Shelf& shelf_;
  const TextReadOptions& options_;
  std::size_t collection_ = 0;
  std::uint64_t line_ = 1;
  bool in_array_ = false;
  bool any_ = false;
};

}  // namespace

Status read_json(std::unique_ptr<ByteSource> source, Shelf& shelf, const TextReadOptions& options) {
  JsonReader reader(std::move(source), shelf, options);
  HOLDFAST_CHECK(reader.run());
  return shelf.seal();
}

}  // namespace holdfast::interop

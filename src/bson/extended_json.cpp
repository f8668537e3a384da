#include "bson/extended_json.h"

#include <bson/bson.h>

#include <cmath>
#include <cstddef>

#include "bson/json_text.h"

namespace holdfast::bson {

namespace {

std::string decimal128_to_string(ByteView bytes) {
  bson_decimal128_t decimal;
  decimal.low = load_little_endian<std::uint64_t>(bytes.data());
  decimal.high = load_little_endian<std::uint64_t>(bytes.data() + 8);
  std::string text(BSON_DECIMAL128_STRING, '\0');
  bson_decimal128_to_string(&decimal, text.data());
  text.resize(text.find('\0'));
  return text;
}

class Writer {
 public:
  Writer(JsonMode mode, int indent) : relaxed_(mode == JsonMode::relaxed), indent_(indent) {}

  void document(DocumentView view, bool array) {
    out_ += array ? '[' : '{';
    ++level_;
    bool first = true;
    for (const auto& element : view) {
      if (!first) out_ += ',';
      first = false;
      break_line();
      if (!array) name(element.name);
      value(element.value);
    }
    --level_;
    if (!first) break_line();
    out_ += array ? ']' : '}';
  }

  void value(ValueView view) {
    switch (view.type()) {
      case Type::document: return document(view.as_document(), false);
      case Type::array: return document(view.as_document(), true);
      case Type::string: return append_json_string(out_, view.as_string());
      case Type::null: out_ += "null"; return;
      case Type::boolean: out_ += view.as_bool() ? "true" : "false"; return;
      case Type::float64: return number(view.as_double());
      case Type::int32: return number("$numberInt", view.as_int32());
      case Type::int64: return number("$numberLong", view.as_int64());
      case Type::decimal128:
        return wrapped_text("$numberDecimal", decimal128_to_string(view.bytes()));
      case Type::date: return date(view.as_date());
      case Type::object_id: return wrapped_text("$oid", to_hex(view.as_object_id()));
      case Type::binary: return binary(view);
      case Type::timestamp: return timestamp(view.as_timestamp());
      case Type::regex: return regex(view);
      case Type::symbol: return wrapped_text("$symbol", view.as_string());
      case Type::code: return wrapped_text("$code", view.as_string());
      case Type::code_with_scope: return code_with_scope(view);
      case Type::db_pointer: return db_pointer(view);
      case Type::undefined: out_ += R"({"$undefined":true})"; return;
      case Type::min_key: out_ += R"({"$minKey":1})"; return;
      case Type::max_key: out_ += R"({"$maxKey":1})"; return;
    }
  }

  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  void break_line() {
    if (indent_ <= 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(indent_) * level_, ' ');
  }

  void name(std::string_view text) {
    append_json_string(out_, text);
    out_ += indent_ > 0 ? ": " : ":";
  }

  /// Wrappers stay on one line.
  void wrapped_text(std::string_view wrapper, std::string_view text) {
    open(wrapper);
    append_json_string(out_, text);
    out_ += '}';
  }

  void open(std::string_view wrapper) {
    out_ += "{\"";
    out_ += wrapper;
    out_ += "\":";
  }

  void number(double value) {
    if (relaxed_ && std::isfinite(value)) {
      out_ += format_double(value);
    } else {
      wrapped_text("$numberDouble", format_double(value));
    }
  }

  void number(std::string_view wrapper, std::int64_t value) {
    if (relaxed_) {
      out_ += std::to_string(value);
    } else {
      wrapped_text(wrapper, std::to_string(value));
    }
  }

  void date(std::int64_t milliseconds) {
    if (const auto text = relaxed_ ? format_date(milliseconds) : std::nullopt) {
      return wrapped_text("$date", *text);
    }
    open("$date");
    wrapped_text("$numberLong", std::to_string(milliseconds));
    out_ += '}';
  }

  /// The old subtype 2 holds its length once more, which JSON leaves out. Data that should hold it
  /// and does not cannot be told apart in JSON: such a value comes back with the length added.
  void binary(ValueView view) {
    ByteView data = view.binary_data();
    if (view.binary_subtype() == 2 && data.size() >= 4 &&
        load_little_endian<std::uint32_t>(data.data()) == data.size() - 4) {
      data = data.subspan(4);
    }
    const std::uint8_t subtype = view.binary_subtype();
    open("$binary");
    out_ += R"({"base64":")" + encode_base64(data) + R"(","subType":")" +
            to_hex(ByteView(&subtype, 1)) + R"("}})";
  }

  void timestamp(std::uint64_t value) {
    open("$timestamp");
    out_ += R"({"t":)" + std::to_string(value >> 32U) + R"(,"i":)" +
            std::to_string(value & 0xffffffffU) + "}}";
  }

  void regex(ValueView view) {
    const std::string_view pattern(reinterpret_cast<const char*>(view.bytes().data()));
    const std::string_view options(reinterpret_cast<const char*>(view.bytes().data()) +
                                   pattern.size() + 1);
    open("$regularExpression");
    out_ += R"({"pattern":)";
    append_json_string(out_, pattern);
    out_ += R"(,"options":)";
    append_json_string(out_, sort_options(options));
    out_ += "}}";
  }

  void code_with_scope(ValueView view) {
    const auto length = load_little_endian<std::int32_t>(view.bytes().data() + 4);
    const auto code = view.bytes().subspan(8, static_cast<std::size_t>(length));
    open("$code");
    append_json_string(out_, as_text(code.first(code.size() - 1)));
    out_ += R"(,"$scope":)";
    document(DocumentView(view.bytes().subspan(8 + code.size())), false);
    out_ += '}';
  }

  void db_pointer(ValueView view) {
    const ByteView name = view.bytes().subspan(4, view.bytes().size() - 4 - 12 - 1);
    open("$dbPointer");
    out_ += R"({"$ref":)";
    append_json_string(out_, as_text(name));
    out_ += R"(,"$id":)";
    wrapped_text("$oid", to_hex(view.bytes().last(12)));
    out_ += "}}";
  }

  std::string out_;
  bool relaxed_;
  int indent_;
  std::size_t level_ = 0;
};

}  // namespace

std::string to_json(DocumentView document, JsonMode mode, int indent) {
  Writer writer(mode, indent);
  writer.document(document, false);
  return std::move(writer).take();
}

std::string to_json(ValueView value, JsonMode mode) {
  Writer writer(mode, 0);
  writer.value(value);
  return std::move(writer).take();
}

}  // namespace holdfast::bson

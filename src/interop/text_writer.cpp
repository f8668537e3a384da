#include "interop/text_writer.h"

#include <fmt/format.h>

#include <mutex>
#include <optional>
#include <utility>

#include "bson/json_text.h"

namespace holdfast::interop {

namespace {

constexpr int pretty_indent = 2;

/// One collection, one stream of bytes; what differs is how a document looks.
class SingleWriter : public DumpWriter {
 public:
  explicit SingleWriter(std::unique_ptr<ByteSink> sink) : sink_(std::move(sink)) {}

  Status create(const CollectionInfo& info) override {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(created_, true)) {
      return Error(ErrorCode::usage, "this format holds one collection only",
                   "choose one with --collection, or export a folder or archive");
    }
    if (info.type == CollectionType::view) {
      return Error(ErrorCode::usage, info.ns.text() + " is a view: it holds no documents");
    }
    std::string front;
    append_front(front);
    return sink_->write(as_bytes(front));
  }

  Result<std::vector<RefusedDocument>> insert(
      const Namespace& ns, const std::vector<bson::DocumentView>& batch) override {
    (void)ns;
    std::string text;
    const std::scoped_lock lock(mutex_);
    for (const bson::DocumentView document : batch) {
      HOLDFAST_CHECK(append_document(text, document, count_ == 0));
      ++count_;
    }
    HOLDFAST_CHECK(sink_->write(as_bytes(text)));
    return std::vector<RefusedDocument>();
  }

  Status end_collection(const Namespace& ns) override {
    (void)ns;
    return {};
  }

  Status finish() override {
    std::string back;
    append_back(back, count_ == 0);
    HOLDFAST_CHECK(sink_->write(as_bytes(back)));
    return sink_->finish();
  }

 protected:
  virtual void append_front(std::string& text) { (void)text; }
  virtual Status append_document(std::string& text, bson::DocumentView document, bool first) = 0;
  virtual void append_back(std::string& text, bool empty) {
    (void)text;
    (void)empty;
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<ByteSink> sink_;
  bool created_ = false;
  std::uint64_t count_ = 0;
};

bool is_text_clean(bson::DocumentView document) {
  for (const bson::Element& element : document) {
    if (!bson::is_utf8(element.name)) return false;
    switch (element.value.type()) {
      case bson::Type::string:
      case bson::Type::symbol:
      case bson::Type::code:
        if (!bson::is_utf8(element.value.as_string())) return false;
        break;
      case bson::Type::document:
      case bson::Type::array:
        if (!is_text_clean(element.value.as_document())) return false;
        break;
      default: break;
    }
  }
  return true;
}

std::string shown_id(bson::DocumentView document) {
  const auto id = document.find("_id");
  return id ? bson::to_json(*id, bson::JsonMode::canonical) : "(none)";
}

Error not_utf8(bson::DocumentView document) {
  return {ErrorCode::unsupported,
          fmt::format("the document with _id {} holds text that is not UTF-8, which JSON and CSV "
                      "cannot hold",
                      shown_id(document)),
          "export it as BSON, a folder or an archive"};
}

class JsonWriter final : public SingleWriter {
 public:
  JsonWriter(std::unique_ptr<ByteSink> sink, const JsonWriteOptions& options)
      : SingleWriter(std::move(sink)), options_(options) {}

 protected:
  void append_front(std::string& text) override {
    if (options_.array) text += '[';
  }
  Status append_document(std::string& text, bson::DocumentView document, bool first) override {
    if (!is_text_clean(document)) return not_utf8(document);
    if (options_.array && !first) text += ',';
    if (options_.array) text += '\n';
    text += bson::to_json(document, options_.mode, options_.pretty ? pretty_indent : 0);
    if (!options_.array) text += '\n';
    return {};
  }
  void append_back(std::string& text, bool empty) override {
    if (options_.array) text += empty ? "]\n" : "\n]\n";
  }

 private:
  const JsonWriteOptions options_;
};

std::optional<bson::ValueView> value_at(bson::DocumentView document, std::string_view path) {
  const auto dot = path.find('.');
  const auto found = document.find(path.substr(0, dot));
  if (!found || dot == std::string_view::npos) return found;
  if (found->type() != bson::Type::document && found->type() != bson::Type::array) {
    return std::nullopt;
  }
  return value_at(found->as_document(), path.substr(dot + 1));
}

std::string cell_of(bson::ValueView value) {
  switch (value.type()) {
    case bson::Type::null:
    case bson::Type::undefined: return {};
    case bson::Type::string:
    case bson::Type::symbol: return std::string(value.as_string());
    case bson::Type::object_id: return to_hex(value.as_object_id());
    case bson::Type::boolean: return value.as_bool() ? "true" : "false";
    case bson::Type::int32: return std::to_string(value.as_int32());
    case bson::Type::int64: return std::to_string(value.as_int64());
    case bson::Type::float64: {
      std::string text = bson::format_double(value.as_double());
      // As people write numbers: 5, not 5.0.
      if (text.ends_with(".0")) text.resize(text.size() - 2);
      return text;
    }
    case bson::Type::date:
      return bson::format_date(value.as_date()).value_or(std::to_string(value.as_date()));
    case bson::Type::decimal128: {
      // {"$numberDecimal":"1.5"}
      const std::string json = bson::to_json(value, bson::JsonMode::canonical);
      const auto begin = json.find(":\"") + 2;
      return json.substr(begin, json.rfind('"') - begin);
    }
    default: return bson::to_json(value, bson::JsonMode::relaxed);
  }
}

void append_csv_cell(std::string& row, const std::string& cell) {
  const bool plain = cell.find_first_of(",\"\r\n") == std::string::npos && !cell.starts_with(' ') &&
                     !cell.ends_with(' ');
  if (plain) {
    row += cell;
    return;
  }
  row += '"';
  for (const char letter : cell) {
    if (letter == '"') row += '"';
    row += letter;
  }
  row += '"';
}

class CsvWriter final : public SingleWriter {
 public:
  CsvWriter(std::unique_ptr<ByteSink> sink, const CsvWriteOptions& options)
      : SingleWriter(std::move(sink)), options_(options) {}

 protected:
  void append_front(std::string& text) override {
    if (!options_.header) return;
    for (std::size_t i = 0; i < options_.fields.size(); ++i) {
      if (i > 0) text += options_.separator;
      append_csv_cell(text, options_.fields[i]);
    }
    text += '\n';
  }
  Status append_document(std::string& text, bson::DocumentView document, bool first) override {
    (void)first;
    if (!is_text_clean(document)) return not_utf8(document);
    for (std::size_t i = 0; i < options_.fields.size(); ++i) {
      if (i > 0) text += options_.separator;
      const auto value = value_at(document, options_.fields[i]);
      if (!value) continue;
      const std::string cell = cell_of(*value);
      if (options_.separator != '\t') {
        append_csv_cell(text, cell);
      } else if (cell.find_first_of("\t\r\n") == std::string::npos) {
        text += cell;
      } else {
        return Error(ErrorCode::unsupported,
                     fmt::format("the document with _id {} holds a tab or line break in {}, which "
                                 "TSV cannot hold",
                                 shown_id(document), options_.fields[i]),
                     "export it as CSV");
      }
    }
    text += '\n';
    return {};
  }

 private:
  const CsvWriteOptions options_;
};

class BsonWriter final : public SingleWriter {
 public:
  using SingleWriter::SingleWriter;

 protected:
  Status append_document(std::string& text, bson::DocumentView document, bool first) override {
    (void)first;
    text += as_text(document.bytes());
    return {};
  }
};

}  // namespace

std::unique_ptr<DumpWriter> make_json_writer(std::unique_ptr<ByteSink> sink,
                                             const JsonWriteOptions& options) {
  return std::make_unique<JsonWriter>(std::move(sink), options);
}

std::unique_ptr<DumpWriter> make_csv_writer(std::unique_ptr<ByteSink> sink,
                                            const CsvWriteOptions& options) {
  return std::make_unique<CsvWriter>(std::move(sink), options);
}

std::unique_ptr<DumpWriter> make_bson_writer(std::unique_ptr<ByteSink> sink) {
  return std::make_unique<BsonWriter>(std::move(sink));
}

}  // namespace holdfast::interop

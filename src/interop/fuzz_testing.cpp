#include "interop/fuzz_testing.h"

#include <filesystem>

#include "interop/archive.h"
#include "interop/dump_folder.h"
#include "interop/dump_metadata.h"
#include "interop/dump_names.h"
#include "interop/gzip.h"
#include "interop/open_dump.h"

namespace holdfast::interop {
namespace {

Status read_as(std::uint8_t kind, std::unique_ptr<ByteSource> source, Shelf& shelf) {
  TextReadOptions text;
  text.ns = {"shop", "things"};
  text.on_bad_record = [](const BadRecord&) { return Status(); };
  switch (kind % 7) {
    case 0: return read_archive(std::move(source), shelf, {});
    case 1: return read_archive(std::move(source), shelf, {.salvage = true});
    case 2: return read_dump_tar(std::move(source), shelf, "shop");
    case 3: return read_json(std::move(source), shelf, text);
    case 4: return read_csv(std::move(source), shelf, text, {});
    case 5: return read_dump_tar(make_gunzip_source(std::move(source)), shelf, "shop");
    default: return read_archive(make_gunzip_source(std::move(source)), shelf, {});
  }
}

std::string check_documents(DumpReader& dump) {
  const auto catalog = dump.catalog();
  if (!catalog.ok()) return catalog.error().message();
  for (const CollectionInfo& info : *catalog) {
    const auto cursor = dump.open(info.ns);
    if (!cursor.ok()) return cursor.error().message();
    while (true) {
      const auto document = (*cursor)->next();
      if (!document.ok()) return "read at first, refused later: " + document.error().message();
      if (!*document) break;
    }
  }
  return {};
}

}  // namespace

std::string check_dump(ByteView bytes) {
  if (bytes.empty()) return {};
  const std::string_view text = as_text(bytes);
  static_cast<void>(unescape_collection(text));
  static_cast<void>(recognise_format(bytes));
  if (const auto info = read_metadata(text, {"a", "b"}); info.ok()) {
    const auto again = read_metadata(write_metadata(*info), {"a", "c"});
    if (!again.ok()) return "metadata does not come back: " + again.error().message();
  }
  static SystemRandom random;
  auto shelf = Shelf::with_spool("fuzz", {std::filesystem::temp_directory_path(), random});
  if (!shelf.ok()) return {};
  const Status read = read_as(bytes[0], make_memory_source(to_bytes(bytes.subspan(1))), **shelf);
  return read.ok() ? check_documents(**shelf) : std::string();
}

}  // namespace holdfast::interop

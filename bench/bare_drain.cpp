// bench_bare_drain URI DATABASE [FOLDER]
//
// Reads a whole database as fast as one cursor at a time can, and counts. With a FOLDER it also
// writes FOLDER/bson/COLLECTION.bson and FOLDER/indexes/COLLECTION.bson. Prints JSON.

#include <filesystem>
#include <fstream>

#include "driver.h"

namespace {

struct Count {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
};

Count drain(const bench::Cursor& cursor, std::ofstream* file) {
  Count count;
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    ++count.documents;
    count.bytes += document->len;
    if (file != nullptr) {
      file->write(reinterpret_cast<const char*>(bson_get_data(document)), document->len);
    }
  }
  bson_error_t error;
  if (mongoc_cursor_error(cursor.get(), &error)) bench::fail(error.message);
  return count;
}

std::vector<std::string> collections_of(mongoc_client_t* client, const char* database_name) {
  const bench::Database database(mongoc_client_get_database(client, database_name));
  const bench::Bson options(BCON_NEW("filter", "{", "type", "collection", "}"));
  const bench::Cursor cursor(
      mongoc_database_find_collections_with_opts(database.get(), options.get()));
  std::vector<std::string> names;
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    bson_iter_t name;
    if (bson_iter_init_find(&name, document, "name")) {
      names.emplace_back(bson_iter_utf8(&name, nullptr));
    }
  }
  std::erase_if(names, [](const std::string& name) { return name.starts_with("system."); });
  return names;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 3) bench::fail("usage: bench_bare_drain URI DATABASE [FOLDER]");
  const std::filesystem::path folder = argument_count > 3 ? arguments[3] : "";
  if (!folder.empty()) {
    std::filesystem::create_directories(folder / "bson");
    std::filesystem::create_directories(folder / "indexes");
  }
  mongoc_init();
  const bench::Client client = bench::connect(arguments[1]);
  const bench::Stopwatch watch;
  Count total;
  for (const std::string& name : collections_of(client.get(), arguments[2])) {
    const bench::Collection collection(
        mongoc_client_get_collection(client.get(), arguments[2], name.c_str()));
    const bson_t everything = BSON_INITIALIZER;
    const bench::Cursor documents(
        mongoc_collection_find_with_opts(collection.get(), &everything, nullptr, nullptr));
    Count count;
    if (folder.empty()) {
      count = drain(documents, nullptr);
    } else {
      std::ofstream file(folder / "bson" / (name + ".bson"), std::ios::binary);
      count = drain(documents, &file);
      std::ofstream indexes(folder / "indexes" / (name + ".bson"), std::ios::binary);
      drain(bench::Cursor(mongoc_collection_find_indexes_with_opts(collection.get(), nullptr)),
            &indexes);
    }
    total.documents += count.documents;
    total.bytes += count.bytes;
  }
  std::printf("{\"documents\": %llu, \"bytes\": %llu, \"seconds\": %.3f}\n",
              static_cast<unsigned long long>(total.documents),
              static_cast<unsigned long long>(total.bytes), watch.seconds());
  return 0;
}

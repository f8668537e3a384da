// bench_bare_insert URI DATABASE FOLDER [CONNECTIONS]
//
// The least that any restore has to do: inserts what bench_bare_drain wrote to FOLDER, unordered
// and in parallel, then builds the same indexes. Prints JSON.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "driver.h"

namespace {

constexpr std::size_t batch_documents = 2000;
constexpr std::size_t batch_bytes = 4U << 20U;

/// A file of BSON documents one after the other, mapped for reading.
class BsonFile {
 public:
  explicit BsonFile(const std::filesystem::path& path) : size_(std::filesystem::file_size(path)) {
    if (size_ == 0) return;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    ::close(fd);
    if (mapped == MAP_FAILED) bench::fail("cannot map " + path.string());
    data_ = static_cast<const std::uint8_t*>(mapped);
  }
  ~BsonFile() {
    if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
  }
  BsonFile(const BsonFile&) = delete;
  BsonFile& operator=(const BsonFile&) = delete;

  /// Views of all documents, cut into batches.
  [[nodiscard]] std::vector<std::vector<bench::View>> batches() const {
    std::vector<std::vector<bench::View>> result;
    std::size_t bytes = 0;
    for (std::size_t at = 0; at < size_;) {
      std::uint32_t length = 0;
      std::memcpy(&length, data_ + at, sizeof length);
      if (length < 5 || length > size_ - at) bench::fail("not a BSON document");
      if (result.empty() || result.back().size() == batch_documents || bytes > batch_bytes) {
        result.emplace_back();
        bytes = 0;
      }
      result.back().emplace_back(data_ + at, length);
      bytes += length;
      at += length;
    }
    return result;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_;
};

void build_indexes(const char* uri, const char* database, const std::string& name,
                   const std::filesystem::path& path) {
  const BsonFile file(path);
  const bench::Bson command(bson_new());
  bson_t indexes;
  BSON_APPEND_UTF8(command.get(), "createIndexes", name.c_str());
  BSON_APPEND_ARRAY_BEGIN(command.get(), "indexes", &indexes);
  int count = 0;
  for (const std::vector<bench::View>& batch : file.batches()) {
    for (const bench::View view : batch) {
      bson_t index;
      bson_iter_t found;
      if (!bson_init_static(&index, view.data(), view.size())) bench::fail("not an index");
      if (bson_iter_init_find(&found, &index, "name") &&
          std::strcmp(bson_iter_utf8(&found, nullptr), "_id_") == 0) {
        continue;
      }
      const std::string key = std::to_string(count++);
      BSON_APPEND_DOCUMENT(&indexes, key.c_str(), &index);
    }
  }
  bson_append_array_end(command.get(), &indexes);
  if (count == 0) return;
  const bench::Client client = bench::connect(uri);
  bson_error_t error;
  if (!mongoc_client_command_simple(client.get(), database, command.get(), nullptr, nullptr,
                                    &error)) {
    bench::fail("createIndexes on " + name + ": " + error.message);
  }
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 4) {
    bench::fail("usage: bench_bare_insert URI DATABASE FOLDER [CONNECTIONS]");
  }
  const char* uri = arguments[1];
  const char* database = arguments[2];
  const std::filesystem::path folder = arguments[3];
  const std::size_t connections = argument_count > 4 ? std::strtoul(arguments[4], nullptr, 10) : 4;
  mongoc_init();

  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> names;
  const bench::Stopwatch inserting;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "bson")) {
    const BsonFile file(entry.path());
    const std::string name = names.emplace_back(entry.path().stem().string());
    auto batches = file.batches();
    bench::in_parallel(uri, connections, batches.size(),
                       [&](mongoc_client_t* client, std::size_t number) {
                         const bench::Collection collection(
                             mongoc_client_get_collection(client, database, name.c_str()));
                         bench::insert_batch(collection.get(), batches[number]);
                       });
    for (const auto& batch : batches) documents += batch.size();
    bytes += file.size();
  }
  const double insert_seconds = inserting.seconds();
  const bench::Stopwatch indexing;
  for (const std::string& name : names) {
    build_indexes(uri, database, name, folder / "indexes" / (name + ".bson"));
  }
  std::printf(
      "{\"documents\": %llu, \"bytes\": %llu, \"insert_seconds\": %.3f, "
      "\"index_seconds\": %.3f}\n",
      static_cast<unsigned long long>(documents), static_cast<unsigned long long>(bytes),
      insert_seconds, indexing.seconds());
  return 0;
}

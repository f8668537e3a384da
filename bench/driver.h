#pragma once

// The least that the benchmark's programs need around the C driver. Errors end the program.

#include <mongoc/mongoc.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace bench {

template <auto destroy>
struct Destroy {
  template <typename T>
  void operator()(T* pointer) const {
    destroy(pointer);
  }
};
using Client = std::unique_ptr<mongoc_client_t, Destroy<mongoc_client_destroy>>;
using Collection = std::unique_ptr<mongoc_collection_t, Destroy<mongoc_collection_destroy>>;
using Database = std::unique_ptr<mongoc_database_t, Destroy<mongoc_database_destroy>>;
using Cursor = std::unique_ptr<mongoc_cursor_t, Destroy<mongoc_cursor_destroy>>;
using Bson = std::unique_ptr<bson_t, Destroy<bson_destroy>>;

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

inline Client connect(const std::string& uri) {
  Client client(mongoc_client_new(uri.c_str()));
  if (!client) fail("malformed URI");
  mongoc_client_set_error_api(client.get(), MONGOC_ERROR_API_VERSION_2);
  return client;
}

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// The bytes of one BSON document; whoever made them keeps them.
using View = std::span<const std::uint8_t>;

/// Inserts documents, unordered.
inline void insert_batch(mongoc_collection_t* collection, const std::vector<View>& documents) {
  static const Bson unordered(BCON_NEW("ordered", BCON_BOOL(false)));
  // A bson_t points into itself, so each is made where it stays.
  const auto made = std::make_unique<bson_t[]>(documents.size());
  std::vector<const bson_t*> pointers;
  pointers.reserve(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (!bson_init_static(&made[i], documents[i].data(), documents[i].size())) {
      fail("not a BSON document");
    }
    pointers.push_back(&made[i]);
  }
  bson_error_t error;
  if (!mongoc_collection_insert_many(collection, pointers.data(), pointers.size(), unordered.get(),
                                     nullptr, &error)) {
    fail(std::string("insert: ") + error.message);
  }
}

/// Runs work(client, number) for number in [0, count) on `threads` connections of their own.
inline void in_parallel(const std::string& uri, std::size_t threads, std::size_t count,
                        const std::function<void(mongoc_client_t*, std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> running;
  running.reserve(threads);
  for (std::size_t thread = 0; thread < threads; ++thread) {
    running.emplace_back([&] {
      const Client client = connect(uri);
      for (std::size_t number = next++; number < count; number = next++) {
        work(client.get(), number);
      }
    });
  }
}

}  // namespace bench

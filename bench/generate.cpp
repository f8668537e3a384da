// bench_generate URI DATABASE SET DOCUMENTS [SEED]
//
// Fills a server with a data set whose shape matters more than its content:
//   tiny    documents of about 100 bytes
//   large   documents of about 1 MB
//   random  documents of about 300 bytes whose `_id`s (UUIDs) come in random order
// The same arguments give the same documents. Prints JSON.

#include <array>
#include <cstring>
#include <random>
#include <string_view>

#include "driver.h"

namespace {

constexpr std::array<std::string_view, 16> words{
    "mint ",   "orange ", "double apple ", "grape ", "tea ",      "coal ",  "terrace ", "invoice ",
    "tehran ", "shiraz ", "evening ",      "guest ", "delivery ", "lemon ", "receipt ", "counter "};

/// Object ids as several processes make them over years: not one counter.
bson_oid_t make_oid(std::mt19937_64& random, std::size_t number) {
  bson_oid_t oid;
  const auto seconds = static_cast<std::uint32_t>(1'600'000'000 + number / 3);
  const std::uint64_t process = (random() % 12 + 1) * 0x9E3779B97F4A7C15ULL;
  const auto counter = static_cast<std::uint32_t>(number * 7);
  for (int i = 0; i < 4; ++i) oid.bytes[i] = static_cast<std::uint8_t>(seconds >> (24 - 8 * i));
  std::memcpy(oid.bytes + 4, &process, 5);
  for (int i = 0; i < 3; ++i) {
    oid.bytes[9 + i] = static_cast<std::uint8_t>(counter >> (16 - 8 * i));
  }
  return oid;
}

std::string make_text(std::mt19937_64& random, std::size_t length) {
  std::string text;
  while (text.size() < length) {
    text += words[random() % words.size()];
    if (random() % 4 == 0) text += std::to_string(random() % 1'000'000) + " ";
  }
  text.resize(length);
  return text;
}

void append_fields(bson_t* document, std::mt19937_64& random, std::size_t number,
                   std::size_t text_length) {
  BSON_APPEND_INT32(document, "n", static_cast<std::int32_t>(number));
  BSON_APPEND_DATE_TIME(document, "at",
                        1'600'000'000'000 + static_cast<std::int64_t>(random() % 150'000'000'000));
  BSON_APPEND_UTF8(document, "text", make_text(random, text_length).c_str());
}

bson_t* make_document(std::string_view set, std::uint64_t seed, std::size_t number) {
  // Each document from its own state, so that threads need not agree on an order.
  std::mt19937_64 random(seed * 0x9E3779B97F4A7C15ULL + number);
  bson_t* document = bson_new();
  if (set == "random") {
    std::array<std::uint8_t, 16> id;
    for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(random());
    BSON_APPEND_BINARY(document, "_id", BSON_SUBTYPE_UUID, id.data(), id.size());
    append_fields(document, random, number, 230);
  } else {
    const bson_oid_t oid = make_oid(random, number);
    BSON_APPEND_OID(document, "_id", &oid);
    append_fields(document, random, number, set == "tiny" ? 45 : 1'000'000);
  }
  return document;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 5) {
    bench::fail("usage: bench_generate URI DATABASE tiny|large|random DOCUMENTS [SEED]");
  }
  const std::string_view set = arguments[3];
  if (set != "tiny" && set != "large" && set != "random") bench::fail("no such set");
  const std::size_t documents = std::strtoull(arguments[4], nullptr, 10);
  const std::uint64_t seed = argument_count > 5 ? std::strtoull(arguments[5], nullptr, 10) : 1;
  const std::size_t per_batch = set == "large" ? 8 : 2000;
  mongoc_init();
  std::atomic<std::uint64_t> bytes{0};
  const std::size_t batches = (documents + per_batch - 1) / per_batch;
  bench::in_parallel(arguments[1], 2, batches,
                     [&](mongoc_client_t* client, std::size_t batch_number) {
                       std::vector<bench::Bson> made;
                       std::vector<bench::View> batch;
                       const std::size_t end = std::min(documents, (batch_number + 1) * per_batch);
                       for (std::size_t number = batch_number * per_batch; number < end; ++number) {
                         made.emplace_back(make_document(set, seed, number));
                         bytes += made.back()->len;
                         batch.emplace_back(bson_get_data(made.back().get()), made.back()->len);
                       }
                       const bench::Collection collection(
                           mongoc_client_get_collection(client, arguments[2], arguments[3]));
                       bench::insert_batch(collection.get(), batch);
                     });
  std::printf("{\"documents\": %zu, \"bytes\": %llu}\n", documents,
              static_cast<unsigned long long>(bytes.load()));
  return 0;
}

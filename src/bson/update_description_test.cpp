#include "bson/update_description.h"

#include <gtest/gtest.h>

#include "bson/builder.h"
#include "bson/extended_json.h"
#include "bson/generate_testing.h"

namespace holdfast::bson {
namespace {

std::string applied(std::string_view document, std::string_view description, UpdateFit fit) {
  const auto outcome = apply_update(document_from_json(document).view(),
                                    document_from_json(description).view(), fit);
  if (!outcome) return "error: " + outcome.error().message();
  return to_json(outcome->document.view(), JsonMode::relaxed) +
         (outcome->order_uncertain ? " order?" : "");
}

std::string strict(std::string_view document, std::string_view description) {
  return applied(document, description, UpdateFit::strict);
}
std::string fuzzy(std::string_view document, std::string_view description) {
  return applied(document, description, UpdateFit::fuzzy);
}

TEST(ApplyUpdate, sets_in_place_appends_and_removes) {
  EXPECT_EQ(strict(R"({"_id":1,"a":1,"b":2})", R"({"updatedFields":{"a":"x"}})"),
            R"({"_id":1,"a":"x","b":2})");
  EXPECT_EQ(strict(R"({"_id":1,"a":1})", R"({"updatedFields":{"c":{"d":1}}})"),
            R"({"_id":1,"a":1,"c":{"d":1}})");
  EXPECT_EQ(strict(R"({"_id":1,"a":1,"b":{"c":2,"d":3}})", R"({"removedFields":["a","b.c"]})"),
            R"({"_id":1,"b":{"d":3}})");
  EXPECT_EQ(strict(R"({"a":{"b":{"c":1}}})", R"({"updatedFields":{"a.b.c":2,"a.b.d":3}})"),
            R"({"a":{"b":{"c":2,"d":3}}})");
  EXPECT_EQ(strict(R"({"a":1})", R"({})"), R"({"a":1})");
}

TEST(ApplyUpdate, takes_a_number_for_an_index_where_the_parent_is_an_array) {
  EXPECT_EQ(strict(R"({"a":[1,2,{"b":3}]})", R"({"updatedFields":{"a.0":9,"a.2.b":8}})"),
            R"({"a":[9,2,{"b":8}]})");
  EXPECT_EQ(strict(R"({"a":{"0":1}})", R"({"updatedFields":{"a.0":9}})"), R"({"a":{"0":9}})");
  EXPECT_EQ(strict(R"({"a":[]})", R"({"updatedFields":{"a.2":9}})"), R"({"a":[null,null,9]})");
  EXPECT_EQ(strict(R"({"a":[[1],[2]]})", R"({"updatedFields":{"a.1.0":9}})"), R"({"a":[[1],[9]]})");
}

TEST(ApplyUpdate, truncates_before_it_sets_and_never_lengthens) {
  EXPECT_EQ(strict(R"({"a":[1,2,3,4]})",
                   R"({"updatedFields":{"a.0":9},"truncatedArrays":[{"field":"a","newSize":2}]})"),
            R"({"a":[9,2]})");
  EXPECT_EQ(strict(R"({"a":{"b":[1]}})", R"({"truncatedArrays":[{"field":"a.b","newSize":0}]})"),
            R"({"a":{"b":[]}})");
  EXPECT_EQ(fuzzy(R"({"a":[1]})", R"({"truncatedArrays":[{"field":"a","newSize":3}]})"),
            R"({"a":[1]})");
  EXPECT_EQ(strict(R"({"a":[1]})", R"({"truncatedArrays":[{"field":"a","newSize":1}]})"),
            R"({"a":[1]})");
}

TEST(ApplyUpdate, settles_odd_names_by_disambiguated_paths) {
  EXPECT_EQ(strict(R"({"a":{"b.c":1,"b":{"c":2}}})",
                   R"({"updatedFields":{"a.b.c":9},"disambiguatedPaths":{"a.b.c":["a","b.c"]}})"),
            R"({"a":{"b.c":9,"b":{"c":2}}})");
  EXPECT_EQ(strict(R"({"a":{"0":1}})",
                   R"({"updatedFields":{"a.0":9},"disambiguatedPaths":{"a.0":["a","0"]}})"),
            R"({"a":{"0":9}})");
  EXPECT_EQ(strict(R"({"a":[{"0":1}]})",
                   R"({"removedFields":["a.0.0"],"disambiguatedPaths":{"a.0.0":["a",0,"0"]}})"),
            R"({"a":[{}]})");
  EXPECT_EQ(strict(R"({"a.b":1,"a":{"b":2}})",
                   R"({"updatedFields":{"a.b":8,"a.b":9},"disambiguatedPaths":{"a.b":["a.b"]}})"),
            R"({"a.b":8,"a":{"b":9}})");
  // A path that says index does not fit a document, nor does a name fit an array.
  EXPECT_EQ(fuzzy(R"({"a":{"0":1}})",
                  R"({"updatedFields":{"a.0":9},"disambiguatedPaths":{"a.0":["a",0]}})"),
            R"({"a":{"0":1}})");
  EXPECT_EQ(fuzzy(R"({"a":[1]})",
                  R"({"updatedFields":{"a.0":9},"disambiguatedPaths":{"a.0":["a","0"]}})"),
            R"({"a":[1]})");
}

struct Misfit {
  const char* document;
  const char* description;
};

TEST(ApplyUpdate, strict_refuses_and_fuzzy_skips_what_does_not_fit) {
  const Misfit cases[] = {
      {R"({"a":1})", R"({"updatedFields":{"b.c":1}})"},
      {R"({"a":1})", R"({"updatedFields":{"a.c":1}})"},
      {R"({"a":[1]})", R"({"updatedFields":{"a.b":1}})"},
      {R"({"a":[1]})", R"({"updatedFields":{"a.01":1}})"},
      {R"({"a":[1]})", R"({"updatedFields":{"a.0.b":1}})"},
      {R"({"a":[1]})", R"({"updatedFields":{"a.5.b":1}})"},
      {R"({"a":1})", R"({"removedFields":["b"]})"},
      {R"({"a":{"b":1}})", R"({"removedFields":["a.c"]})"},
      {R"({"a":[1]})", R"({"removedFields":["a.0"]})"},
      {R"({"a":[1]})", R"({"truncatedArrays":[{"field":"a","newSize":2}]})"},
      {R"({"a":1})", R"({"truncatedArrays":[{"field":"a","newSize":0}]})"},
      {R"({"a":1})", R"({"truncatedArrays":[{"field":"b","newSize":0}]})"},
      {R"({"a":1})", R"({"removedFields":["a","a"]})"},
  };
  for (const auto& [document, description] : cases) {
    const auto refused = apply_update(document_from_json(document).view(),
                                      document_from_json(description).view(), UpdateFit::strict);
    ASSERT_FALSE(refused.ok()) << description;
    EXPECT_EQ(refused.error().code(), ErrorCode::corrupt);
    if (std::string_view(description).find("\"a\",\"a\"") == std::string_view::npos) {
      EXPECT_EQ(fuzzy(document, description), document) << description;
    }
  }
  EXPECT_EQ(fuzzy(R"({"a":1,"b":2})", R"({"removedFields":["a","a"]})"), R"({"b":2} order?)");
}

TEST(ApplyUpdate, refuses_malformed_descriptions_even_when_fuzzy) {
  for (const char* description : {
           R"({"updatedFields":[]})",
           R"({"removedFields":{}})",
           R"({"removedFields":[1]})",
           R"({"removedFields":["a\u0000b"]})",
           R"({"truncatedArrays":[1]})",
           R"({"truncatedArrays":[{"field":"a"}]})",
           R"({"truncatedArrays":[{"field":"a","newSize":-1}]})",
           R"({"truncatedArrays":[{"field":"a","newSize":"1"}]})",
           R"({"disambiguatedPaths":[]})",
           R"({"disambiguatedPaths":{"a":"a"}})",
           R"({"disambiguatedPaths":{"a":[]}})",
           R"({"disambiguatedPaths":{"a":[-1]}})",
           R"({"disambiguatedPaths":{"a":[true]}})",
           R"({"updatedFields":{"list.100000000":1}})",
           R"({"mergedFields":{}})",
       }) {
    const auto outcome = apply_update(document_from_json(R"({"a":1,"list":[]})").view(),
                                      document_from_json(description).view(), UpdateFit::fuzzy);
    ASSERT_FALSE(outcome.ok()) << description;
    EXPECT_EQ(outcome.error().code(), ErrorCode::corrupt) << description;
  }
}

TEST(ApplyUpdate, flags_uncertain_order) {
  EXPECT_EQ(strict(R"({"a":1})", R"({"updatedFields":{"b":1,"c":2}})"),
            R"({"a":1,"b":1,"c":2} order?)");
  EXPECT_EQ(strict(R"({"a":{},"b":{}})", R"({"updatedFields":{"a.x":1,"b.x":2}})"),
            R"({"a":{"x":1},"b":{"x":2}})");
  EXPECT_EQ(strict(R"({"a":[]})", R"({"updatedFields":{"a.0":1,"a.1":2}})"), R"({"a":[1,2]})");
  EXPECT_EQ(strict(R"({"a":1,"b":2})", R"({"removedFields":["a"],"updatedFields":{"c":1}})"),
            R"({"b":2,"c":1})");
  EXPECT_EQ(fuzzy(R"({"a":1,"b":2})", R"({"removedFields":["a"]})"), R"({"b":2} order?)");
  EXPECT_EQ(fuzzy(R"({"a":1,"b":2})", R"({"removedFields":["c"]})"), R"({"a":1,"b":2})");
  EXPECT_EQ(fuzzy(R"({"a":1})", R"({"updatedFields":{"b":1}})"), R"({"a":1,"b":1})");
  EXPECT_EQ(fuzzy(R"({"a":1,"b":0})", R"({"updatedFields":{"b":1,"c":2}})"),
            R"({"a":1,"b":1,"c":2})");
}

/// Enough fields that they are found by index, not by search.
TEST(ApplyUpdate, edits_wide_documents) {
  Builder wide;
  Builder updated;
  Builder removed;
  for (int at = 0; at < 3000; ++at) {
    const std::string name = "field" + std::to_string(at);
    wide.append_int32(name, at);
    if (at % 2 == 0) updated.append_int32(name, -at);
  }
  for (int at = 0; at < 1000; ++at) {
    removed.append_string(array_index_name(static_cast<std::size_t>(at)),
                          "field" + std::to_string(2 * at + 1));
  }
  Builder description;
  description.append_document("updatedFields", std::move(updated).finish().view());
  description.append_array("removedFields", std::move(removed).finish().view());
  const auto outcome = apply_update(std::move(wide).finish().view(),
                                    std::move(description).finish().view(), UpdateFit::strict);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  const DocumentView view = outcome->document.view();
  EXPECT_EQ(std::distance(view.begin(), view.end()), 2000);
  EXPECT_EQ(view.find_integral("field2998"), -2998);
  EXPECT_EQ(view.find_integral("field2999"), 2999);
  EXPECT_FALSE(view.find("field1999").has_value());
}

TEST(ApplyUpdate, refuses_a_result_that_nests_too_deeply) {
  const auto nested = [](int levels) {
    std::string json = "{}";
    for (int level = 1; level < levels; ++level) json = R"({"a":)" + json + "}";
    return json;
  };
  std::string path = "a";
  for (int level = 0; level < 120; ++level) path += ".a";
  const std::string description = R"({"updatedFields":{")" + path + "\":" + nested(120) + "}}";
  EXPECT_EQ(fuzzy(nested(150), description).substr(0, 6), "error:");
}

}  // namespace
}  // namespace holdfast::bson

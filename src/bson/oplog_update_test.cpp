#include "bson/oplog_update.h"

#include <gtest/gtest.h>

#include "bson/extended_json.h"
#include "bson/generate_testing.h"

namespace holdfast::bson {
namespace {

std::string apply(std::string_view document, std::string_view update,
                  UpdateFit fit = UpdateFit::strict) {
  const auto after = apply_oplog_update(document_from_json(document).view(),
                                        document_from_json(update).view(), fit);
  if (!after.ok()) return std::string(name_of(after.error().code()));
  return to_json(after->view(), JsonMode::relaxed);
}

std::string diff(std::string_view document, std::string_view difference,
                 UpdateFit fit = UpdateFit::strict) {
  return apply(document, R"({"$v":2,"diff":)" + std::string(difference) + "}", fit);
}

constexpr auto fuzzy = UpdateFit::fuzzy;

TEST(OplogUpdate, without_a_version_is_a_replacement) {
  EXPECT_EQ(apply(R"({"_id":1,"a":1})", R"({"_id":1,"b":2})"), R"({"_id":1,"b":2})");
}

TEST(OplogUpdate, each_section_does_its_part) {
  EXPECT_EQ(diff(R"({"_id":1,"a":1,"b":2})", R"({"d":{"a":false}})"), R"({"_id":1,"b":2})");
  EXPECT_EQ(diff(R"({"_id":1,"a":1,"b":2})", R"({"u":{"a":9}})"), R"({"_id":1,"a":9,"b":2})");
  EXPECT_EQ(diff(R"({"_id":1,"a":1})", R"({"i":{"z":1,"b":2}})"), R"({"_id":1,"a":1,"z":1,"b":2})");
  EXPECT_EQ(diff(R"({"_id":1,"a":{"x":1,"y":2}})", R"({"sa":{"u":{"x":5}}})"),
            R"({"_id":1,"a":{"x":5,"y":2}})");
}

TEST(OplogUpdate, sections_work_together_and_keep_the_order_of_fields) {
  EXPECT_EQ(diff(R"({"_id":1,"a":1,"b":{"x":[1,2,3]},"c":3,"d":4})",
                 R"({"d":{"a":false},"u":{"d":"D"},"i":{"e":5},)"
                 R"("sb":{"i":{"y":0},"sx":{"a":true,"l":2,"u0":"one"}}})"),
            R"({"_id":1,"b":{"x":["one",2],"y":0},"c":3,"d":"D","e":5})");
}

TEST(OplogUpdate, an_inserted_field_that_exists_moves_to_the_end) {
  EXPECT_EQ(diff(R"({"_id":1,"a":1,"b":2})", R"({"i":{"a":1}})"), R"({"_id":1,"b":2,"a":1})");
}

TEST(OplogUpdate, names_are_taken_whole) {
  EXPECT_EQ(
      diff(R"({"_id":1,"a.b":1,"$c":2,"":{"s":1}})", R"({"u":{"a.b":2,"$c":3},"s":{"u":{"s":9}}})"),
      R"({"_id":1,"a.b":2,"$c":3,"":{"s":9}})");
  EXPECT_EQ(diff(R"({"_id":1,"sub":{"s":{"u":1}}})", R"({"ssub":{"ss":{"u":{"u":2}}}})"),
            R"({"_id":1,"sub":{"s":{"u":2}}})");
}

TEST(OplogUpdate, arrays_are_set_grown_padded_and_cut) {
  EXPECT_EQ(diff(R"({"a":[1,2,3]})", R"({"sa":{"a":true,"u1":"two"}})"), R"({"a":[1,"two",3]})");
  EXPECT_EQ(diff(R"({"a":[1]})", R"({"sa":{"a":true,"u1":2,"u2":3}})"), R"({"a":[1,2,3]})");
  EXPECT_EQ(diff(R"({"a":[1]})", R"({"sa":{"a":true,"u3":4}})"), R"({"a":[1,null,null,4]})");
  EXPECT_EQ(diff(R"({"a":[1,2,3]})", R"({"sa":{"a":true,"l":1}})"), R"({"a":[1]})");
  EXPECT_EQ(diff(R"({"a":[1,2,3]})", R"({"sa":{"a":true,"l":0}})"), R"({"a":[]})");
  EXPECT_EQ(diff(R"({"a":[1]})", R"({"sa":{"a":true,"l":3}})"), R"({"a":[1,null,null]})");
  EXPECT_EQ(diff(R"({"a":[{"x":1},[5,6]]})",
                 R"({"sa":{"a":true,"s0":{"u":{"x":2}},"s1":{"a":true,"u1":7}}})"),
            R"({"a":[{"x":2},[5,7]]})");
  EXPECT_EQ(diff(R"({"a":[1,2,3,4]})", R"({"sa":{"a":true,"l":3,"u1":"x"}})"),
            R"({"a":[1,"x",3]})");
}

TEST(OplogUpdate, over_an_exact_base_what_does_not_fit_is_corruption) {
  for (const std::string difference :
       {R"({"d":{"z":false}})", R"({"u":{"z":1}})", R"({"sz":{"u":{"x":1}}})",
        R"({"sa":{"u":{"x":1}}})", R"({"sb":{"a":true,"u0":1}})",
        R"({"sc":{"a":true,"s5":{"u":{"x":1}}}})"}) {
    EXPECT_EQ(diff(R"({"_id":1,"a":1,"b":{"x":1},"c":[]})", difference), "corrupt") << difference;
  }
}

TEST(OplogUpdate, over_a_fuzzy_base_what_does_not_fit_is_skipped) {
  const std::string before = R"({"_id":1,"a":1,"b":{"x":1}})";
  EXPECT_EQ(diff(before, R"({"d":{"z":false}})", fuzzy), before);
  EXPECT_EQ(diff(before, R"({"sz":{"u":{"x":1}}})", fuzzy), before);
  EXPECT_EQ(diff(before, R"({"sa":{"u":{"x":1}}})", fuzzy), before);
  EXPECT_EQ(diff(before, R"({"u":{"z":1}})", fuzzy), R"({"_id":1,"a":1,"b":{"x":1},"z":1})");
}

TEST(OplogUpdate, replaying_over_a_later_state_leads_to_the_same_order) {
  const std::vector<std::string> entries = {R"({"i":{"x":1}})", R"({"i":{"y":1}})",
                                            R"({"d":{"x":false}})", R"({"i":{"x":2}})",
                                            R"({"u":{"y":5}})"};
  std::string state = R"({"_id":1,"a":1})";
  std::vector<std::string> states = {state};
  for (const auto& entry : entries) states.push_back(state = diff(state, entry));
  for (std::string start : states) {
    for (const auto& entry : entries) start = diff(start, entry, fuzzy);
    EXPECT_EQ(start, states.back());
  }
}

TEST(OplogUpdate, malformed_differences_are_refused) {
  for (const std::string difference :
       {R"({"u":{"a":1},"d":{"b":false}})", R"({"x":{}})", R"({"u":5})", R"({"uu":{"a":1}})",
        R"({"sa":{"a":true,"u1":1,"u0":1}})", R"({"sa":{"a":true,"v0":1}})",
        R"({"sa":{"a":true,"u01":1}})", R"({"sa":{"a":true,"u0":1,"l":1}})",
        R"({"sa":{"a":true,"l":-1}})", R"({"sa":{"a":true,"u2000000":1}})"}) {
    EXPECT_EQ(diff(R"({"_id":1,"a":[1,2],"b":2})", difference, fuzzy), "corrupt") << difference;
  }
  EXPECT_EQ(apply("{}", R"({"$v":2})"), "corrupt");
  EXPECT_EQ(apply("{}", R"({"$v":3,"diff":{}})"), "unsupported");
  EXPECT_EQ(diff("{}", R"({"b":{"f":{}}})"), "unsupported");
}

TEST(OplogUpdate, modifiers_of_older_servers_go_by_dotted_paths) {
  EXPECT_EQ(apply(R"({"_id":1,"a":{"b":1},"c":[1,{"d":2}],"e":5})",
                  R"({"$v":1,"$set":{"a.b":2,"c.1.d":3,"f":6},"$unset":{"e":true}})"),
            R"({"_id":1,"a":{"b":2},"c":[1,{"d":3}],"f":6})");
  EXPECT_EQ(apply(R"({"_id":1})", R"({"$set":{"a":1}})"), R"({"_id":1,"a":1})");
  EXPECT_EQ(apply(R"({"_id":1})", R"({"$v":1,"$inc":{"a":1}})"), "corrupt");
}

}  // namespace
}  // namespace holdfast::bson

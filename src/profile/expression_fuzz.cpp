#include <cstddef>
#include <cstdint>

#include "bson/document.h"
#include "bson/extended_json.h"
#include "profile/expression.h"

/// The input is two BSON documents, one after the other: {"": expression}, and what to evaluate it
/// on. Whatever they are, nothing but an error may come of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const ByteView bytes(data, size);
  const auto first = bson::front_document_size(bytes);
  if (!first) return 0;
  const ByteView rest = bytes.subspan(*first);
  if (!bson::validate_document(bytes.first(*first)).ok()) return 0;
  if (!bson::validate_document(rest).ok()) return 0;
  const auto value = bson::DocumentView(bytes.first(*first)).find("");
  if (!value) return 0;
  profile::FieldNames fields;
  const auto parsed = profile::Expression::parse(*value, fields);
  if (!parsed.ok()) return 0;
  profile::Evaluation evaluation(fields, 1'790'000'000'000);
  evaluation.set_root(bson::DocumentView(rest));
  const profile::Datum result = parsed->evaluate(evaluation);
  if (!result.missing() && !evaluation.failed()) (void)result.to_value();
  return 0;
}

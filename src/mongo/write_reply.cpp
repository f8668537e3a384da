#include "mongo/mongoc_internal.h"
#include "mongo/write_reply_internal.h"

namespace holdfast::mongo {
namespace {

Error failure_of(bson::DocumentView entry) {
  const auto code = entry.find_integral("code").value_or(0);
  return error_from_server(static_cast<int>(code),
                           entry.find_string("errmsg").value_or("no reason given"));
}

}  // namespace

Status write_concern_failure(bson::DocumentView reply) {
  if (const auto entry = reply.find_document("writeConcernError")) return failure_of(*entry);
  return {};
}

Status first_failure(bson::DocumentView reply) {
  const auto errors = reply.find("writeErrors");
  if (errors && errors->type() == bson::Type::array) {
    for (const bson::Element& entry : errors->as_document()) {
      if (entry.value.type() == bson::Type::document) {
        return failure_of(entry.value.as_document());
      }
    }
  }
  return write_concern_failure(reply);
}

}  // namespace holdfast::mongo

#include "blob/blob_store.h"

namespace holdfast::blob {

Status BlobStore::put(std::string_view name, ByteView bytes) {
  HOLDFAST_TRY(const auto writer, create(name));
  HOLDFAST_CHECK(writer->append(bytes));
  return writer->commit();
}

}  // namespace holdfast::blob

#include "repository/context.h"

namespace holdfast::repository {

Status put_object(Context& context, SealKind kind, std::string_view name,
                  const std::vector<Bytes>& blocks) {
  HOLDFAST_TRY(const Bytes sealed,
               seal_object(context.objects(), kind, name, blocks, context.random));
  return context.store.put(name, sealed);
}

Result<std::vector<Bytes>> get_object(const Context& context, SealKind kind,
                                      std::string_view name) {
  // Headers and lengths come on top of what the blocks may hold.
  constexpr std::uint64_t limit = max_object_bytes + 16U * 1024 * 1024;
  HOLDFAST_TRY(const Bytes sealed, context.store.get(name, limit));
  return open_object(context.objects(), kind, name, sealed);
}

}  // namespace holdfast::repository

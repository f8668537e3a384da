#include "transfer/export_dataset.h"

#include <fmt/format.h>

#include <utility>

#include "dataset/document_batch.h"
#include "dataset/read_ahead.h"

namespace holdfast::transfer {

namespace {

Status write_batch(interop::DumpWriter& to, const Namespace& ns, DocumentBatch& batch,
                   ExportOutcome& outcome) {
  HOLDFAST_TRY(const auto refused, to.insert(ns, batch.views()));
  if (!refused.empty()) return Error(ErrorCode::partial, refused.front().reason);
  outcome.documents += batch.documents();
  outcome.bytes += batch.bytes();
  batch.clear();
  return {};
}

Status export_documents(DatasetReader& from, const Namespace& ns, interop::DumpWriter& to,
                        const DocumentFilter& filter, ExportOutcome& outcome,
                        ProgressSink& progress, const std::stop_token& stop) {
  HOLDFAST_TRY(const auto cursor, from.open(ns));
  ReadAhead ahead(*cursor);
  DocumentBatch batch;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  constexpr std::uint64_t report_every = 1000;
  while (true) {
    HOLDFAST_TRY(const auto document, ahead.next());
    if (!document) break;
    bytes += document->bytes().size();
    if (++documents % report_every == 0) {
      progress.advance(report_every, std::exchange(bytes, 0));
      if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    }
    if (filter && !filter(*document)) continue;
    batch.add(*document);
    if (batch.full()) HOLDFAST_CHECK(write_batch(to, ns, batch, outcome));
  }
  progress.advance(documents % report_every, bytes);
  return batch.empty() ? Status() : write_batch(to, ns, batch, outcome);
}

}  // namespace

Result<std::vector<CollectionInfo>> choose_collections(DatasetReader& from,
                                                       const Selection& selection) {
  HOLDFAST_TRY(const auto catalog, from.catalog());
  const auto lonely = selection.unmatched(catalog);
  if (!lonely.empty()) {
    return Error(ErrorCode::not_found, fmt::format("no collection matches '{}'", lonely.front()));
  }
  std::vector<CollectionInfo> chosen;
  for (const CollectionInfo& info : catalog) {
    if (selection.contains(info.ns)) chosen.push_back(info);
  }
  return chosen;
}

Result<ExportOutcome> export_dataset(DatasetReader& from,
                                     const std::vector<CollectionInfo>& collections,
                                     interop::DumpWriter& to, const DocumentFilter& filter,
                                     ProgressSink& progress, std::stop_token stop) {
  ExportOutcome outcome;
  for (const CollectionInfo& info : collections) {
    const auto run = [&]() -> Status {
      HOLDFAST_CHECK(to.create(info));
      if (info.type != CollectionType::view) {
        HOLDFAST_CHECK(export_documents(from, info.ns, to, filter, outcome, progress, stop));
      }
      return to.end_collection(info.ns);
    };
    const Status exported = run();
    if (!exported.ok()) return exported.error().with_context(info.ns.text());
    ++outcome.collections;
  }
  if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
  HOLDFAST_CHECK(to.finish());
  return outcome;
}

}  // namespace holdfast::transfer

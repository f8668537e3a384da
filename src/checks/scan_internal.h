#pragma once

#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "base/progress.h"
#include "checks/program_internal.h"
#include "dataset/reader.h"

namespace holdfast::checks {

struct ScanOptions {
  std::int64_t now_ms = 0;
  std::size_t workers = 2;
  Tallies empty_tallies;  ///< What each thread starts with.
};

/// Reads one collection once: one thread reads, the workers evaluate everything that the program
/// has for it. What needs more than one document goes to sorters, tables and sets of the program.
/// `seen`: how many documents there were. Errors: those of the reader and the sorters; cancelled.
[[nodiscard]] Status scan_collection(Program& program, CollectionProgram& collection,
                                     DocumentCursor& cursor, const ScanOptions& options,
                                     Tallies& tallies, std::uint64_t& seen, ProgressSink& progress,
                                     std::stop_token stop);

/// Works out what the sorters of key rules, references and views hold, after all scans.
[[nodiscard]] Status join_all(Program& program, std::int64_t now_ms, Tallies& tallies,
                              std::stop_token stop);

/// Puts a view's documents together and applies its rules. `root`: the view's document, projected.
class ViewEvaluation {
 public:
  ViewEvaluation(CompiledView& view, std::int64_t now_ms);
  /// Starts with a document and takes what tables have for it.
  void begin(bson::DocumentView root);
  /// Adds what a sorter had for it.
  void add(std::uint8_t tag, bson::DocumentView document);
  void finish(Tallies& tallies);

 private:
  CompiledView& view_;
  profile::Evaluation evaluation_;
  std::vector<std::vector<Datum>> found_;  ///< Per lookup.
};

/// Where a lookup's documents go that are in no table: straight to the view's documents, or to the
/// sorter that joins them with the keys that are asked for.
[[nodiscard]] Status send_foreign(Program& program, const CompiledView& view,
                                  const CompiledLookup& lookup, ByteView key, ByteView document);

}  // namespace holdfast::checks

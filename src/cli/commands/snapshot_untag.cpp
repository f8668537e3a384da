#include "cli/commands/snapshot_untag.h"

#include "cli/commands/change_tags.h"

namespace holdfast::cli {
namespace {

class SnapshotUntagCommand final : public ChangeTags {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "snapshot untag",
        .group = "Backups",
        .summary = "Take tags away from a snapshot",
        .description =
            "Takes words away from a snapshot. Tags that it does not have are passed over.",
        .examples = {{"holdfast snapshot untag latest release-4.2",
                      "One tag of the newest snapshot."},
                     {"holdfast snapshot untag 3f0a91c2 audited keep", "Two at once."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

 protected:
  void change(std::vector<std::string>& present, const std::string& tag) const override {
    std::erase(present, tag);
  }
};

}  // namespace

std::unique_ptr<Command> make_snapshot_untag_command() {
  return std::make_unique<SnapshotUntagCommand>();
}

}  // namespace holdfast::cli

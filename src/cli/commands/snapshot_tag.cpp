#include "cli/commands/snapshot_tag.h"

#include <algorithm>

#include "cli/commands/change_tags.h"

namespace holdfast::cli {
namespace {

class SnapshotTagCommand final : public ChangeTags {
 public:
  [[nodiscard]] CommandInfo info() const override {
    return {
        .name = "snapshot tag",
        .group = "Backups",
        .summary = "Add tags to a snapshot",
        .description =
            "Adds words to a snapshot by which it can be found. Its content stays untouched.",
        .examples = {{"holdfast snapshot tag latest release-4.2",
                      "One tag of the newest snapshot."},
                     {"holdfast snapshot tag 3f0a91c2 audited keep", "Two at once."}},
        .settings = {"repository", "password_file", "key_file", "recovery_key_file"},
    };
  }

 protected:
  void change(std::vector<std::string>& present, const std::string& tag) const override {
    if (std::find(present.begin(), present.end(), tag) == present.end()) present.push_back(tag);
  }
};

}  // namespace

std::unique_ptr<Command> make_snapshot_tag_command() {
  return std::make_unique<SnapshotTagCommand>();
}

}  // namespace holdfast::cli

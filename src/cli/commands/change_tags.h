#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

/// What `snapshot tag` and `snapshot untag` share.
class ChangeTags : public Command {
 public:
  void declare(CLI::App& app) override;
  [[nodiscard]] Result<ExitCode> run(Context& context) override;

 protected:
  virtual void change(std::vector<std::string>& present, const std::string& tag) const = 0;

 private:
  std::string snapshot_;
  std::vector<std::string> tags_;
};

}  // namespace holdfast::cli

#pragma once

#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "cli/terminal.h"

namespace CLI {
class App;
}

namespace holdfast::cli {

struct Example {
  std::string_view line;
  std::string_view explanation;
};

/// A command as data: what help shows, and which settings are its flags.
struct CommandInfo {
  std::string_view name;     ///< "snapshot tag"
  std::string_view group;    ///< Heading in the list of commands.
  std::string_view summary;  ///< One line, in the list.
  std::string_view description;
  std::vector<Example> examples;
  /// Names in the table of settings that this command takes as flags.
  std::vector<std::string_view> settings;
  /// Settings whose help reads differently here: name, text.
  std::vector<std::pair<std::string_view, std::string_view>> setting_help = {};
  /// Whether a recovery key file opens the repository (`init` writes it instead).
  bool recovery_key_opens = true;
  /// False for commands that must work whatever the configuration holds.
  bool reads_settings = true;
};

/// What a command works with; all of it outlives the run.
struct Context {
  const Settings& settings;
  Terminal& terminal;
  Output& output;
  const Clock& clock;
  RandomSource& random;
  std::stop_token stop;
};

/// One command. Declared once, run at most once.
class Command {
 public:
  virtual ~Command() = default;
  [[nodiscard]] virtual CommandInfo info() const = 0;
  /// Adds the command's own options and positional arguments, bound to its members.
  virtual void declare(CLI::App& app) { (void)app; }
  /// Does the work. An exit code other than done comes with its text already written; an error
  /// is shown by the caller.
  [[nodiscard]] virtual Result<ExitCode> run(Context& context) = 0;
};

}  // namespace holdfast::cli

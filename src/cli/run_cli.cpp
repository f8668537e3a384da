#include "cli/run_cli.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/log.h"
#include "cli/command_line.h"
#include "cli/commands/all_commands.h"
#include "cli/help.h"
#include "cli/mask_arguments.h"
#include "cli/output.h"
#include "cli/signals.h"

namespace holdfast::cli {
namespace {

/// https://no-color.org: present and not empty.
bool wants_color(const Invocation& invocation) {
  const auto no_color = invocation.environment("NO_COLOR");
  return (!no_color || no_color->empty()) && invocation.terminal.out_is_terminal() &&
         invocation.terminal.can_redraw();
}

ExitCode finish(const Invocation& invocation, Output& output, const Error& error) {
  ExitCode code = exit_code_for(error.code());
  if (error.code() == ErrorCode::cancelled && invocation.signal() != 0) {
    code = static_cast<ExitCode>(128 + invocation.signal());
  }
  output.error(error, code);
  return code;
}

ExitCode run_chosen(const Invocation& invocation, Command& command,
                    const std::vector<std::string>& arguments) {
  const bool color = wants_color(invocation);
  CommandOptions options(command);
  const Status parsed = options.parse(arguments);
  Output output(invocation.terminal, options.json(), options.quiet(), color);
  if (!parsed.ok()) return finish(invocation, output, parsed.error());
  if (options.help()) {
    invocation.terminal.write_out(command_help(command));
    return ExitCode::done;
  }
  Settings settings;
  if (command.info().reads_settings) {
    SettingsInput input = options.settings_input();
    input.default_file = invocation.default_config_file;
    auto resolved = resolve_settings(input, invocation.environment);
    if (!resolved.ok()) return finish(invocation, output, resolved.error());
    settings = std::move(*resolved);
  }
  configure_logging(settings.log);
  Context context{settings,         invocation.terminal, output,
                  invocation.clock, invocation.random,   invocation.stop};
  const Result<ExitCode> code = command.run(context);
  if (!code.ok()) return finish(invocation, output, code.error());
  if (invocation.terminal.out_failed()) {
    invocation.terminal.write_error("error: cannot write to standard output\n");
    return *code == ExitCode::done ? ExitCode::failed : *code;
  }
  return *code;
}

}  // namespace

ExitCode run_command_line(const Invocation& invocation) {
  const Commands commands = make_all_commands();
  const auto choice = choose_command(commands, invocation.arguments);
  if (!choice.ok()) {
    const auto& words = invocation.arguments;
    const bool json = std::find(words.begin(), words.end(), "--json") != words.end();
    Output output(invocation.terminal, json, false, false);
    return finish(invocation, output, choice.error());
  }
  if (choice->command != nullptr) {
    if (!choice->help) return run_chosen(invocation, *choice->command, choice->arguments);
    invocation.terminal.write_out(command_help(*choice->command));
    return ExitCode::done;
  }
  if (choice->version) {
    invocation.terminal.write_out(fmt::format("holdfast {}\n", HOLDFAST_VERSION));
    return ExitCode::done;
  }
  const std::string help = overview_help(commands, choice->group_word);
  if (choice->help) {
    invocation.terminal.write_out(help);
    return ExitCode::done;
  }
  invocation.terminal.write_error(help);
  return ExitCode::usage;
}

int run_cli(int argc, char** argv) {
  occupy_standard_streams();
  Environment environment = [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  mask_arguments(argc, argv);
  const auto terminal = make_process_terminal(environment("TERM").value_or("dumb") == "dumb");
  SignalWatch signals;
  const SystemClock clock;
  SystemRandom random;
  try {
    return static_cast<int>(
        run_command_line(Invocation{std::move(arguments), environment, *terminal, clock, random,
                                    signals.token(), [&signals] { return signals.received(); }}));
  } catch (const std::exception& error) {
    // No code of ours throws; what arrives here is memory at its end, or a bug.
    terminal->write_error(fmt::format("error: {}\n", mask_uri(error.what())));
    return static_cast<int>(ExitCode::failed);
  }
}

}  // namespace holdfast::cli

#include "cli/output.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"

namespace holdfast::cli {
namespace {

std::string_view code_of(Output::Color color) {
  switch (color) {
    case Output::Color::green: return "32";
    case Output::Color::yellow: return "33";
    case Output::Color::red: return "31";
    case Output::Color::bold: return "1";
  }
  return "0";
}

}  // namespace

void Output::print(std::string_view text) {
  if (!json_) terminal_.write_out(text);
}

void Output::report(std::string_view text) {
  if (!json_ && !quiet_) terminal_.write_out(text);
}

void Output::tell(std::string_view text) {
  if (!json_ && !quiet_) terminal_.write_error(text);
}

void Output::warn(std::string_view text) {
  terminal_.write_error(fmt::format("warning: {}\n", sanitize_for_terminal(mask_uri(text))));
}

void Output::document(std::string_view format, Json fields) {
  if (!json_) return;
  Json whole{{"format", std::string(format)}};
  whole.update(fields);
  line(whole);
}

void Output::result(std::string_view format, Json fields) {
  if (!json_) return;
  Json whole{{"type", "result"}, {"format", std::string(format)}};
  whole.update(fields);
  line(whole);
}

void Output::line(const Json& line) {
  if (json_) terminal_.write_out(json_line(line));
}

void Output::error(const Error& error, ExitCode code) {
  const std::string message = mask_uri(error.message());
  terminal_.write_error(fmt::format("error: {}\n", sanitize_for_terminal(message)));
  if (!error.hint().empty()) {
    terminal_.write_error(fmt::format("hint: {}\n", sanitize_for_terminal(error.hint())));
  }
  if (!json_) return;
  line(Json{{"type", "error"},
            {"format", "holdfast.error/1"},
            {"code", name_of(error.code())},
            {"exit_code", static_cast<int>(code)},
            {"message", message},
            {"hint", error.hint()}});
}

std::string Output::colored(std::string_view text, Color color) const {
  if (!color_) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code_of(color), text);
}

std::string json_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json json_time(WallTime time) {
  if (time == WallTime{}) return nullptr;
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace holdfast::cli

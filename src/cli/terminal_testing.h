#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "cli/terminal.h"

namespace holdfast::cli {

/// A terminal that keeps what is written and answers from a list.
class FakeTerminal final : public Terminal {
 public:
  std::string out;
  std::string errors;
  std::deque<std::string> answers;
  std::vector<std::string> questions;
  bool interactive = false;
  std::size_t columns = 80;

  void write_out(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    out += text;
  }
  void write_error(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    errors += text;
  }
  [[nodiscard]] bool out_failed() const override { return false; }
  [[nodiscard]] bool out_is_terminal() const override { return interactive; }
  [[nodiscard]] bool error_is_terminal() const override { return interactive; }
  [[nodiscard]] bool can_ask() const override { return interactive; }
  [[nodiscard]] std::size_t width() const override { return columns; }
  [[nodiscard]] bool can_redraw() const override { return interactive; }
  [[nodiscard]] Result<std::string> ask(std::string_view question, std::stop_token) override {
    questions.emplace_back(question);
    if (answers.empty()) return Error(ErrorCode::precondition, "no answer was given");
    std::string answer = answers.front();
    answers.pop_front();
    return answer;
  }
  [[nodiscard]] Result<SecretBytes> ask_secret(std::string_view question,
                                               std::stop_token stop) override {
    auto answer = ask(question, stop);
    if (!answer.ok()) return answer.error();
    return SecretBytes(as_bytes(*answer));
  }

 private:
  std::mutex mutex_;
};

}  // namespace holdfast::cli

#pragma once

#include <CLI/App.hpp>
#include <CLI/Error.hpp>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/toolchain/suggest.h"

namespace zeropoint::cli {

/// The words that an option accepts, and what each means.
template <typename T>
using Choices = std::vector<std::pair<std::string, T>>;

/// An option that takes one of a few words; another word is answered with the nearest. `target` holds the
/// default.
template <typename T>
CLI::Option* add_choice(CLI::App& command, const std::string& name, T& target, const Choices<T>& choices,
                        const std::string& help) {
  std::vector<std::string> words;
  std::string listed;
  std::string chosen;
  for (const auto& [word, value] : choices) {
    words.push_back(word);
    listed += (listed.empty() ? "" : ",") + word;
    chosen = value == target ? word : chosen;
  }
  auto choose = [&target, choices, words, listed, name](const std::string& word) {
    for (const auto& [candidate, value] : choices) {
      if (candidate == word) {
        target = value;
        return;
      }
    }
    std::string guess = toolchain::nearest(word, words);
    std::string hint = guess.empty() ? "use one of " + listed : "did you mean " + guess + "?";
    throw CLI::ValidationError(name, "unknown word '" + word + "'; " + hint);
  };
  return command.add_option_function<std::string>(name, choose, help)
      ->type_name("{" + listed + "}")
      ->default_str(chosen);
}

/// The same for words that stand for themselves.
inline CLI::Option* add_choice(CLI::App& command, const std::string& name, std::string& target,
                               const std::vector<std::string>& words, const std::string& help) {
  Choices<std::string> choices;
  for (const std::string& word : words) {
    choices.emplace_back(word, word);
  }
  return add_choice(command, name, target, choices, help);
}

}  // namespace zeropoint::cli

#include "zeropoint/einsum.h"

#include <algorithm>
#include <array>
#include <optional>

namespace zeropoint {
namespace {

constexpr int kLetters = 52;

/// "ab...c": labels before and behind the ellipsis, if there is one.
struct Term {
  std::vector<int> before;
  std::vector<int> behind;
  bool ellipsis = false;

  [[nodiscard]] std::size_t letters() const { return before.size() + behind.size(); }

  static std::optional<Term> parse(const std::string& text) {
    Term term;
    for (std::size_t i = 0; i < text.size(); ++i) {
      char c = text[i];
      if (c >= 'A' && c <= 'Z') {
        (term.ellipsis ? term.behind : term.before).push_back(c - 'A');
      } else if (c >= 'a' && c <= 'z') {
        (term.ellipsis ? term.behind : term.before).push_back(c - 'a' + kLetters / 2);
      } else if (text.compare(i, 3, "...") == 0 && !term.ellipsis) {
        term.ellipsis = true;
        i += 2;
      } else {
        return std::nullopt;
      }
    }
    return term;
  }

  /// The labels where the ellipsis stands for `count` axes.
  [[nodiscard]] std::vector<int> labels(std::size_t count) const {
    std::vector<int> result = before;
    for (std::size_t i = ellipsis ? count : 0; i-- > 0;) {
      result.push_back(kLetters + static_cast<int>(i));
    }
    result.insert(result.end(), behind.begin(), behind.end());
    return result;
  }
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace

Result<EinsumEquation> EinsumEquation::parse(const std::string& equation,
                                             std::span<const std::size_t> ranks) {
  Status malformed = Status::invalid_argument("equation '", equation, "' is malformed or does not fit its ",
                                              ranks.size(), " inputs");
  std::string text;
  std::remove_copy(equation.begin(), equation.end(), std::back_inserter(text), ' ');
  std::size_t arrow = text.find("->");
  std::vector<std::string> operands = split(text.substr(0, arrow), ',');
  if (operands.size() != ranks.size()) {
    return malformed;
  }
  EinsumEquation result;
  std::array<int, kLetters> occurrences{};
  std::size_t longest = 0;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    std::optional<Term> term = Term::parse(operands[i]);
    bool fits = term && (term->ellipsis ? term->letters() <= ranks[i] : term->letters() == ranks[i]);
    if (!fits) {
      return malformed;
    }
    std::size_t elided = ranks[i] - term->letters();
    longest = std::max(longest, elided);
    result.inputs.push_back(term->labels(elided));
    for (int label : result.inputs.back()) {
      if (label < kLetters) {
        ++occurrences[static_cast<std::size_t>(label)];
      }
    }
  }
  Term output;
  output.ellipsis = true;
  if (arrow == std::string::npos) {
    for (int label = 0; label < kLetters; ++label) {
      if (occurrences[static_cast<std::size_t>(label)] == 1) {
        output.behind.push_back(label);
      }
    }
  } else {
    std::optional<Term> term = Term::parse(text.substr(arrow + 2));
    if (!term || (longest > 0 && !term->ellipsis)) {
      return malformed;
    }
    output = *std::move(term);
  }
  result.output = output.labels(longest);
  for (int label : result.output) {
    bool known = label >= kLetters || occurrences[static_cast<std::size_t>(label)] > 0;
    if (!known || std::ranges::count(result.output, label) > 1) {
      return malformed;
    }
  }
  return result;
}

}  // namespace zeropoint

#include "data/labels_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "import/printable.h"

namespace zeropoint::toolchain {
namespace {

using Fields = std::vector<std::string>;

/// The fields of the line that `text` begins with, which is taken off; none when a quote stays open.
std::optional<Fields> take_line(std::string_view& text) {
  Fields fields(1);
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size() && (quoted || text[at] != '\n'); ++at) {
    char c = text[at];
    if (quoted && c == '"' && at + 1 < text.size() && text[at + 1] == '"') {
      fields.back() += '"';
      ++at;
    } else if (c == '"' && (quoted || fields.back().empty())) {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r' || quoted) {
      fields.back() += c;
    }
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  return quoted ? std::nullopt : std::optional(std::move(fields));
}

std::optional<std::int64_t> label_in(std::string_view text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  std::int64_t label = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), label);
  bool read = error == std::errc() && end == text.data() + text.size() && label >= 0;
  return read ? std::optional(label) : std::nullopt;
}

struct Columns {
  std::size_t count = 2;
  std::size_t file = 0;
  std::size_t label = 1;
};

std::optional<std::size_t> column(const Fields& names, std::initializer_list<std::string_view> wanted) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::find(wanted.begin(), wanted.end(), names[i]) != wanted.end()) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<LabelledFile>> parse_labels_csv(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  text.remove_prefix(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  std::vector<LabelledFile> files;
  Columns columns;
  for (std::int64_t line = 1; !text.empty(); ++line) {
    std::optional<Fields> fields = take_line(text);
    if (!fields) {
      return Status::corrupt(fmt::format("line {}: a quote is not closed", line));
    }
    if (fields->size() == 1 && fields->front().empty()) {
      continue;
    }
    if (line == 1) {
      std::optional<std::size_t> file = column(*fields, {"file", "filename", "image", "path"});
      std::optional<std::size_t> label = column(*fields, {"label", "class", "target"});
      if (file && label) {
        columns = {fields->size(), *file, *label};
        continue;
      }
    }
    if (fields->size() != columns.count) {
      return Status::corrupt(fmt::format("line {}: {} fields where {} are expected, 'file,label'", line,
                                         fields->size(), columns.count));
    }
    std::optional<std::int64_t> label = label_in((*fields)[columns.label]);
    if (!label) {
      return Status::corrupt(fmt::format("line {}: label '{}' is no whole number from 0 on", line,
                                         printable((*fields)[columns.label])));
    }
    files.push_back({std::move((*fields)[columns.file]), *label});
  }
  return files;
}

}  // namespace zeropoint::toolchain

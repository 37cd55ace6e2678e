#include "quantize/improve/layer_note.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace zeropoint::toolchain {

std::string summary(std::string_view improvement, const std::vector<LayerNote>& notes) {
  auto changed =
      std::count_if(notes.begin(), notes.end(), [](const LayerNote& note) { return note.changed; });
  if (changed == 0) {
    return "";
  }
  std::string text = fmt::format("{}: {} of {} layers changed", improvement, changed, notes.size());
  std::map<std::string, std::vector<std::string>> reasons;
  for (const LayerNote& note : notes) {
    if (!note.changed) {
      reasons[note.what].push_back(note.layer);
    }
  }
  for (const auto& [reason, layers] : reasons) {
    text += fmt::format("; not {}{}: {}", layers[0],
                        layers.size() == 1 ? "" : fmt::format(" and {} more", layers.size() - 1), reason);
  }
  return text;
}

}  // namespace zeropoint::toolchain

// The maps in the documents do not rot: every file or folder they name is there, and every operator is
// listed.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/operator.h"

namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The pages at the root and all of docs/, relative to `root`.
std::vector<std::string> documents(const std::filesystem::path& root) {
  std::vector<std::string> names{"README.md", "ARCHITECTURE.md"};
  for (const auto& entry : std::filesystem::directory_iterator(root / "docs")) {
    names.push_back("docs/" + entry.path().filename().string());
  }
  return names;
}

/// Folders of the project begin so; anything else between backquotes is code.
bool names_a_path(const std::string& text) {
  static const std::regex path_pattern(
      "(runtime|toolchain|cli|tests|fuzz|bench|cmake|\\.ci)/[A-Za-z0-9_./-]*|docs/[a-z_]+\\.md");
  return std::regex_match(text, path_pattern);
}

TEST(Docs, EveryPathThatIsNamedExists) {
  std::filesystem::path root = ZP_SOURCE_DIR;
  int named = 0;
  for (const std::string& document : documents(root)) {
    std::string text = content_of(root / document);
    ASSERT_FALSE(text.empty()) << document;
    static const std::regex quoted("`([^`\\n]+)`|\\]\\(([^)#:]+)\\)");
    for (auto it = std::sregex_iterator(text.begin(), text.end(), quoted); it != std::sregex_iterator();
         ++it) {
      bool is_link = (*it)[2].matched;
      std::string name = is_link ? (*it)[2] : (*it)[1];
      if (!is_link && !names_a_path(name)) {
        continue;
      }
      ++named;
      std::filesystem::path folder = is_link ? (root / document).parent_path() : root;
      EXPECT_TRUE(std::filesystem::exists(folder / name)) << document << " names " << name;
    }
  }
  EXPECT_GT(named, 20);
}

/// Rows of the tables behind the heading, up to the next one: first and second cell.
std::set<std::pair<std::string, std::string>> rows_behind(const std::string& text,
                                                          const std::string& heading) {
  std::size_t begin = text.find("\n" + heading + "\n");
  std::string section = begin == std::string::npos ? "" : text.substr(begin + heading.size());
  section = section.substr(0, section.find("\n## "));
  static const std::regex row("\\n\\| (\\w+) \\| (\\d+) \\|");
  std::set<std::pair<std::string, std::string>> rows;
  for (auto it = std::sregex_iterator(section.begin(), section.end(), row); it != std::sregex_iterator();
       ++it) {
    EXPECT_TRUE(rows.emplace((*it)[1], (*it)[2]).second) << heading << " names " << (*it)[1] << " twice";
  }
  return rows;
}

TEST(Docs, TheTablesOfOperatorsAreOpsInc) {
  std::string text = content_of(std::filesystem::path(ZP_SOURCE_DIR) / "docs/operators.md");
  std::set<std::pair<std::string, std::string>> onnx;
  std::set<std::pair<std::string, std::string>> microsoft;
  for (const zeropoint::OpInfo& op : zeropoint::all_operators()) {
    (op.domain.empty() ? onnx : microsoft).emplace(std::string(op.name), std::to_string(op.since));
  }
  EXPECT_EQ(rows_behind(text, "## ONNX"), onnx);
  EXPECT_EQ(rows_behind(text, "## ONNX Runtime's own (com.microsoft)"), microsoft);
}

}  // namespace

// The maps in the documents do not rot: every file or folder they name is there.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
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
  for (const char* document :
       {"README.md", "ARCHITECTURE.md", "docs/quantization.md", "docs/plan.md", "docs/preprocess.md"}) {
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

}  // namespace

// Test labels never reach a method: the program that runs methods does not
// even contain the functions that would load them.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

namespace tailmark {
namespace {

namespace fs = std::filesystem;

// What tailmark::test_labels is made of.
constexpr std::array<std::string_view, 10> kFunctions = {
    "tailmark::TestLabelRegistry::",
    "tailmark::BuiltinTestLabels(",
    "tailmark::EmbeddedTestLabels(",
    "tailmark::FolderTestLabels(",
    "tailmark::CocoLtTestLabels(",
    "tailmark::VocLtTestLabels(",
    "tailmark::EmbeddedFewShotTestLabels(",
    "tailmark::CocoFewShotTestLabels(",
    "tailmark::Voc07FewShotTestLabels(",
    "tailmark::lists::ReadFewShotTestLabels("};

std::string SymbolsOf(const fs::path& program) {
  const std::string command =
      std::string(TM_NM) + " -C '" + program.string() + "' 2>/dev/null";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string symbols;
  std::array<char, 1 << 16> buffer{};
  while (const auto n = fread(buffer.data(), 1, buffer.size(), pipe)) {
    symbols.append(buffer.data(), n);
  }
  return pclose(pipe) == 0 ? symbols : "";
}

TEST(TestLabels, AreNotInTheWorker) {
  const fs::path worker = fs::path(TM_BIN_DIR) / "tailmark-worker";
  if (!fs::exists(worker)) GTEST_SKIP() << worker << " is not built";
  const std::string symbols = SymbolsOf(worker);
  // The same words must be found where they are, or nothing has been shown.
  ASSERT_NE(symbols.find("tailmark::RegisterBuiltinDatasets("), symbols.npos)
      << "no symbols in " << worker;
  for (const auto name : kFunctions) {
    EXPECT_EQ(symbols.find(name), symbols.npos) << name;
  }
}

TEST(TestLabels, AreInTheProgramThatScores) {
  const fs::path program = fs::path(TM_BIN_DIR) / "tailmark";
  if (!fs::exists(program)) GTEST_SKIP() << program << " is not built";
  const std::string symbols = SymbolsOf(program);
  for (const auto name : kFunctions) {
    EXPECT_NE(symbols.find(name), symbols.npos) << name;
  }
}

}  // namespace
}  // namespace tailmark

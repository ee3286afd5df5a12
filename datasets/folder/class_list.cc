#include "datasets/folder/class_list.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <unordered_set>

#include "datasets/folder/builtin_lists.h"
#include "datasets/folder/csv.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/suggest.h"

namespace tailmark::folder {
namespace {

constexpr std::int64_t kMostBytes = 1 << 24;
constexpr std::string_view kBuiltin = "builtin:";

std::int64_t ParseCount(const CsvReader& csv, const CsvField& field) {
  std::int64_t count = -1;
  const char* end = field.text.data() + field.text.size();
  const auto result = std::from_chars(field.text.data(), end, count);
  if (result.ec != std::errc() || result.ptr != end || count < 0) {
    csv.Fail(field, StrCat("'", field.text,
                           "' is no count; expected a whole number of at "
                           "least 0"));
  }
  return count;
}

void CheckClass(const CsvReader& csv, const CsvField& field,
                std::unordered_set<std::string>& seen) {
  if (const auto wrong = WhatIsWrongWithClass(field.text); !wrong.empty()) {
    csv.Fail(field, wrong);
  }
  if (!seen.insert(field.text).second) {
    csv.Fail(field, StrCat("class '", field.text, "' is there twice"));
  }
}

}  // namespace

std::string WhatIsWrongWithClass(std::string_view name) {
  if (name.find_first_not_of(' ') == name.npos) return "a class without a name";
  const bool control = std::any_of(name.begin(), name.end(), [](char c) {
    return std::iscntrl(static_cast<unsigned char>(c)) != 0;
  });
  return control ? "a control character in a class name" : "";
}

std::vector<CountedClass> ParseCounts(std::string_view text,
                                      const std::string& name) {
  CsvReader csv(text, name);
  CsvRow row;
  const bool header = csv.Next(row);
  if (!header || row.size() != 2 || row[0].text != "class" ||
      row[1].text != "count") {
    throw DataError(StrCat(name, ":1:1: expected the header class,count"));
  }
  std::vector<CountedClass> classes;
  std::unordered_set<std::string> seen;
  while (csv.Next(row)) {
    if (row.size() != 2) {
      csv.Fail(row.back(), StrCat("a row of ", row.size(),
                                  " fields, expected class,count"));
    }
    CheckClass(csv, row[0], seen);
    classes.push_back({row[0].text, ParseCount(csv, row[1])});
  }
  return classes;
}

std::vector<std::string> ParseClassNames(std::string_view text,
                                         const std::string& name) {
  CsvReader csv(text, name);
  std::vector<std::string> classes;
  std::unordered_set<std::string> seen;
  CsvRow row;
  while (csv.Next(row)) {
    if (row.size() != 1) {
      csv.Fail(row[1],
               "expected one class name a line; quote a name that has "
               "a comma");
    }
    CheckClass(csv, row[0], seen);
    classes.push_back(row[0].text);
  }
  return classes;
}

std::string ReadListFile(const std::string& where,
                         const std::filesystem::path& root) {
  if (!where.starts_with(kBuiltin)) return ReadFile(root / where, kMostBytes);
  const std::string name = where.substr(kBuiltin.size());
  if (name == "coco-lt") return std::string(kCocoLt);
  if (name == "voc-lt") return std::string(kVocLt);
  const std::array<std::string, 2> names = {"coco-lt", "voc-lt"};
  throw ConfigError(UnknownName("builtin list", name, names));
}

}  // namespace tailmark::folder

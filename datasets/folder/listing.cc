#include "datasets/folder/listing.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <unordered_map>

#include "datasets/folder/csv.h"
#include "harness/base/error.h"

namespace tailmark::folder {
namespace {

/// Where the columns of a CSV list are; -1: not there.
struct Columns {
  int path = -1;
  int labels = -1;
  int split = -1;
  int sha256 = -1;
  std::size_t count = 0;
};

int* ColumnNamed(std::string_view name, Columns& columns) {
  if (name == "path" || name == "file") return &columns.path;
  if (name == "labels") return &columns.labels;
  if (name == "split") return &columns.split;
  if (name == "sha256") return &columns.sha256;
  return nullptr;
}

Columns ReadHeader(CsvReader& csv, const std::string& name) {
  CsvRow header;
  if (!csv.Next(header)) {
    throw DataError(
        StrCat(name, ":1:1: empty; expected a header such as path,labels"));
  }
  Columns columns;
  columns.count = header.size();
  for (std::size_t i = 0; i < header.size(); ++i) {
    int* column = ColumnNamed(header[i].text, columns);
    if (column == nullptr) {
      csv.Fail(header[i],
               StrCat("unknown column '", header[i].text,
                      "'; expected path (or file), labels, split, sha256"));
    }
    if (*column >= 0) {
      csv.Fail(header[i], StrCat("a second column '", header[i].text, "'"));
    }
    *column = static_cast<int>(i);
  }
  if (columns.path < 0 || columns.labels < 0) {
    csv.Fail(header[0], "the header must name the columns path and labels");
  }
  return columns;
}

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<ListedLabel> SplitLabels(const CsvField& field,
                                     std::string_view delimiter) {
  std::vector<ListedLabel> labels;
  std::string_view rest = field.text;
  std::size_t offset = 0;
  while (offset <= field.text.size()) {
    rest = std::string_view(field.text).substr(offset);
    const auto end = std::min(rest.find(delimiter), rest.size());
    const std::string_view label = Trim(rest.substr(0, end));
    if (!label.empty()) {
      labels.push_back({std::string(label),
                        field.column + static_cast<std::int64_t>(offset)});
    }
    offset += end + delimiter.size();
  }
  return labels;
}

const CsvField& At(const CsvRow& row, int column) {
  return row[static_cast<std::size_t>(column)];
}

// False: the row says that it is to be ignored.
bool ReadRole(const CsvReader& csv, const CsvRow& row, const Columns& columns,
              const ListingRules& rules, SplitRole& role) {
  role = rules.role.value_or(SplitRole::kTest);
  if (rules.role || columns.split < 0) return true;
  const CsvField& field = At(row, columns.split);
  const SplitWord split = SplitFromWord(field.text);
  if (!split.known) {
    csv.Fail(field, StrCat("split '", field.text, "'; expected ", kSplitWords));
  }
  if (split.role) role = *split.role;
  return split.role.has_value();
}

void CheckRow(const CsvReader& csv, const CsvRow& row, const Columns& columns) {
  if (row.size() != columns.count) {
    csv.Fail(row.back(), StrCat("a row of ", row.size(), " fields, expected ",
                                columns.count, " as in the header"));
  }
  const CsvField& path = At(row, columns.path);
  if (const auto wrong = WhatIsWrongWithPath(path.text); !wrong.empty()) {
    csv.Fail(path, wrong);
  }
  if (columns.sha256 < 0) return;
  const CsvField& sha256 = At(row, columns.sha256);
  if (const auto wrong = WhatIsWrongWithSha256(sha256.text); !wrong.empty()) {
    csv.Fail(sha256, wrong);
  }
}

}  // namespace

std::string WhatIsWrongWithPath(std::string_view path) {
  if (path.empty()) return "an empty path";
  if (path[0] == '/') {
    return StrCat("path '", path, "' is absolute; expected one below the root");
  }
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const auto end = std::min(path.find('/', begin), path.size());
    if (path.substr(begin, end - begin) == "..") {
      return StrCat("path '", path, "' leads out of the root");
    }
    begin = end + 1;
  }
  const bool control = std::any_of(path.begin(), path.end(), [](char c) {
    return std::iscntrl(static_cast<unsigned char>(c)) != 0;
  });
  return control ? "a control character in a path" : "";
}

std::string WhatIsWrongWithSha256(std::string_view sha256) {
  if (sha256.empty()) return "";
  constexpr std::size_t kHexDigits = 64;
  const bool hex = sha256.find_first_not_of("0123456789abcdef") == sha256.npos;
  if (hex && sha256.size() == kHexDigits) return "";
  return StrCat("'", sha256, "' is no SHA-256: expected 64 digits 0-9a-f");
}

SplitWord SplitFromWord(std::string_view word) {
  if (word == "train") return {true, SplitRole::kTrain};
  if (word == "test") return {true, SplitRole::kTest};
  return {word == "ignore", std::nullopt};
}

Listing ReadCsvListing(std::string_view text, const std::string& name,
                       const ListingRules& rules) {
  TM_CHECK(!rules.delimiter.empty());
  CsvReader csv(text, name);
  const Columns columns = ReadHeader(csv, name);
  Listing listing{.name = name};
  std::unordered_map<std::string, std::int64_t> line_of;
  CsvRow row;
  while (csv.Next(row)) {
    CheckRow(csv, row, columns);
    const CsvField& path = At(row, columns.path);
    if (!path.text.starts_with(rules.prefix)) continue;
    ListedImage image{.path = path.text, .line = path.line};
    if (!ReadRole(csv, row, columns, rules, image.role)) continue;
    const auto [first, added] = line_of.emplace(path.text, path.line);
    if (!added) {
      csv.Fail(path, StrCat("'", path.text, "' is listed already in line ",
                            first->second));
    }
    if (image.role == SplitRole::kTrain || rules.test_labels) {
      image.labels = SplitLabels(At(row, columns.labels), rules.delimiter);
    }
    if (columns.sha256 >= 0) image.sha256 = At(row, columns.sha256).text;
    listing.images.push_back(std::move(image));
  }
  return listing;
}

Listing ReadListing(std::string_view text, const std::string& name,
                    const ListingRules& rules) {
  const auto first = text.find_first_not_of(" \t\r\n");
  const bool json = first != text.npos && text[first] == '{';
  return json ? ReadCocoListing(text, name, rules)
              : ReadCsvListing(text, name, rules);
}

}  // namespace tailmark::folder

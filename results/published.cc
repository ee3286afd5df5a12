#include "results/published.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/json_integer.h"
#include "harness/base/suggest.h"
#include "results/csv_rows.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

using Groups = std::map<std::string, int>;

/// Classes with 100 training images or more, 20 to 99, fewer.
const std::map<std::string, Groups> kKnownGroups = {
    {"coco-lt", {{"head", 22}, {"medium", 33}, {"tail", 25}}},
    {"voc-lt", {{"head", 6}, {"medium", 6}, {"tail", 8}}}};

/// Nobody prints more.
constexpr int kMostDecimals = 12;

int DecimalsOf(std::string_view text) {
  const auto point = text.find('.');
  if (point == text.npos) return 0;
  return static_cast<int>(
      std::min<std::size_t>(text.size() - point - 1, kMostDecimals));
}

/// "76.19" as printed; a "%" or "*" behind it is not part of the number.
PrintedValue ValueOfText(std::string column, std::string_view text,
                         const std::string& where) {
  while (!text.empty() &&
         (text.back() == '%' || text.back() == '*' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  PrintedValue out{.column = std::move(column)};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out.value);
  if (error != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(out.value)) {
    throw DataError(StrCat(where, ": '", out.column, "' holds '", text,
                           "', expected a number"));
  }
  out.decimals = DecimalsOf(text);
  out.text = true;
  return out;
}

PrintedValue ValueOfJson(const std::string& column, const Json& json,
                         int decimals, const std::string& where) {
  if (json.is_string()) {
    return ValueOfText(column, json.get<std::string>(), where);
  }
  if (!json.is_number()) {
    throw DataError(StrCat(where, ": '", column, "' holds ", json.dump(),
                           ", expected a number"));
  }
  // A number in JSON has lost its trailing zeros, never its other digits.
  return {.column = column,
          .value = json.get<double>(),
          .decimals = std::max(decimals, DecimalsOf(json.dump())),
          .text = false};
}

/// At least the decimals that some value of the table shows.
void FinishDecimals(PublishedTable& table) {
  int most = 0;
  for (const PublishedRow& row : table.rows) {
    for (const PrintedValue& value : row.values) {
      most = std::max(most, value.decimals);
    }
  }
  table.decimals = most;
  for (PublishedRow& row : table.rows) {
    for (PrintedValue& value : row.values) {
      if (!value.text) value.decimals = std::max(value.decimals, most);
    }
  }
}

void FinishGroups(PublishedTable& table, const Groups& groups) {
  for (const PublishedRow& row : table.rows) {
    const auto known = kKnownGroups.find(row.dataset);
    if (known != kKnownGroups.end()) {
      table.groups.emplace(row.dataset, known->second);
    } else if (!groups.empty()) {
      table.groups.emplace(row.dataset, groups);
    }
  }
}

bool NamesRow(const std::string& column) {
  return column == "row" || column == "method";
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return text;
}

PublishedTable TableOfCsv(const fs::path& file, const Groups& groups) {
  const auto lines = ReadCsvRows(file);
  if (lines.size() < 2) {
    throw DataError(
        StrCat(file.string(), ": expected a header and at least one row"));
  }
  std::vector<std::string> columns = lines[0];
  for (std::string& column : columns) {
    const std::string lower = Lower(column);
    if (NamesRow(lower) || lower == "dataset" || lower == "total" ||
        lower == "head" || lower == "medium" || lower == "tail") {
      column = lower;
    }
  }
  PublishedTable table{.source = file.stem().string(), .id = "table"};
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string where = StrCat(file.string(), ", row ", i);
    if (lines[i].size() != columns.size()) {
      throw DataError(StrCat(where, ": ", lines[i].size(),
                             " cells, the header has ", columns.size()));
    }
    PublishedRow row{.status = "primary"};
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string& text = lines[i][c];
      if (NamesRow(columns[c])) {
        row.row = text;
      } else if (columns[c] == "dataset") {
        row.dataset = Lower(text);
      } else if (!text.empty() && text != "-") {
        row.values.push_back(ValueOfText(columns[c], text, where));
      }
    }
    table.rows.push_back(std::move(row));
  }
  FinishDecimals(table);
  FinishGroups(table, groups);
  return table;
}

PublishedTable TableOfList(const Json& json, const fs::path& file,
                           const Groups& groups) {
  PublishedTable table{.source = file.stem().string(), .id = "table"};
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string where = StrCat(file.string(), ", row ", i + 1);
    if (!json[i].is_object()) {
      throw DataError(StrCat(where, ": is not an object"));
    }
    PublishedRow row{.status = "primary"};
    for (const auto& [key, value] : json[i].items()) {
      if (NamesRow(key) && value.is_string()) {
        row.row = value.get<std::string>();
      } else if (key == "dataset" && value.is_string()) {
        row.dataset = Lower(value.get<std::string>());
      } else if (!value.is_null()) {
        row.values.push_back(ValueOfJson(key, value, 0, where));
      }
    }
    table.rows.push_back(std::move(row));
  }
  FinishDecimals(table);
  FinishGroups(table, groups);
  return table;
}

PublishedRow RowOfOurs(const OrderedJson& json, int decimals,
                       const std::string& where) {
  PublishedRow row{.row = json.at("row").get<std::string>(),
                   .dataset = json.at("dataset").get<std::string>(),
                   .status = json.at("status").get<std::string>()};
  if (row.status != "primary" && row.status != "second_hand" &&
      row.status != "author_log") {
    throw DataError(StrCat(where, ": status '", row.status,
                           "', expected primary, second_hand or author_log"));
  }
  for (const auto& [column, value] : json.at("values").items()) {
    row.values.push_back(
        ValueOfJson(column, Json::parse(value.dump()), decimals, where));
  }
  return row;
}

PublishedTable TableOfOurs(const OrderedJson& json, const std::string& source,
                           const fs::path& file) {
  PublishedTable table{
      .source = source,
      .id = json.at("id").get<std::string>(),
      .title = json.at("title").get<std::string>(),
      .where = json.at("source").get<std::string>(),
      .decimals = IntegerOf<int>(
          json.at("decimals"), file.string() + ": decimals", 0, kMostDecimals),
      .logs_of = json.value("logs_of", std::string())};
  if (json.contains("groups")) {
    for (const auto& [dataset, groups] : json.at("groups").items()) {
      for (const auto& [group, classes] : groups.items()) {
        table.groups[dataset][group] = IntegerOf<int>(
            classes, StrCat(file.string(), ": classes of ", group), 0);
      }
    }
  }
  for (const OrderedJson& row : json.at("rows")) {
    table.rows.push_back(
        RowOfOurs(row, table.decimals, StrCat(file.string(), ", ", table.id)));
  }
  return table;
}

/// In file order: the order of columns is part of a table.
OrderedJson ReadOrdered(const fs::path& file) {
  const std::string text = ReadFile(file);
  ParseJson(text, file.string());  // Says where it is wrong.
  return OrderedJson::parse(text, nullptr, true, true);
}

}  // namespace

const PrintedValue* PublishedRow::Find(std::string_view column) const {
  for (const PrintedValue& value : values) {
    if (value.column == column) return &value;
  }
  return nullptr;
}

Published ReadPublished(const fs::path& file, const Groups& groups) {
  const std::string extension = Lower(file.extension().string());
  if (!fs::exists(file)) {
    throw DataError(StrCat(file.string(), ": is not there"));
  }
  Published out{.name = file.stem().string()};
  if (extension == ".csv") {
    out.tables.push_back(TableOfCsv(file, groups));
    return out;
  }
  if (extension != ".json") {
    throw DataError(
        StrCat(file.string(), ": expected a table as .csv or .json"));
  }
  const OrderedJson json = ReadOrdered(file);
  if (json.is_array()) {
    out.tables.push_back(TableOfList(Json::parse(json.dump()), file, groups));
    return out;
  }
  if (!json.is_object() || !json.contains("schema")) {
    throw DataError(StrCat(file.string(),
                           ": expected a list of rows, [{\"method\": ..., "
                           "\"dataset\": ..., \"total\": ...}], or an object "
                           "of schema \"tailmark-published/1\""));
  }
  try {
    if (json.at("schema") != "tailmark-published/1") {
      throw DataError(StrCat(file.string(), ": schema ",
                             json.at("schema").dump(),
                             ", expected \"tailmark-published/1\""));
    }
    out.name = json.at("name").get<std::string>();
    out.version =
        IntegerOf<int>(json.at("version"), file.string() + ": version", 1);
    out.summary = json.at("summary").get<std::string>();
    out.paper = json.at("paper").get<std::string>();
    for (const OrderedJson& table : json.at("tables")) {
      out.tables.push_back(TableOfOurs(table, out.name, file));
    }
  } catch (const OrderedJson::exception& error) {
    // "[json.exception.out_of_range.403] key 'id' not found"
    const std::string what = error.what();
    throw DataError(
        StrCat(file.string(), ": ",
               what.substr(std::min(what.size(), what.find(' ') + 1))));
  }
  return out;
}

std::vector<Published> ReadAllPublished() {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::directory_iterator(SharedFile("results/published"))) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Published> all;
  for (const fs::path& file : files) all.push_back(ReadPublished(file));
  return all;
}

std::vector<PublishedTable> FindPublished(std::string_view id) {
  std::vector<PublishedTable> found;
  std::vector<std::string> names;
  for (Published& published : ReadAllPublished()) {
    names.push_back(published.name);
    for (PublishedTable& table : published.tables) {
      const std::string name = StrCat(published.name, ":", table.id);
      names.push_back(name);
      if (id == published.name || id == name) found.push_back(std::move(table));
    }
  }
  if (found.empty()) {
    throw ConfigError(UnknownName("published table", id, names));
  }
  return found;
}

}  // namespace tailmark

#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tailmark {

/// A number as a paper prints it.
struct PrintedValue {
  std::string column;  ///< "total", "head", "CP", "1-shot", ...
  double value = 0;
  int decimals = 0;   ///< As printed, or the table's where that is not known.
  bool text = false;  ///< The decimals were read off a text.
};

/// One row of a table on one data set.
struct PublishedRow {
  std::string row;      ///< "LMPT", "BCE".
  std::string dataset;  ///< "coco-lt"; "" when the table says none.
  /// "primary": in the paper of the method; "second_hand": in another paper;
  /// "author_log": in a log or file that the authors released.
  std::string status;
  std::vector<PrintedValue> values;  ///< In the order printed.

  const PrintedValue* Find(std::string_view column) const;
};

struct PublishedTable {
  std::string source;  ///< Name of the file: "hp-dval".
  std::string id;      ///< "table1".
  std::string title;
  std::string where;  ///< Where it was read.
  int decimals = 2;   ///< Most values have.
  /// Data set -> group -> classes; what the total is the weighted mean of.
  std::map<std::string, std::map<std::string, int>> groups;
  std::string logs_of;  ///< Id of the table whose rows these logs belong to.
  std::vector<PublishedRow> rows;
};

/// Tables of one paper.
struct Published {
  std::string name;
  int version = 1;
  std::string summary;
  std::string paper;
  std::vector<PublishedTable> tables;
};

/// Reads a file of ours, schema "tailmark-published/1", or a user's table: CSV
/// with a header, or a JSON list of objects. A user's columns `row` or `method`
/// and `dataset` are words, all others numbers; empty cells are left out.
/// Sizes of head, medium and tail are known for coco-lt and voc-lt; `groups`
/// gives them for all other data sets. Throws DataError naming line or member.
Published ReadPublished(const std::filesystem::path& file,
                        const std::map<std::string, int>& groups = {});

/// Every file of results/published, by name. Throws DataError.
std::vector<Published> ReadAllPublished();

/// The tables of an id: "hp-dval" or "hp-dval:table1". Throws ConfigError with
/// the nearest name.
std::vector<PublishedTable> FindPublished(std::string_view id);

}  // namespace tailmark

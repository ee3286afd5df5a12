#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark::folder {

/// One field and where its text begins; both count from 1, columns in bytes.
struct CsvField {
  std::string text;
  std::int64_t line = 0;
  std::int64_t column = 0;
};
using CsvRow = std::vector<CsvField>;

/// Comma-separated values as RFC 4180 has them: fields may stand in double
/// quotes, which are doubled inside; LF or CR LF; a byte-order mark and blank
/// lines are skipped. Throws DataError "NAME:LINE:COLUMN: ..." for a lone quote
/// and for text that is not UTF-8.
class CsvReader {
 public:
  /// `text` must outlive the reader.
  CsvReader(std::string_view text, std::string name);
  /// The next row that is not blank; false at the end.
  bool Next(CsvRow& row);
  /// Throws DataError at that field.
  [[noreturn]] void Fail(const CsvField& field, std::string_view what) const;

 private:
  CsvField ReadField();
  void ReadQuoted(CsvField& field);
  bool AtLineEnd() const;
  void SkipLineEnd();
  char Take();

  std::string_view text_;
  std::string name_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  std::int64_t column_ = 1;
};

/// The offset of the first byte that is not part of well-formed UTF-8, or npos.
std::size_t FindBadUtf8(std::string_view text);

}  // namespace tailmark::folder

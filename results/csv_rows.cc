#include "results/csv_rows.h"

#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace {

std::string Trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

class Reader {
 public:
  explicit Reader(std::string text) : text_(std::move(text)) {
    // A byte order mark is no part of the first name.
    if (text_.starts_with("\xEF\xBB\xBF")) text_.erase(0, 3);
  }

  std::vector<std::vector<std::string>> Read(const std::string& name) {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quoted_) {
        if (c != '"') {
          cell_ += c;
        } else if (i + 1 < text_.size() && text_[i + 1] == '"') {
          cell_ += text_[++i];
        } else {
          quoted_ = false;
        }
      } else if (c == '"' && Trimmed(cell_).empty()) {
        cell_.clear();
        quoted_ = true;
        had_quotes_ = true;
      } else if (c == ',') {
        EndCell();
      } else if (c == '\n') {
        EndLine();
      } else if (!(had_quotes_ && (c == ' ' || c == '\r'))) {
        cell_ += c;
      }
    }
    if (quoted_) throw DataError(name + ": a quote is never closed");
    EndLine();
    return std::move(lines_);
  }

 private:
  void EndCell() {
    line_.push_back(had_quotes_ ? cell_ : Trimmed(cell_));
    cell_.clear();
    had_quotes_ = false;
  }
  void EndLine() {
    EndCell();
    if (line_.size() > 1 || !line_[0].empty()) {
      lines_.push_back(std::move(line_));
    }
    line_.clear();
  }

  std::string text_;
  std::string cell_;
  std::vector<std::string> line_;
  std::vector<std::vector<std::string>> lines_;
  bool quoted_ = false;
  bool had_quotes_ = false;
};

}  // namespace

std::vector<std::vector<std::string>> ReadCsvRows(
    const std::filesystem::path& file) {
  return Reader(ReadFile(file)).Read(file.string());
}

}  // namespace tailmark

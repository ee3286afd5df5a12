#include "datasets/folder/csv.h"

#include <algorithm>
#include <utility>

#include "harness/base/error.h"

namespace tailmark::folder {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// How many bytes follow a lead byte, and the range of the first of them, which
/// keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
struct Sequence {
  int following = -1;
  unsigned char lowest = 0x80;
  unsigned char highest = 0xBF;
};

Sequence SequenceOf(unsigned char lead) {
  if (lead < 0x80) return {0};
  if (lead >= 0xC2 && lead <= 0xDF) return {1};
  if (lead == 0xE0) return {2, 0xA0, 0xBF};
  if (lead == 0xED) return {2, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {2};
  if (lead == 0xF0) return {3, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {3};
  if (lead == 0xF4) return {3, 0x80, 0x8F};
  return {};
}

}  // namespace

std::size_t FindBadUtf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Sequence sequence = SequenceOf(static_cast<unsigned char>(text[at]));
    if (sequence.following < 0) return at;
    unsigned char lowest = sequence.lowest;
    unsigned char highest = sequence.highest;
    for (int i = 1; i <= sequence.following; ++i) {
      const std::size_t next = at + static_cast<std::size_t>(i);
      if (next >= text.size()) return at;
      const auto byte = static_cast<unsigned char>(text[next]);
      if (byte < lowest || byte > highest) return at;
      lowest = 0x80;
      highest = 0xBF;
    }
    at += static_cast<std::size_t>(sequence.following) + 1;
  }
  return std::string_view::npos;
}

CsvReader::CsvReader(std::string_view text, std::string name)
    : text_(text), name_(std::move(name)) {
  if (text_.starts_with(kByteOrderMark)) {
    text_.remove_prefix(kByteOrderMark.size());
  }
  const std::size_t bad = FindBadUtf8(text_);
  if (bad == std::string_view::npos) return;
  const std::string_view before = text_.substr(0, bad);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n');
  const auto start = line_start == before.npos ? 0 : line_start + 1;
  throw DataError(StrCat(name_, ":", line, ":", before.size() - start + 1,
                         ": not UTF-8; save the file as UTF-8"));
}

void CsvReader::Fail(const CsvField& field, std::string_view what) const {
  throw DataError(
      StrCat(name_, ":", field.line, ":", field.column, ": ", what));
}

char CsvReader::Take() {
  const char c = text_[at_++];
  ++column_;
  if (c == '\n') {
    ++line_;
    column_ = 1;
  }
  return c;
}

bool CsvReader::AtLineEnd() const {
  return at_ >= text_.size() || text_[at_] == '\n' ||
         text_.substr(at_, 2) == "\r\n";
}

void CsvReader::SkipLineEnd() {
  if (at_ < text_.size() && text_[at_] == '\r') Take();
  if (at_ < text_.size()) Take();
}

void CsvReader::ReadQuoted(CsvField& field) {
  Take();
  while (true) {
    if (at_ >= text_.size()) {
      Fail(field, "this quote is never closed");
    }
    const char c = Take();
    if (c != '"') {
      field.text += c;
    } else if (at_ < text_.size() && text_[at_] == '"') {
      field.text += Take();
    } else {
      break;
    }
  }
  if (!AtLineEnd() && text_[at_] != ',') {
    Fail({"", line_, column_},
         "expected a comma or the end of the line after the closing quote");
  }
}

CsvField CsvReader::ReadField() {
  CsvField field{.text = "", .line = line_, .column = column_};
  if (at_ < text_.size() && text_[at_] == '"') {
    ReadQuoted(field);
    return field;
  }
  while (!AtLineEnd() && text_[at_] != ',') {
    if (text_[at_] == '"') {
      Fail({"", line_, column_},
           "a quote inside a field; quote the whole field and double it");
    }
    field.text += Take();
  }
  return field;
}

bool CsvReader::Next(CsvRow& row) {
  row.clear();
  while (at_ < text_.size() && AtLineEnd()) SkipLineEnd();
  if (at_ >= text_.size()) return false;
  row.push_back(ReadField());
  while (at_ < text_.size() && text_[at_] == ',') {
    Take();
    row.push_back(ReadField());
  }
  SkipLineEnd();
  return true;
}

}  // namespace tailmark::folder

// Cleaning text, and the tokenizer on a vocabulary small enough to write down.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "methods/clip/bpe_tokenizer.h"
#include "methods/clip/text_encoding.h"
#include "methods/clip/text_html.h"
#include "methods/clip/text_repair.h"
#include "methods/clip/text_unicode.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int64_t>;

TEST(BpeTest, HuggingFaceFilesGiveTheIdsOfOpenAis) {
  // A vocabulary small enough to write down: bytes, then one merge.
  const auto folder =
      fs::temp_directory_path() / StrCat("bpe-test-", ::getpid());
  fs::create_directories(folder);
  std::vector<std::string> words;
  for (const bool shown : {true, false}) {
    char32_t spare = 0x100;
    for (char32_t b = 0; b < 256; ++b) {
      const bool is_shown = (b >= '!' && b <= '~') || (b >= 0xA1 && b != 0xAD);
      if (is_shown == shown) {
        const char32_t c = shown ? b : spare++;
        words.push_back(ToUtf8({&c, 1}));
      }
    }
  }
  for (std::size_t i = 0; i < 256; ++i) words.push_back(words[i] + "</w>");
  for (const char* word :
       {"ab", "abab</w>", "ab</w>", "<|startoftext|>", "<|endoftext|>"})
    words.emplace_back(word);
  WriteVocabulary(folder / "vocab.json", words);
  WriteFileAtomic(folder / "merges.txt",
                  "#version: 0.2\na b\na b</w>\nab ab</w>\n");
  const auto tokenizer = BpeTokenizer::Open(folder);
  EXPECT_EQ(tokenizer->Encode("ABAB aba"), (Ids{513, 512, 256 + 'a' - '!'}));
  EXPECT_EQ(tokenizer->Row("ab", 4, false), (Ids{515, 514, 516, 0}));
  EXPECT_EQ(tokenizer->Encode("\u00C3\u00A9"), tokenizer->Encode("\u00E9"));

  WriteFileAtomic(folder / "merges.txt", "#version: 0.2\na  b\n");
  EXPECT_THROW((void)BpeTokenizer::Open(folder), DataError);
  WriteFileAtomic(folder / "merges.txt", "a nothing\n");
  EXPECT_THROW((void)BpeTokenizer::Open(folder), DataError);
  WriteFileAtomic(folder / "bpe_simple_vocab_16e6.txt", "#version\na b\n");
  EXPECT_THROW((void)BpeTokenizer::Open(folder), DataError);
  fs::remove_all(folder);
}

TEST(TextTest, WrongBytesAreNamedByTheirOffset) {
  try {
    (void)FromUtf8("abc\xED\xA0\x80");
    FAIL() << "a surrogate is no character";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(),
                 "text is not UTF-8: byte 237 at offset 3 begins no character");
  }
  EXPECT_THROW((void)FromUtf8("\xC0\x80"), DataError);
  EXPECT_THROW((void)FromUtf8("a\xE2\x82"), DataError);
}

TEST(TextTest, RepairsWhatSoftwareDoesToText) {
  const std::pair<std::u32string, std::u32string> cases[] = {
      {U"caf\u00C3\u00A9", U"caf\u00E9"},
      {U"it\u00E2\u20AC\u2122s", U"it's"},
      // Right quotes and broken letters, mixed.
      {U"l\u2019\u00C3\u00A9cole", U"l'\u00E9cole"},
      // Windows-1251: a dash.
      {U"\u0432\u0402\u201D", U"\u2014"},
      {U"\u041F\u0440\u0438\u0432\u0435\u0442",
       U"\u041F\u0440\u0438\u0432\u0435\u0442"},
      // The first letter of two that lost their beginnings, and no more.
      {U"\u00C3\u0081\u00AF\u00C3\u0081\u0084", U"\u00C1\u00AF\u00C3\u0081\""},
      // A capital in quotes is no letter of the phonetic alphabet.
      {U"\u00ABCAF\u00C9\u00BB", U"\u00ABCAF\u00C9\u00BB"},
      {U"\u201Ccurly\u201D", U"\"curly\""},
      {U"\uFB01sh", U"fish"},
      {U"\uFF21\u3000\uFF42", U"A b"},
      {U"cafe\u0301", U"caf\u00E9"},
      {U"\x1B[31mred\x1B[0m\x07", U"red"},
      {U"a\r\nb\rc", U"a\nb\nc"},
      {U"P&EACUTE;REZ &amp;", U"P\u00C9REZ &"},
      {U"<b>&amp;", U"<b>&amp;"},
      {U"\u00C5ngstr\u00F6m and \u00C9cole",
       U"\u00C5ngstr\u00F6m and \u00C9cole"},
  };
  for (const auto& [from, to] : cases) {
    EXPECT_EQ(ToUtf8(RepairText(from)), ToUtf8(to));
  }
}

TEST(TextTest, Utf8ReadInAnotherCodePageIsReadAgain) {
  const std::pair<std::u32string, std::u32string> cases[] = {
      {U"na\u00C3\u00AFve", U"na\u00EFve"},
      {U"NA\u00C3\u00AFVE", U"NA\u00EFVE"},
      // Twice, the second time through windows-1252.
      {U"\u00C3\u0192\u00C2\u00A9t\u00C3\u0192\u00C2\u00A9", U"\u00E9t\u00E9"},
      // Latin-1: controls; and U+201C of windows-1252, which is a quote later.
      {U"\u00C3\u0084nderung", U"\u00C4nderung"},
      {U"\u00C3\u201Cra", U"\u00D3ra"},
      // Beside quotes that no page has with the rest.
      {U"\u2018f\u00C3\u00BCr\u2019 \uACC9", U"\u2018f\u00FCr\u2019 \uACC9"},
      // "Eskişehir"; among characters of no page two are not enough.
      {U"Eski\u00C5\u0178ehir", U"Eski\u015Fehir"},
      {U"\uACC9 Eski\u00C5\u0178ehir", U"\uACC9 Eski\u00C5\u0178ehir"},
      // Blanks that were no-break spaces.
      {U"il va \u00C3 Paris", U"il va \u00E0 Paris"},
      {U"l\u00C3  o\u00C3\u00B9", U"l\u00E0 o\u00F9"},
      {U"at\u00C3\u00A9 \u00C3 s nove", U"at\u00E9 \u00E0s nove"},
      {U"\u00C2\u00AB\u00C2 a\u00C2 \u00C2\u00BB",
       U"\u00AB\u00A0a\u00A0\u00BB"},
      // Windows-1250, 1251, 1253, 1257.
      {U"f\u0102\u013Dr", U"f\u00FCr"},
      {U"\u0420\u045F\u0421\u0402\u0420\u0451", U"\u041F\u0440\u0438"},
      {U"f\u0393\u038Cr", U"f\u00FCr"},
      {U"f\u0106\u00BCr", U"f\u00FCr"},
      {U"s\u03B2\u20AC\u2122han", U"s\u2019han"},
      // A sign behind a capital that is no word, in windows-1257.
      {U"\u0122\u00B0 \uACC9", U"\u0330 \uACC9"},
  };
  for (const auto& [from, to] : cases) {
    EXPECT_EQ(ToUtf8(RepairEncoding(from)), ToUtf8(to)) << ToUtf8(from);
  }
}

TEST(TextTest, WhatSomebodyCouldMeanKeepsItsEncoding) {
  const std::u32string cases[] = {
      // All of these are well-formed UTF-8 in windows-1252 from an accented
      // letter on: ERRONÉ…, VYPÍŠE, Úžasný, Brontë…”, está…”, «CAFÉ», MENÙ°.
      U"ERRON\u00C9\u2026",
      U"ERRON\u00C9\u00A0:",
      U"VYP\u00CD\u0160E",
      U"\u00DA\u017Easn\u00FD",
      U"\u201CBront\u00EB\u2026\u201D",
      U"\u201Cest\u00E1\u2026\u201D",
      U"\u00ABCAF\u00C9\u00BB",
      U"MEN\u00D9\u00B0",
      U"ANDR\u00C9\u2019s",
      U"ARH\u00C2\u2019s",
      U"\u00C9\u2026 e \u00C9 \u2013",
      U"3\u00D7\u00BD",
      U"IRM\u00C3 E PAI",
      // Formulas, Russian, Greek, Chinese.
      U"\u0394\u00B1 0.5",
      U"\u00AB\u0412\u00BB \u0433\u043E\u0440\u043E\u0434\u0435",
      U"\u00AB\u0393\u00BB",
      U"\u72D7\u548C\u732B",
  };
  for (const auto& text : cases) {
    EXPECT_EQ(ToUtf8(RepairEncoding(text)), ToUtf8(text));
  }
}

TEST(TextTest, HtmlIsUnescapedAsBrowsersDo) {
  const std::pair<std::u32string, std::u32string> cases[] = {
      {U"&ampx", U"&x"},
      {U"&notit;", U"\u00ACit;"},
      {U"&notin;", U"\u2209"},
      {U"&#x41;&#66", U"AB"},
      {U"&#128;", U"\u20AC"},
      {U"&#0;", U"\uFFFD"},
      {U"&#99999999999999999999;", U"\uFFFD"},
      {U"&#1;", U""},
      {U"& a &;", U"& a &;"},
      {U"&nosuch;", U"&nosuch;"},
      {U"&", U"&"},
      {U"&#", U"&#"},
      {U"&#x;", U"&#x;"},
  };
  for (const auto& [from, to] : cases) {
    EXPECT_EQ(ToUtf8(UnescapeHtml(from)), ToUtf8(to)) << ToUtf8(from);
  }
}

TEST(TextTest, SigmaIsFinalOnlyAtTheEndOfAWord) {
  EXPECT_EQ(ToUtf8(Lower(U"\u039F\u03A3 \u03A3\u039F \u03A3")),
            ToUtf8(U"\u03BF\u03C2 \u03C3\u03BF \u03C3"));
  EXPECT_EQ(ToUtf8(Lower(U"\u0130")), "i\u0307");
}

}  // namespace
}  // namespace tailmark

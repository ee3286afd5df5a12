#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "methods/clip/config.h"

namespace tailmark {

/// From text to ids. Immutable, hence thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// Ids without start and end.
  virtual std::vector<std::int64_t> Encode(std::string_view text) const = 0;

  virtual std::int64_t size() const = 0;  ///< Of the vocabulary.
  virtual std::int64_t start() const = 0;
  virtual std::int64_t end() const = 0;
  virtual std::int64_t pad() const = 0;

  /// [start] ids [end] and padding, `length` in all. A text that does not fit
  /// loses its last words when `truncate`, else it is a ConfigError.
  std::vector<std::int64_t> Row(std::string_view text, std::int64_t length,
                                bool truncate) const;

 protected:
  Tokenizer() = default;
};

/// nano-CLIP's: lower-cased words between blanks, "." and "," words of their
/// own wherever they stand; a word that is not in the vocabulary is <unk>.
class WordTokenizer final : public Tokenizer {
 public:
  /// `words` in id order, among them <pad>, <unk>, <start> and, last, <end>, as
  /// in CLIP the largest id. Throws DataError that begins with `name`.
  WordTokenizer(const std::vector<std::string>& words, std::string_view name);

  std::vector<std::int64_t> Encode(std::string_view text) const override;
  std::int64_t size() const override {
    return static_cast<std::int64_t>(ids_.size());
  }
  std::int64_t start() const override { return start_; }
  std::int64_t end() const override { return end_; }
  std::int64_t pad() const override { return pad_; }

 private:
  std::int64_t IdOf(std::string_view word, std::string_view name) const;

  std::map<std::string, std::int64_t, std::less<>> ids_;
  std::int64_t pad_;
  std::int64_t unknown_;
  std::int64_t start_;
  std::int64_t end_;
};

/// vocab.json, {"word": id}: the words in id order. Throws DataError unless the
/// ids are 0, 1, 2, ... without gap or repetition.
std::vector<std::string> ReadVocabulary(const std::filesystem::path& path);
/// Throws StoreError.
void WriteVocabulary(const std::filesystem::path& path,
                     const std::vector<std::string>& words);

/// The tokenizer that the folder's config.json names, its vocabulary checked
/// against the configuration; null for "bpe" in a folder without its
/// vocabulary, which weights need not hold. Throws DataError.
std::unique_ptr<Tokenizer> LoadTokenizer(const std::filesystem::path& folder,
                                         const ClipConfig& config);

}  // namespace tailmark

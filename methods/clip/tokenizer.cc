#include "methods/clip/tokenizer.h"

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "methods/clip/bpe_tokenizer.h"

namespace tailmark {
namespace {

char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool IsWhite(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::vector<std::int64_t> Tokenizer::Row(std::string_view text,
                                         std::int64_t length,
                                         bool truncate) const {
  auto ids = Encode(text);
  const auto room = static_cast<std::size_t>(length - 2);
  if (ids.size() > room) {
    if (!truncate) {
      throw ConfigError(StrCat("'", text, "' has ", ids.size(),
                               " tokens, but only ", room,
                               " fit between start and end"));
    }
    ids.resize(room);
  }
  std::vector<std::int64_t> row{start()};
  row.insert(row.end(), ids.begin(), ids.end());
  row.push_back(end());
  row.resize(static_cast<std::size_t>(length), pad());
  return row;
}

WordTokenizer::WordTokenizer(const std::vector<std::string>& words,
                             std::string_view name) {
  for (const std::string& word : words) {
    const auto id = static_cast<std::int64_t>(ids_.size());
    if (!ids_.emplace(word, id).second) {
      throw DataError(StrCat(name, ": '", word, "' is there twice"));
    }
  }
  pad_ = IdOf("<pad>", name);
  unknown_ = IdOf("<unk>", name);
  start_ = IdOf("<start>", name);
  end_ = IdOf("<end>", name);
  if (end_ + 1 != size()) {
    throw DataError(StrCat(name, ": <end> has id ", end_,
                           ", expected the largest, ", size() - 1));
  }
}

std::int64_t WordTokenizer::IdOf(std::string_view word,
                                 std::string_view name) const {
  const auto found = ids_.find(word);
  if (found == ids_.end()) {
    throw DataError(StrCat(name, ": '", word, "' is missing"));
  }
  return found->second;
}

std::vector<std::int64_t> WordTokenizer::Encode(std::string_view text) const {
  std::vector<std::int64_t> out;
  std::string word;
  const auto finish = [&] {
    if (word.empty()) return;
    const auto found = ids_.find(word);
    out.push_back(found == ids_.end() ? unknown_ : found->second);
    word.clear();
  };
  for (const char c : text) {
    const bool mark = c == '.' || c == ',';
    if (mark || IsWhite(c)) finish();
    if (!IsWhite(c)) word += LowerAscii(c);
    if (mark) finish();
  }
  finish();
  return out;
}

std::vector<std::string> ReadVocabulary(const std::filesystem::path& path) {
  const Json json = ReadJson(path);
  if (!json.is_object()) {
    throw DataError(StrCat(path.string(), ": expected an object of word: id"));
  }
  std::vector<std::string> words(json.size());
  std::vector<bool> seen(json.size());
  for (const auto& [word, id] : json.items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= words.size() ||
        seen[id.get<std::size_t>()]) {
      throw DataError(StrCat(path.string(), ": '", word, "' has id ", id.dump(),
                             "; expected each of 0..", words.size() - 1,
                             " once"));
    }
    seen[id.get<std::size_t>()] = true;
    words[id.get<std::size_t>()] = word;
  }
  return words;
}

void WriteVocabulary(const std::filesystem::path& path,
                     const std::vector<std::string>& words) {
  OrderedJson json = OrderedJson::object();
  for (std::size_t id = 0; id < words.size(); ++id) json[words[id]] = id;
  WriteFileAtomic(path, json.dump(1) + "\n");
}

std::unique_ptr<Tokenizer> LoadTokenizer(const std::filesystem::path& folder,
                                         const ClipConfig& config) {
  std::unique_ptr<Tokenizer> tokenizer;
  if (config.tokenizer == "words") {
    const auto path = folder / "vocab.json";
    tokenizer =
        std::make_unique<WordTokenizer>(ReadVocabulary(path), path.string());
  } else if (BpeTokenizer::IsIn(folder)) {
    tokenizer = BpeTokenizer::Open(folder);
  } else {
    return nullptr;
  }
  if (tokenizer->size() != config.vocabulary) {
    throw DataError(StrCat(
        folder.string(), ": the tokenizer has ", tokenizer->size(),
        " words, but the weights have embeddings for ", config.vocabulary));
  }
  return tokenizer;
}

}  // namespace tailmark

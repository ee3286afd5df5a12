// Texts a second through CLIP's tokenizer, on one thread. Run by
// tests/bench/python/tokenizer_peer.py beside the Python original:
//   tokenizer_bench VOCABULARY TEXTS OUT
// TEXTS has one text a line. Writes the ids, a line a text, and prints the
// seconds of processor time that encoding all of them took.

#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "methods/clip/bpe_tokenizer.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: tokenizer_bench VOCABULARY TEXTS OUT\n";
    return 2;
  }
  const auto tokenizer = tailmark::BpeTokenizer::Open(argv[1]);
  std::vector<std::string> texts;
  std::ifstream in(argv[2]);
  for (std::string line; std::getline(in, line);) texts.push_back(line);
  std::vector<std::vector<std::int64_t>> ids;
  ids.reserve(texts.size());
  const std::clock_t start = std::clock();
  for (const std::string& text : texts) ids.push_back(tokenizer->Encode(text));
  const std::clock_t end = std::clock();
  std::ofstream out(argv[3]);
  for (const auto& row : ids) {
    for (const auto id : row) out << id << ' ';
    out << '\n';
  }
  std::cout << static_cast<double>(end - start) / CLOCKS_PER_SEC << '\n';
  return out ? 0 : 1;
}

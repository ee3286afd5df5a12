#include "tests/soak/done_scores.h"

#include "harness/base/error.h"
#include "harness/base/json.h"

namespace tailmark {

void Need(const Said& said, const std::string& what) {
  if (said.code == 0) return;
  throw StoreError(StrCat(what, " ended with ", said.code, ": ", said.err));
}

std::map<std::string, std::string> DoneScores(
    const Program& program,
    const std::function<void(const std::string& key)>& twice) {
  const Said said = program(
      {"db", "query",
       "SELECT r.key, s.sha256 FROM run r LEFT JOIN score s ON s.run_id = "
       "r.id AND s.name = 'test' WHERE r.state = 'done'",
       "--json"});
  Need(said, "db query");
  std::map<std::string, std::string> hashes;
  for (const Json& row : ParseJson(said.out, "db query")) {
    const auto key = row["key"].get<std::string>();
    const std::string hash =
        row["sha256"].is_null() ? "" : row["sha256"].get<std::string>();
    if (!hashes.emplace(key, hash).second) twice(key);
  }
  return hashes;
}

}  // namespace tailmark

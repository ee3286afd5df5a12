#include "harness/run/contract/contract.h"

#include <c10/util/Exception.h>

#include "harness/base/suggest.h"
#include "harness/run/contract/subject.h"

namespace tailmark {
namespace {

std::vector<contract::Check> AllChecks() {
  std::vector<contract::Check> all = contract::ChecksOfOptions();
  for (auto more : {contract::ChecksOfScores(), contract::ChecksOfFits()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

contract::Check Find(const std::string& name) {
  for (contract::Check& each : AllChecks()) {
    if (each.name == name) return each;
  }
  throw ConfigError(UnknownName("check", name, ContractChecks()));
}

}  // namespace

std::vector<std::string> ContractChecks() {
  std::vector<std::string> names;
  for (const contract::Check& each : AllChecks()) names.push_back(each.name);
  return names;
}

std::string MeaningOf(const std::string& check) { return Find(check).meaning; }

ContractResult HoldToContract(const MethodRegistry::Entry& entry,
                              const std::string& check,
                              const ContractHelp& help) {
  using Outcome = ContractResult::Outcome;
  const contract::Check found = Find(check);
  const auto result = [&](Outcome outcome, const std::string& detail) {
    return ContractResult{.check = check, .outcome = outcome, .detail = detail};
  };
  try {
    contract::Subject subject(entry, help);
    found.ask(subject);
    return result(Outcome::kKept, "");
  } catch (const contract::NotAsked& why) {
    return result(Outcome::kSkipped, why.what());
  } catch (const contract::Broken& why) {
    return result(Outcome::kBroken, why.what());
  } catch (const c10::Error& error) {
    return result(Outcome::kBroken,
                  StrCat("it threw: ", error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return result(Outcome::kBroken, StrCat("it threw: ", error.what()));
  }
}

}  // namespace tailmark

#include "harness/record/cost_json.h"

#include "harness/base/options_json.h"
#include "harness/record/json_members.h"

namespace tailmark {
namespace {

Json TermToJson(const CostTerm& term) {
  Json json = {{"unit", NameOf(term.unit)}, {"amount", term.amount}};
  if (!term.times.empty()) json["times"] = term.times;
  if (!term.when.empty()) json["when"] = ToJson(term.when);
  if (term.once) json["once"] = true;
  return json;
}

Json TermsToJson(const std::vector<CostTerm>& terms) {
  Json list = Json::array();
  for (const CostTerm& each : terms) list.push_back(TermToJson(each));
  return list;
}

OptionMap WhenFrom(JsonMembers& in) {
  const Json* when = in.Find("when");
  return when == nullptr ? OptionMap() : OptionsFromJson(*when);
}

CostTerm TermFromJson(const Json& json, const std::string& where) {
  JsonMembers in(json, where);
  CostTerm term;
  term.unit = CostUnitByName(in.Get<std::string>("unit"));
  term.amount = in.Get<double>("amount", 1.0);
  term.times = in.Get<std::vector<std::string>>("times", {});
  term.when = WhenFrom(in);
  term.once = in.Get<bool>("once", false);
  in.Finish();
  return term;
}

std::vector<CostTerm> TermsFrom(JsonMembers& in, const std::string& name) {
  std::vector<CostTerm> terms;
  const Json* list = in.Find(name);
  if (list == nullptr) return terms;
  for (const Json& each : *list) {
    terms.push_back(TermFromJson(each, StrCat(in.where(), ", ", name)));
  }
  return terms;
}

}  // namespace

Json ToJson(const Cost& cost) {
  Json epochs = Json::array();
  for (const EpochsOption& each : cost.epochs) {
    epochs.push_back({{"option", each.option}, {"when", ToJson(each.when)}});
  }
  Json shared = Json::array();
  for (const SharedWork& each : cost.shared) {
    shared.push_back({{"name", each.name}, {"terms", TermsToJson(each.terms)}});
  }
  return {{"epochs", std::move(epochs)},
          {"batch", cost.batch},
          {"work", TermsToJson(cost.work)},
          {"shared", std::move(shared)},
          {"memory", TermsToJson(cost.memory)}};
}

Cost CostFromJson(const Json& json, const std::string& where) {
  JsonMembers in(json, where);
  Cost cost;
  if (const Json* epochs = in.Find("epochs")) {
    for (const Json& each : *epochs) {
      JsonMembers one(each, StrCat(where, ", epochs"));
      EpochsOption option{.option = one.Get<std::string>("option")};
      option.when = WhenFrom(one);
      one.Finish();
      cost.epochs.push_back(std::move(option));
    }
  }
  cost.batch = in.Get<std::string>("batch", "");
  cost.work = TermsFrom(in, "work");
  if (const Json* shared = in.Find("shared")) {
    for (const Json& each : *shared) {
      JsonMembers one(each, StrCat(where, ", shared"));
      SharedWork work{.name = one.Get<std::string>("name"),
                      .terms = TermsFrom(one, "terms")};
      one.Finish();
      cost.shared.push_back(std::move(work));
    }
  }
  cost.memory = TermsFrom(in, "memory");
  in.Finish();
  return cost;
}

}  // namespace tailmark

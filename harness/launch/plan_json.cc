#include "harness/base/error.h"
#include "harness/launch/plan.h"
#include "harness/record/json_members.h"

namespace tailmark {
namespace {

constexpr std::string_view kSchema = "tailmark-plan/1";

Json LimitsToJson(const Limits& limits) {
  return {{"wall_s", limits.wall_s},       {"cpu_s", limits.cpu_s},
          {"silence_s", limits.silence_s}, {"rss_bytes", limits.rss_bytes},
          {"gpu_bytes", limits.gpu_bytes}, {"threads", limits.threads},
          {"retries", limits.retries}};
}

Limits LimitsFromJson(const Json& json) {
  JsonMembers in(json, "plan, limits");
  Limits limits;
  limits.wall_s = in.Get<double>("wall_s");
  limits.cpu_s = in.Get<double>("cpu_s", 0);
  limits.silence_s = in.Get<double>("silence_s", 0);
  limits.rss_bytes = in.Get<std::int64_t>("rss_bytes");
  limits.gpu_bytes = in.Get<std::int64_t>("gpu_bytes", 0);
  limits.threads = in.Get<int>("threads");
  limits.retries = in.Get<std::map<std::string, int>>("retries");
  in.Finish();
  return limits;
}

Json After(const PlanTask& task) {
  Json keys = Json::array();
  for (const RunNeed& need : task.spec.identity.needs) keys.push_back(need.key);
  return keys;
}

Json TaskToJson(const PlanTask& task) {
  // What is done is known by the store, not by a plan.
  const RunState state =
      task.state == RunState::kDone ? RunState::kPlanned : task.state;
  return {{"label", task.label},
          {"key", task.key},
          {"recipe", task.recipe},
          {"spec", ToJson(task.spec)},
          {"state", NameOf(state)},
          {"reason", task.reason},
          {"estimate_s", task.estimate_s ? Json(*task.estimate_s) : Json()},
          {"estimate_from", task.estimate_from},
          {"memory_from", task.memory_from},
          {"rss_bytes", task.rss_bytes},
          {"gpu_bytes", task.gpu_bytes},
          {"limits", LimitsToJson(task.limits)},
          {"origins", task.origins},
          {"after", After(task)}};
}

PlanTask TaskFromJson(const Json& json, std::size_t index) {
  JsonMembers in(json, StrCat("plan, task ", index));
  PlanTask task;
  task.label = in.Get<std::string>("label");
  task.key = in.Get<std::string>("key");
  task.recipe = in.Get<std::string>("recipe");
  task.spec = RunSpecFromJson(in.At("spec"));
  task.state = RunStateFromName(in.Get<std::string>("state"));
  task.reason = in.Get<std::string>("reason");
  task.estimate_s = in.Maybe<double>("estimate_s");
  task.estimate_from = in.Get<std::string>("estimate_from", "");
  task.memory_from = in.Get<std::string>("memory_from", "");
  task.rss_bytes = in.Get<std::int64_t>("rss_bytes", 0);
  task.gpu_bytes = in.Get<std::int64_t>("gpu_bytes", 0);
  task.limits = LimitsFromJson(in.At("limits"));
  task.origins = in.Get<std::map<std::string, std::string>>("origins");
  const bool after = in.At("after") == After(task);
  in.Finish();
  if (!after || RunKey(task.spec) != task.key ||
      RecipeId(task.spec.identity) != task.recipe) {
    throw DataError(StrCat(in.where(),
                           ": its key is not that of its spec; "
                           "plan again instead of editing a plan"));
  }
  return task;
}

}  // namespace

Json ToJson(const Plan& plan) {
  Json tasks = Json::array();
  for (const PlanTask& task : plan.tasks) tasks.push_back(TaskToJson(task));
  return {{"schema", kSchema},
          {"campaign", plan.campaign},
          {"protocol",
           {{"selection", plan.protocol.selection},
            {"validation", plan.protocol.validation},
            {"definition", plan.protocol.definition},
            {"also", plan.protocol.also}}},
          {"tasks", std::move(tasks)}};
}

Plan PlanFromJson(const Json& json) {
  JsonMembers in(json, "plan");
  const auto schema = in.Get<std::string>("schema");
  if (schema != kSchema) {
    throw DataError(
        StrCat("plan: schema is '", schema, "', expected '", kSchema, "'"));
  }
  Plan plan;
  plan.campaign = in.Get<std::string>("campaign");
  JsonMembers protocol(in.At("protocol"), "plan, protocol");
  plan.protocol.selection = protocol.Get<std::string>("selection");
  plan.protocol.validation = protocol.Get<double>("validation", 0.0);
  plan.protocol.definition = protocol.Get<std::string>("definition");
  plan.protocol.also = protocol.Get<std::vector<std::string>>("also");
  protocol.Finish();
  const Json& tasks = in.At("tasks");
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    plan.tasks.push_back(TaskFromJson(tasks.at(i), i));
  }
  in.Finish();
  return plan;
}

}  // namespace tailmark

#include "harness/record/build_info.h"

#include "harness/record/json_members.h"

namespace tailmark {

Json ToJson(const BuildInfo& info) {
  return {
      {"version", info.version},       {"digest", info.digest},
      {"git_sha", info.git_sha},       {"branch", info.branch},
      {"dirty", info.dirty},           {"diff_sha256", info.diff_sha256},
      {"compiler", info.compiler},     {"flags", info.flags},
      {"build_type", info.build_type}, {"torch_version", info.torch_version}};
}

BuildInfo BuildInfoFromJson(const Json& json) {
  JsonMembers members(json, "build");
  BuildInfo info;
  info.version = members.Get<std::string>("version");
  info.digest = members.Get<std::string>("digest");
  info.git_sha = members.Get<std::string>("git_sha");
  info.branch = members.Get<std::string>("branch");
  info.dirty = members.Get<bool>("dirty");
  info.diff_sha256 = members.Get<std::string>("diff_sha256");
  info.compiler = members.Get<std::string>("compiler");
  info.flags = members.Get<std::string>("flags");
  info.build_type = members.Get<std::string>("build_type");
  info.torch_version = members.Get<std::string>("torch_version");
  members.Finish();
  return info;
}

}  // namespace tailmark

#pragma once

#include "harness/cli/args.h"

namespace tailmark {

/// One file each in harness/cli/verbs. `global` must outlive the verb.
Verb AuditVerb();
Verb BaselineVerb(const GlobalOptions& global);
Verb BisectVerb();
Verb CacheVerb(const GlobalOptions& global);
Verb CheckVerb(const GlobalOptions& global);
Verb CompareVerb(const GlobalOptions& global);
Verb DataVerb(const GlobalOptions& global);
/// Sub-verbs of `data`.
Verb DataAnnotateCheckVerb();
Verb DataCaptionsVerb();
Verb DataFetchVerb();
Verb DataMakeLtVerb();
Verb DataManifestVerb();
Verb DataVerifyVerb();
Verb DbVerb(const GlobalOptions& global);
/// What `describe` was asked; `dataset` and `set` go with the name "partition".
struct DescribeRequest {
  std::string name;
  std::string dataset;
  std::vector<std::string> set;
  std::vector<std::string> allow_plugins;
  bool deviations = false;
  bool json = false;
};
int DescribePartition(const DescribeRequest& request,
                      const GlobalOptions& global);
Verb DescribeVerb(const GlobalOptions& global);
Verb DoctorVerb(const GlobalOptions& global);
Verb EncodeVerb(const GlobalOptions& global);
Verb EvalVerb(const GlobalOptions& global);
Verb ExportVerb(const GlobalOptions& global);
Verb ImportVerb(const GlobalOptions& global);
Verb ListVerb(const GlobalOptions& global);
Verb MergeVerb(const GlobalOptions& global);
Verb PackVerb(const GlobalOptions& global);
Verb PlanVerb(const GlobalOptions& global);
/// Methods that are not built in.
Verb PluginVerb();
Verb PluginNewVerb();
Verb ReproduceVerb(const GlobalOptions& global);
Verb ReportVerb(const GlobalOptions& global);
Verb ResumeVerb(const GlobalOptions& global);
Verb RunVerb(const GlobalOptions& global);
/// Scripts for a Slurm cluster.
Verb SlurmVerb(const GlobalOptions& global);
Verb StatusVerb(const GlobalOptions& global);
Verb TokenizeVerb(const GlobalOptions& global);
Verb ValidateVerb(const GlobalOptions& global);
Verb VerifyVerb(const GlobalOptions& global);
Verb WatchVerb(const GlobalOptions& global);
Verb WeightsVerb();
Verb WorkerVerb(const GlobalOptions& global);

}  // namespace tailmark

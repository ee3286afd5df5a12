#include <iostream>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/base/temporary_folder.h"
#include "harness/cli/chosen_bundles.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/packed_labels.h"
#include "harness/cli/planning.h"
#include "harness/cli/signing.h"
#include "harness/cli/verbs.h"
#include "results/pack.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

struct PackOptions {
  std::vector<std::string> runs;
  std::string campaign;
  std::string out;
  std::string sign;  ///< A key; "" for no signature.
  bool with_labels = false;
};

struct VerifyOptions {
  std::vector<std::string> bundles;
  std::string root;
  std::string signers, identity;
  bool json = false;
};

int Pack(const PackOptions& options, const GlobalOptions& global) {
  const Store store = OpenStoreToRead(global);
  DataAccess data(CacheIfThere(global));
  std::vector<RunToPack> runs;
  PackedLabels labels;
  for (const fs::path& bundle :
       ChosenBundles(store, options.runs, options.campaign)) {
    const RunSpec spec = ReadBundle(bundle).spec;
    runs.push_back({.bundle = bundle, .facts = data.LabelsOf(spec)});
    if (HasCommittedLabels(data, spec)) continue;
    if (options.with_labels) {
      AddLabels(data, spec, labels);
    } else {
      LogWarning(StrCat("'", spec.identity.dataset,
                        "' is your own: without --with-labels others can check "
                        "bytes, not numbers"));
    }
  }
  if (runs.empty()) {
    LogWarning("there is no finished run to pack");
    return kExitNothing;
  }
  const fs::path out =
      fs::absolute(options.out.empty() ? "tailmark-pack.tar" : options.out);
  TemporaryFolder scratch;
  WritePack(out, runs, labels, scratch.path());
  std::cout << out.string() << "\n" << Sha256File(out) << "\n";
  if (!options.sign.empty()) {
    std::cout << SignFile(out, options.sign).string() << "\n";
  }
  return kExitOk;
}

/// 1: something is wrong; 4: a number could not be checked.
int CodeOf(const Verification& verification) {
  int code = verification.tampered.empty() ? kExitOk : kExitRegression;
  for (const VerifiedRun& run : verification.runs) {
    if (run.verdict == "wrong") return kExitRegression;
    if (run.verdict != "holds" && code == kExitOk) code = kExitNothing;
  }
  return code;
}

OrderedJson VerificationToJson(const std::string& path,
                               const Verification& verification) {
  OrderedJson runs = OrderedJson::array();
  for (const VerifiedRun& run : verification.runs) {
    runs.push_back({{"key", run.key},
                    {"method", run.method},
                    {"dataset", run.dataset},
                    {"seed", run.seed},
                    {"verdict", run.verdict},
                    {"why", run.why},
                    {"claimed", run.claimed},
                    {"numbers", run.numbers}});
  }
  return {{"path", path},
          {"tampered", verification.tampered},
          {"runs", std::move(runs)}};
}

void Print(const std::string& path, const Verification& verification) {
  std::cout << path << "\n";
  for (const std::string& what : verification.tampered) {
    std::cout << "  tampered  " << what << "\n";
  }
  for (const VerifiedRun& run : verification.runs) {
    std::cout << "  " << run.verdict << "  "
              << (run.method.empty()
                      ? ""
                      : run.method + " on " + run.dataset + ", seed ");
    if (!run.method.empty()) std::cout << run.seed << "  ";
    std::cout << run.key.substr(0, 12);
    if (!run.why.empty()) std::cout << "  " << run.why;
    if (run.verdict == "holds") {
      std::cout << "  " << run.numbers.size() << " numbers recomputed"
                << (run.claimed ? ", all as claimed" : "; none were claimed");
    }
    std::cout << "\n";
  }
}

int VerifyAll(const VerifyOptions& options) {
  if (options.signers.empty() != options.identity.empty()) {
    throw ConfigError("a signature is checked with --signers and --identity");
  }
  DataAccess data;
  OrderedJson answer = OrderedJson::array();
  int worst = kExitOk;
  for (const std::string& path : options.bundles) {
    LabelFinder labels(data, options.root);
    TemporaryFolder scratch;
    Verification verification = Verify(
        path,
        [&](const RunSpec& spec, const fs::path& packed)
            -> const DatasetFacts& { return labels.Find(spec, packed); },
        scratch.path());
    if (!options.signers.empty()) {
      const std::string why =
          CheckSignature(path, options.signers, options.identity);
      if (!why.empty()) {
        verification.tampered.push_back(
            StrCat("not signed by ", options.identity, ": ", why));
      }
    }
    const int code = CodeOf(verification);
    if (worst != kExitRegression && code != kExitOk) worst = code;
    if (options.json) {
      answer.push_back(VerificationToJson(path, verification));
    } else {
      Print(path, verification);
    }
  }
  if (options.json) std::cout << answer.dump(2) << "\n";
  return worst;
}

}  // namespace

Verb PackVerb(const GlobalOptions& global) {
  auto options = std::make_shared<PackOptions>();
  return {
      .name = "pack",
      .summary = "Write finished runs and their numbers for others to check",
      .example = "tailmark pack --campaign night -o night.tar",
      .declare =
          [options](Args& args) {
            args.Rest("RUN", options->runs, false,
                      "Keys, or how they begin (default: a campaign)");
            args.Option("--campaign", options->campaign, "NAME",
                        "Which campaign (default: the newest)");
            args.Option("-o,--out", options->out, "FILE",
                        "The archive (default: tailmark-pack.tar)");
            args.Option("--sign", options->sign, "KEY",
                        "Sign it with an OpenSSH key, as FILE.sig");
            args.Flag("--with-labels", options->with_labels,
                      "Add the test labels of data sets of your own");
          },
      .run = [options, &global] { return Pack(*options, global); }};
}

Verb VerifyVerb(const GlobalOptions&) {
  auto options = std::make_shared<VerifyOptions>();
  return {
      .name = "verify",
      .summary = "Check every byte of packs and recompute every number in them",
      .example = "tailmark verify night.tar",
      .declare =
          [options](Args& args) {
            args.Rest("BUNDLE", options->bundles, true,
                      "A pack, an exported .tar or a bundle folder");
            args.Option("--root", options->root, "DIR",
                        "Where the files of a data set of your own lie");
            args.Option("--signers", options->signers, "FILE",
                        "Allowed signers, as ssh-keygen reads them; BUNDLE.sig "
                        "must be by --identity");
            args.Option("--identity", options->identity, "WHO",
                        "Of the signer, as that file names them");
            args.Flag("--json", options->json, "Print JSON");
          },
      .run = [options] { return VerifyAll(*options); }};
}

}  // namespace tailmark

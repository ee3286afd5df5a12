// The committed weights: they are what SHA256SUMS says, and classify the
// embedded data set as well as zero_shot.json says.

#include <gtest/gtest.h>

#include <sstream>

#include "datasets/builtin.h"
#include "datasets/embedded/web_pairs.h"
#include "datasets/images/pipeline.h"
#include "datasets/test_labels.h"
#include "harness/base/digest.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/metrics/evaluate.h"
#include "methods/clip/clip_encoder.h"
#include "methods/clip/tokenizer.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
const fs::path kNano = fs::path(TM_SOURCE_DIR) / "methods/clip/nano";

TEST(NanoClip, EveryFileIsTheOneThatWasMade) {
  std::istringstream sums(ReadFile(kNano / "SHA256SUMS"));
  std::string digest, name;
  int files = 0;
  while (sums >> digest >> name) {
    EXPECT_EQ(Sha256File(kNano / name), digest) << name;
    ++files;
  }
  EXPECT_GE(files, 6);
}

TEST(NanoClip, ItsVocabularyIsTheGenerators) {
  EXPECT_EQ(ReadVocabulary(kNano / "vocab.json"), embedded::Vocabulary());
}

TEST(NanoClip, NoCaptionOfTheWebPairsHasAnUnknownWord) {
  const WordTokenizer tokenizer(embedded::Vocabulary(), "vocabulary");
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto caption = embedded::DrawWebPair(1, i).caption;
    for (const std::int64_t id : tokenizer.Encode(caption)) {
      ASSERT_NE(id, 1) << caption;
    }
  }
}

/// Images of the test split as normalised pixels [N, 3, 48, 48].
at::Tensor TestPixels(const Dataset& data) {
  const Pipeline pipeline = PipelineByName("as-is-48");
  const std::int64_t rows = data.test().size();
  auto pixels = at::empty({rows, 3, 48, 48}, at::kFloat);
  for (std::int64_t row = 0; row < rows; ++row) {
    Normalise(pipeline, data.LoadImage(data.test(), row),
              pixels[row].mutable_data_ptr<float>());
  }
  return pixels;
}

at::Tensor Unit(const at::Tensor& rows) {
  return rows / rows.norm(2, -1, /*keepdim=*/true);
}

std::vector<ClassGroup> GroupsOf(const Dataset& data) {
  std::vector<ClassGroup> groups = {{"head", {}}, {"medium", {}}, {"tail", {}}};
  for (std::size_t c = 0; c < data.classes().size(); ++c) {
    const Group group = data.classes()[c].group;
    groups[static_cast<std::size_t>(group)].classes.push_back(
        static_cast<std::int64_t>(c));
  }
  return groups;
}

TEST(NanoClip, ItsZeroShotNumbersAreTheCommittedOnes) {
  const torch::NoGradGuard no_grad;
  DatasetRegistry registry;
  RegisterBuiltinDatasets(registry);
  const auto& entry = registry.Find("embedded");
  const DatasetSpec spec{.name = "embedded",
                         .options = ResolveOptions(entry.info.options, {})};
  const auto data = entry.open(spec);
  const LabelMatrix labels = BuiltinTestLabels().Load(spec);
  const auto encoder = ClipEncoder::Load(kNano, at::kCPU);

  const auto images = Unit(encoder->EncodeImages(TestPixels(*data)));
  std::vector<std::string> texts;
  for (const ClassInfo& one : data->classes()) {
    texts.push_back("a photo of a " + one.name + ".");
  }
  const auto classes = Unit(encoder->EncodeText(encoder->Tokenize(texts)));
  const auto scores = (images.matmul(classes.t()) * encoder->logit_scale())
                          .softmax(1)
                          .contiguous();
  const std::vector<Definition> definitions = {ParseDefinition("ap.step")};
  const auto result = Evaluate(
      ScoreMatrix{.values = std::span(scores.const_data_ptr<float>(),
                                      static_cast<std::size_t>(scores.numel())),
                  .rows = scores.size(0),
                  .classes = scores.size(1)},
      LabelSpans{.positive = labels.positive, .known = labels.known},
      GroupsOf(*data), definitions);

  const Json committed = ReadJson(kNano / "zero_shot.json");
  const double total = *result.results[0].total().percent;
  for (const GroupMean& mean : result.results[0].means) {
    std::printf("zero-shot %s: %.3f\n", mean.name.c_str(), *mean.percent);
    // Another BLAS rounds otherwise; a pair of near scores may change places.
    EXPECT_NEAR(*mean.percent, committed[mean.name].get<double>(), 0.1)
        << mean.name;
    EXPECT_NEAR(*mean.percent, total, 8.0) << mean.name;
  }
  EXPECT_GE(total, 40.0);
  EXPECT_LE(total, 60.0);
}

}  // namespace
}  // namespace tailmark

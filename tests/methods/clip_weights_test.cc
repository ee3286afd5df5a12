// Folders in, folders out, and every way a folder can be wrong.

#include "methods/clip/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/safetensors.h"
#include "methods/clip/tensor_file.h"
#include "methods/clip/tokenizer.h"
#include "methods/torch_pch.h"
#include "tests/methods/tiny_clip.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

const at::TensorOptions kFloat32 = at::TensorOptions(at::kFloat);

class ClipFolder : public ::testing::Test {
 protected:
  ClipFolder()
      : folder_(fs::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    SaveClip(TinyClip(), folder_, at::kFloat);
  }
  ~ClipFolder() override { fs::remove_all(folder_); }

  void ChangeTensors(
      const std::function<void(std::map<std::string, at::Tensor>&)>& change) {
    const fs::path path = folder_ / "model.safetensors";
    std::map<std::string, at::Tensor> all;
    const auto file = Safetensors::Open(path);
    for (const auto& [name, view] : file.tensors()) all[name] = ToTensor(view);
    change(all);
    TensorFile out;
    for (const auto& [name, tensor] : all) out.Put(name, tensor);
    out.Write(path);
  }
  void ChangeConfig(const std::function<void(Json&)>& change) {
    Json config = ReadJson(folder_ / "config.json");
    change(config);
    WriteFileAtomic(folder_ / "config.json", config.dump());
  }
  std::string Error() const {
    try {
      LoadClip(folder_, kFloat32);
    } catch (const DataError& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path folder_;
};

TEST_F(ClipFolder, WhatIsSavedIsLoaded) {
  EXPECT_EQ(HashParameters(LoadClip(folder_, kFloat32)),
            HashParameters(TinyClip()));
}

TEST_F(ClipFolder, HalfPrecisionFilesLoadAsTheirRoundedValues) {
  SaveClip(TinyClip(), folder_, at::kHalf);
  const ClipModel rounded =
      TinyClip().Clone(at::TensorOptions(at::kHalf)).Clone(kFloat32);
  EXPECT_EQ(HashParameters(LoadClip(folder_, kFloat32)),
            HashParameters(rounded));
}

TEST_F(ClipFolder, EqualModelsGiveEqualBytes) {
  const std::string first = ReadFile(folder_ / "model.safetensors");
  SaveClip(TinyClip(), folder_, at::kFloat);
  EXPECT_EQ(ReadFile(folder_ / "model.safetensors"), first);
}

TEST_F(ClipFolder, ShardsThatAnIndexListsAreOneModel) {
  Json index;
  std::map<std::string, TensorFile> shards;
  {
    const auto file = Safetensors::Open(folder_ / "model.safetensors");
    for (const auto& [name, view] : file.tensors()) {
      const std::string shard =
          name.starts_with("text") ? "b.safetensors" : "a.safetensors";
      shards[shard].Put(name, ToTensor(view));
      index["weight_map"][name] = shard;
    }
  }
  fs::remove(folder_ / "model.safetensors");
  for (const auto& [name, file] : shards) file.Write(folder_ / name);
  const fs::path path = folder_ / "model.safetensors.index.json";
  WriteFileAtomic(path, index.dump());
  EXPECT_EQ(HashParameters(LoadClip(folder_, kFloat32)),
            HashParameters(TinyClip()));

  index["weight_map"].erase("logit_scale");
  WriteFileAtomic(path, index.dump());
  EXPECT_THAT(Error(), HasSubstr("'logit_scale' is in no shard"));
  index["weight_map"]["logit_scale"] = "../elsewhere.safetensors";
  WriteFileAtomic(path, index.dump());
  EXPECT_THAT(Error(), HasSubstr("names no file of this folder"));
}

TEST_F(ClipFolder, AMissingTensorIsNamed) {
  ChangeTensors([](auto& all) {
    all.erase("vision_model.encoder.layers.1.self_attn.k_proj.bias");
  });
  EXPECT_THAT(Error(),
              AllOf(HasSubstr("model.safetensors"),
                    HasSubstr("tensor 'vision_model.encoder.layers.1.self_attn."
                              "k_proj.bias' is missing")));
}

TEST_F(ClipFolder, AWrongShapeIsNamedWithWhatWasExpected) {
  ChangeTensors([](auto& all) {
    all["text_projection.weight"] = at::zeros({6, 9});
  });
  EXPECT_THAT(Error(), HasSubstr("tensor 'text_projection.weight' has shape "
                                 "[6, 9], expected [6, 8]"));
}

TEST_F(ClipFolder, IntegersAndValuesThatAreNotFiniteAreNamed) {
  ChangeTensors(
      [](auto& all) { all["logit_scale"] = at::scalar_tensor(2, at::kLong); });
  EXPECT_THAT(Error(), HasSubstr("'logit_scale' has type int64"));
  ChangeTensors([](auto& all) {
    all["logit_scale"] = at::scalar_tensor(NAN, at::kFloat);
  });
  EXPECT_THAT(Error(), HasSubstr("'logit_scale' holds values that are not"));
}

TEST_F(ClipFolder, OneValueThatIsNotFiniteIsFoundInALargeTensor) {
  // Long enough to be looked at in three parts.
  static constexpr std::int64_t kWords = 40000;
  ChangeConfig([](Json& c) { c["text_config"]["vocab_size"] = kWords; });
  const std::string name = "text_model.embeddings.token_embedding.weight";
  for (const std::int64_t bad :
       {std::int64_t{-1}, std::int64_t{0}, kWords / 2, kWords - 1}) {
    ChangeTensors([&](auto& all) {
      all[name] = at::ones({kWords, TinyConfig().text.width});
      if (bad >= 0) all[name][bad][7] = INFINITY;
    });
    EXPECT_THAT(Error(),
                HasSubstr(bad < 0 ? "no error" : "'" + name + "' holds values"))
        << bad;
  }
}

TEST_F(ClipFolder, ATensorWithoutAPlaceIsNamedButOldBuffersAreNot) {
  ChangeTensors([](auto& all) {
    all["text_model.embeddings.position_ids"] = at::arange(7);
  });
  EXPECT_EQ(Error(), "no error");
  ChangeTensors([](auto& all) { all["vision_model.extra"] = at::zeros({2}); });
  EXPECT_THAT(Error(), HasSubstr("'vision_model.extra' [2] has no place"));
}

TEST_F(ClipFolder, AConfigurationWithFewerLayersThanTheFileIsRefused) {
  ChangeConfig([](Json& c) { c["text_config"]["num_hidden_layers"] = 1; });
  EXPECT_THAT(Error(), HasSubstr("text_model.encoder.layers.1."));
}

TEST_F(ClipFolder, ConfigurationsThatDoNotDescribeAClipAreNamed) {
  ChangeConfig([](Json& c) { c.erase("vision_config"); });
  EXPECT_THAT(Error(), AllOf(HasSubstr("config.json"),
                             HasSubstr("field 'vision_config' is missing")));
  ChangeConfig([](Json& c) { c["vision_config"] = Json::object(); });
  // HuggingFace leaves out defaults, so these are sizes of ViT-B/32.
  EXPECT_THAT(Error(), HasSubstr("config.json describes"));
}

TEST_F(ClipFolder, FieldsOutOfRangeAreNamed) {
  const Json good = ReadJson(folder_ / "config.json");
  const auto error = [&](const std::function<void(Json&)>& change) {
    Json config = good;
    change(config);
    WriteFileAtomic(folder_ / "config.json", config.dump());
    return Error();
  };
  EXPECT_THAT(error([](Json& c) { c["vision_config"]["hidden_size"] = 1e300; }),
              HasSubstr("field 'vision_config.hidden_size' is 1e+300"));
  EXPECT_THAT(error([](Json& c) { c["vision_config"]["patch_size"] = 5; }),
              HasSubstr("a divisor of image_size 16"));
  EXPECT_THAT(
      error([](Json& c) { c["text_config"]["num_attention_heads"] = 3; }),
      HasSubstr("a divisor of hidden_size 8"));
  EXPECT_THAT(error([](Json& c) { c["text_config"]["hidden_act"] = "relu"; }),
              HasSubstr("\"quick_gelu\" or \"gelu\""));
  EXPECT_THAT(error([](Json& c) { c["text_config"]["layer_norm_eps"] = 0; }),
              HasSubstr("field 'text_config.layer_norm_eps' is 0"));
  EXPECT_THAT(error([](Json& c) { c["tokenizer"] = "letters"; }),
              HasSubstr("\"bpe\" or \"words\""));
  EXPECT_THAT(error([](Json& c) { c["model_type"] = "bert"; }),
              HasSubstr("field 'model_type' is \"bert\""));
  EXPECT_THAT(error([](Json& c) { c = Json::array(); }),
              HasSubstr("is not a JSON object"));
}

TEST_F(ClipFolder, ALyingConfigurationAllocatesNothing) {
  ChangeConfig([](Json& c) {
    c["text_config"]["vocab_size"] = std::int64_t{1} << 31;
    c["text_config"]["hidden_size"] = 1 << 20;
    c["text_config"]["num_attention_heads"] = 1;
  });
  EXPECT_THAT(Error(), HasSubstr("config.json describes"));
}

TEST_F(ClipFolder, TheVocabularyIsCheckedAgainstTheConfiguration) {
  const fs::path path = folder_ / "vocab.json";
  const auto error = [&](const std::string& text) -> std::string {
    WriteFileAtomic(path, text);
    try {
      LoadTokenizer(folder_, TinyConfig());
    } catch (const DataError& caught) {
      return caught.what();
    }
    return "no error";
  };
  WriteVocabulary(path, kTinyWords);
  EXPECT_EQ(ReadVocabulary(path), kTinyWords);
  const auto tokenizer = LoadTokenizer(folder_, TinyConfig());
  EXPECT_EQ(tokenizer->Encode("Photo,of an A."),
            (std::vector<std::int64_t>{8, 2, 7, 1, 4, 3}));

  EXPECT_THAT(error("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(error(R"({"a": 0, "b": 0})"), HasSubstr("'b' has id 0"));
  EXPECT_THAT(error(R"({"a": 1})"), HasSubstr("expected each of 0..0 once"));
  EXPECT_THAT(error(R"({"a": -1})"), HasSubstr("'a' has id -1"));
  EXPECT_THAT(error(R"({"<pad>": 0})"), HasSubstr("'<unk>' is missing"));
  EXPECT_THAT(error(R"({"<pad>": 0, "<unk>": 1, "<end>": 2, "<start>": 3})"),
              HasSubstr("<end> has id 2, expected the largest, 3"));
  EXPECT_THAT(error(R"({"<pad>": 0, "<unk>": 1, "<start>": 2, "<end>": 3})"),
              HasSubstr("the tokenizer has 4 words, but the weights have"));
}

TEST(TensorFile, GivesBackWhatWasPutAndNamesWhatIsNot) {
  const fs::path path = fs::path(testing::TempDir()) / "state.safetensors";
  TensorFile out;
  auto value = at::arange(6, at::kFloat).view({2, 3}).t();
  out.Put("t", value);
  value.zero_();
  out.PutInt("n", -7);
  out.SetNote("who", "me");
  out.Write(path);
  const TensorFile in = TensorFile::Read(path);
  EXPECT_TRUE(in.Get("t").equal(
      at::tensor({0.0F, 3.0F, 1.0F, 4.0F, 2.0F, 5.0F}).view({3, 2})));
  EXPECT_EQ(in.GetInt("n"), -7);
  EXPECT_EQ(in.Note("who"), "me");
  EXPECT_EQ(in.Note("whom"), "");
  EXPECT_FALSE(in.Has("x"));
  EXPECT_THROW(in.Get("x"), DataError);
  EXPECT_THROW(in.GetInt("t"), DataError);
}

}  // namespace
}  // namespace tailmark

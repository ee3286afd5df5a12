#include "harness/base/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string FileOf(std::string_view header, std::string_view data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes.append(header).append(data);
}

std::string ErrorOf(std::string bytes) {
  try {
    Safetensors::Parse(std::move(bytes), "x.safetensors");
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

std::string HeaderError(std::string_view header, std::string_view data = "") {
  return ErrorOf(FileOf(header, data));
}

const std::vector<float> kFloats{1.0F, -2.5F, 3.25F, 0.0F, 5.0F, 6.0F};

std::vector<float> FloatsIn(const TensorView& tensor) {
  std::vector<float> floats(tensor.bytes.size() / sizeof(float));
  std::memcpy(floats.data(), tensor.bytes.data(),
              floats.size() * sizeof(float));
  return floats;
}
const std::vector<std::uint8_t> kBytes{1, 2, 255};

Safetensors::Tensors Example() {
  return {{"a", {DType::kUint8, {3}, std::as_bytes(std::span(kBytes))}},
          {"b.weight",
           {DType::kFloat32, {2, 3}, std::as_bytes(std::span(kFloats))}},
          {"empty", {DType::kFloat16, {0, 7}, {}}},
          {"scalar",
           {DType::kFloat32, {}, std::as_bytes(std::span(kFloats).first(1))}}};
}

TEST(Safetensors, WhatIsWrittenIsReadBack) {
  const auto file = Safetensors::Parse(
      SafetensorsBytes(Example(), {{"format", "pt"}}), "memory");
  ASSERT_EQ(file.tensors().size(), 4U);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  const TensorView& b = file.At("b.weight");
  EXPECT_EQ(b.dtype, DType::kFloat32);
  EXPECT_EQ(b.shape, (std::vector<std::int64_t>{2, 3}));
  ASSERT_EQ(b.bytes.size(), 24U);
  EXPECT_EQ(FloatsIn(b), kFloats);
  EXPECT_EQ(file.At("a").bytes[2], std::byte{255});
  EXPECT_EQ(file.At("empty").elements(), 0);
  EXPECT_EQ(file.At("scalar").elements(), 1);
}

TEST(Safetensors, EqualInputGivesEqualBytesAndWideTypesComeFirst) {
  const std::string bytes = SafetensorsBytes(Example(), {{"k", "v"}});
  EXPECT_EQ(bytes, SafetensorsBytes(Example(), {{"k", "v"}}));
  const auto file = Safetensors::Parse(bytes, "memory");
  EXPECT_LT(file.At("b.weight").bytes.data(), file.At("a").bytes.data());
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ(header % 8, 0U);
}

TEST(Safetensors, AMappedFileOutlivesItsNameAndItsReader) {
  const fs::path path = fs::path(testing::TempDir()) / "mapped.safetensors";
  WriteSafetensors(path, Example());
  EXPECT_EQ(ReadFile(path), SafetensorsBytes(Example()));
  TensorView view;
  std::shared_ptr<const void> owner;
  {
    const auto file = Safetensors::Open(path);
    view = file.At("b.weight");
    owner = file.owner();
  }
  fs::remove(path);
  EXPECT_EQ(FloatsIn(view), kFloats);
}

TEST(Safetensors, AMissingTensorIsNamedWithTheNearestPresentOne) {
  const auto file = Safetensors::Parse(SafetensorsBytes(Example()), "w");
  try {
    file.At("b.wieght");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("w: tensor 'b.wieght' is missing"));
    EXPECT_THAT(error.what(), HasSubstr("'b.weight'"));
  }
}

TEST(Safetensors, AFileThatIsAbsentEmptyOrAFolderIsADataError) {
  const fs::path folder = testing::TempDir();
  EXPECT_THROW(Safetensors::Open(folder / "no-such.safetensors"), DataError);
  EXPECT_THROW(Safetensors::Open(folder), DataError);
  std::ofstream(folder / "empty.safetensors").close();
  EXPECT_THROW(Safetensors::Open(folder / "empty.safetensors"), DataError);
}

TEST(Safetensors, EveryTruncationIsADataError) {
  const std::string whole = SafetensorsBytes(Example());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(ErrorOf(whole.substr(0, size)), "no error") << size;
  }
}

TEST(Safetensors, ALyingHeaderLengthIsADataErrorAndAllocatesNothing) {
  for (const std::uint64_t length :
       {std::uint64_t{3}, std::uint64_t{99'000'000}, std::uint64_t{1} << 62,
        std::numeric_limits<std::uint64_t>::max()}) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    EXPECT_THAT(ErrorOf(bytes + "{}"), HasSubstr("header would have"));
  }
}

TEST(Safetensors, OffsetsOutsideTheDataAreNamed) {
  EXPECT_THAT(
      HeaderError(R"({"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
                  "abc"),
      HasSubstr("tensor 't': data_offsets [0, 4] lie outside the 3"));
  EXPECT_THAT(
      HeaderError(R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[2,1]}})",
                  "abc"),
      HasSubstr("data_offsets [2, 1]"));
  EXPECT_THAT(
      HeaderError(R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}})",
                  "abc"),
      HasSubstr("not two whole numbers"));
  EXPECT_THAT(
      HeaderError(
          R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551616]}})",
          "abc"),
      HasSubstr("not two whole numbers"));
}

TEST(Safetensors, ShapesThatOverflowOrDisagreeAreNamed) {
  EXPECT_THAT(
      HeaderError(
          R"({"t":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"),
      HasSubstr("impossibly many"));
  EXPECT_THAT(
      HeaderError(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,3]}})",
                  "abc"),
      HasSubstr("F32 [2] needs 8 bytes, but data_offsets give 3"));
  EXPECT_THAT(
      HeaderError(
          R"({"t":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]}})"),
      HasSubstr("63 bits"));
  EXPECT_THAT(
      HeaderError(
          StrCat(
              R"({"t":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],)",
              R"("data_offsets":[0,1]}})"),
          "a"),
      HasSubstr("at most 16"));
}

TEST(Safetensors, OverlapGapsAndUnclaimedBytesAreNamed) {
  EXPECT_THAT(
      HeaderError(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                  R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                  "abc"),
      HasSubstr("'b': its data overlaps"));
  EXPECT_THAT(
      HeaderError(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                  R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                  "abc"),
      HasSubstr("belong to no tensor"));
  EXPECT_THAT(
      HeaderError(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                  "abc"),
      HasSubstr("use 1 bytes, but the file has 3"));
}

TEST(Safetensors, NamesGivenTwiceAreRefused) {
  EXPECT_THAT(
      HeaderError(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                  R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                  "a"),
      HasSubstr("'a' twice"));
  EXPECT_THAT(
      HeaderError(
          R"({"a":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,1]}})",
          "a"),
      HasSubstr("'dtype' twice"));
}

TEST(Safetensors, OtherHeadersAreRefused) {
  EXPECT_THAT(HeaderError("[1]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(HeaderError("{"), HasSubstr("not JSON"));
  EXPECT_THAT(HeaderError(R"({"a":1e999})"), HasSubstr("not JSON"));
  EXPECT_THAT(HeaderError(R"({"a":3})"), HasSubstr("exactly dtype"));
  EXPECT_THAT(
      HeaderError(R"({"a":{"dtype":"F8","shape":[],"data_offsets":[0,1]}})",
                  "a"),
      HasSubstr("is not one of BOOL"));
  EXPECT_THAT(HeaderError(R"({"__metadata__":{"a":1}})"),
              HasSubstr("not a string"));
  EXPECT_THAT(HeaderError(std::string(100000, '[')), HasSubstr("too deep"));
}

}  // namespace
}  // namespace tailmark

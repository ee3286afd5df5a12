#include "harness/base/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "harness/base/error.h"

namespace tailmark {
namespace {

using testing::HasSubstr;

std::string File(std::string dict, std::string_view data) {
  dict += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(dict.size() & 0xFF);
  bytes += static_cast<char>(dict.size() >> 8);
  return bytes + dict + std::string(data);
}

std::string NpyMessageOf(std::string bytes) {
  try {
    ParseNpy(std::move(bytes), "a.npy");
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Npy, WhatIsWrittenIsRead) {
  const auto path =
      std::filesystem::path(testing::TempDir()) / "written_is_read.npy";
  const std::vector<float> values = {1, -2, 3.5F, 0, -0.0F, 6};
  const std::vector<std::int64_t> shape = {2, 3};
  WriteNpy(path, DType::kFloat32, shape, values);
  const NpyArray array = ReadNpy(path);
  EXPECT_EQ(array.dtype, DType::kFloat32);
  EXPECT_EQ(array.shape, shape);
  EXPECT_TRUE(
      std::equal(values.begin(), values.end(), array.As<float>().begin()));
  std::filesystem::remove(path);
}

TEST(Npy, TheDataIsAligned) {
  const std::vector<std::int64_t> shape = {5000, 80};
  EXPECT_EQ(NpyHeader(DType::kFloat32, shape).size() % 64, 0U);
}

TEST(Npy, NumpysOwnHeaderIsRead) {
  const NpyArray array =
      ParseNpy(File("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }",
                    std::string(8, '\0')),
               "a.npy");
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{1}));
  EXPECT_EQ(ToDoubles(array), (std::vector<double>{0}));
}

TEST(Npy, AShapeThatOverflowsIsRefused) {
  EXPECT_THAT(
      NpyMessageOf(File("{'descr': '<f8', 'fortran_order': False, 'shape': "
                        "(4294967296, 4294967296, 4), }",
                        "")),
      HasSubstr("impossibly many bytes"));
}

TEST(Npy, AShapeThatDoesNotFitTheFileIsRefused) {
  EXPECT_THAT(NpyMessageOf(File(
                  "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
                  "12345678")),
              HasSubstr("needs 12 bytes of data, found 8"));
}

TEST(Npy, AHeaderLongerThanTheFileIsRefused) {
  std::string bytes("\x93NUMPY\x01\x00\xff\xff{}", 12);
  EXPECT_THAT(NpyMessageOf(bytes), HasSubstr("header says 65535 bytes"));
}

TEST(Npy, FortranOrderObjectsAndForeignFilesAreRefused) {
  EXPECT_THAT(
      NpyMessageOf(File(
          "{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "1234")),
      HasSubstr("fortran_order must be False"));
  EXPECT_THAT(
      NpyMessageOf(File(
          "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "1234")),
      HasSubstr("type '|O'"));
  EXPECT_THAT(NpyMessageOf("not numpy at all"), HasSubstr("not an .npy file"));
}

TEST(Npy, HalvesAreExact) {
  EXPECT_EQ(HalfToFloat(0x3C00), 1.0F);
  EXPECT_EQ(HalfToFloat(0xC000), -2.0F);
  EXPECT_EQ(HalfToFloat(0x0001), std::ldexp(1.0F, -24));
  EXPECT_EQ(HalfToFloat(0x7BFF), 65504.0F);
  EXPECT_TRUE(std::isinf(HalfToFloat(0x7C00)));
  EXPECT_TRUE(std::isnan(HalfToFloat(0x7E00)));
  EXPECT_TRUE(std::signbit(HalfToFloat(0x8000)));
  EXPECT_EQ(Bfloat16ToFloat(0x3F80), 1.0F);
}

}  // namespace
}  // namespace tailmark

#include "harness/launch/slots.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr const char* kListing = "0, 81559\n1, 40960\nno devices were found\n";

TEST(Slots, CoresAreDividedAndNobodySharesOne) {
  const std::vector<int> cores = {0, 1, 2, 5, 6, 7, 8};
  const auto slots = MakeSlots(3, {}, cores);
  ASSERT_EQ(slots.size(), 3u);
  EXPECT_EQ(slots[0].cores, (std::vector<int>{0, 1}));
  EXPECT_EQ(slots[1].cores, (std::vector<int>{2, 5}));
  EXPECT_EQ(slots[2].cores, (std::vector<int>{6, 7}));
  EXPECT_EQ(slots[2].device, "");
}

TEST(Slots, OneAloneAndMoreThanThereAreCoresAreTiedToNone) {
  const std::vector<int> cores = {0, 1};
  EXPECT_TRUE(MakeSlots(1, {}, cores)[0].cores.empty());
  for (const Slot& slot : MakeSlots(3, {}, cores)) {
    EXPECT_TRUE(slot.cores.empty());
  }
}

TEST(Slots, DevicesAreDealtOutInTurn) {
  const std::vector<std::string> devices = {"cuda:0", "cuda:2"};
  const auto slots = MakeSlots(3, devices, {});
  EXPECT_EQ(slots[0].device, "cuda:0");
  EXPECT_EQ(slots[1].device, "cuda:2");
  EXPECT_EQ(slots[2].device, "cuda:0");
}

TEST(Slots, GpusAreReadFromWhatTheirDriverLists) {
  const auto gpus = GpusIn(kListing);
  ASSERT_EQ(gpus.size(), 2u);
  EXPECT_EQ(gpus[1].index, 1);
  EXPECT_EQ(gpus[1].bytes, std::int64_t{40960} << 20);
}

TEST(Slots, DevicesAreAllOrSomeOfThoseThereAre) {
  const auto gpus = GpusIn(kListing);
  EXPECT_EQ(DevicesFromText("all", gpus).size(), 2u);
  EXPECT_EQ(DevicesFromText("1", gpus).at(0).index, 1);
  for (const char* wrong : {"2", "0,0", "0,x", "", "one", "-1"}) {
    EXPECT_THROW(DevicesFromText(wrong, gpus), ConfigError) << wrong;
  }
  EXPECT_THROW(DevicesFromText("all", {}), ConfigError);
}

TEST(Slots, ThisMachineHasCoresAndMemory) {
  EXPECT_FALSE(AllowedCores().empty());
  EXPECT_GT(UsableMemory(), 0);
}

}  // namespace
}  // namespace tailmark

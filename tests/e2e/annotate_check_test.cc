// `tailmark data annotate-check`: the committed labels against annotations made
// to bear them out, by the rule of each data set, and against some that do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>

#include "datasets/builtin.h"
#include "datasets/episodes.h"
#include "datasets/test_labels.h"
#include "harness/base/error.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Labelled {
  const Split* split;
  const LabelMatrix* labels;
};

/// A data set and what is committed of it.
struct Opened {
  std::unique_ptr<Dataset> dataset;
  LabelMatrix test_labels;

  Labelled train() const {
    return {&dataset->train(), &dataset->train_labels()};
  }
  Labelled test() const { return {&dataset->test(), &test_labels}; }
};

/// An instances_*.json, image by image.
class Instances {
 public:
  explicit Instances(const std::vector<ClassInfo>& classes) {
    for (std::size_t c = 0; c < classes.size(); ++c) {
      categories_ += StrCat(c == 0 ? "" : ",", R"({"id":)", 7 + c,
                            R"(,"name":")", classes[c].name, R"("})");
    }
  }

  void AddImage(const std::string& path) {
    ++images_;
    list_ += StrCat(images_ == 1 ? "" : ",", R"({"id":)", images_,
                    R"(,"file_name":")", fs::path(path).filename().string(),
                    R"("})");
  }
  /// Of the image that was added last.
  void AddBox(std::int64_t c, double side, double area, bool crowd) {
    boxes_ +=
        StrCat(boxes_.empty() ? "" : ",", R"({"image_id":)", images_,
               R"(,"category_id":)", 7 + c, R"(,"bbox":[0,0,9,)", side,
               R"(],"area":)", area, R"(,"iscrowd":)", crowd ? 1 : 0, "}");
  }
  std::string Text() const {
    return StrCat(R"({"annotations":[)", boxes_, R"(],"categories":[)",
                  categories_, R"(],"images":[)", list_, "]}");
  }

 private:
  int images_ = 0;
  std::string list_, boxes_, categories_;
};

class AnnotateCheck : public ::testing::Test {
 protected:
  AnnotateCheck() {
    tailmark_.environment["TAILMARK_DATA"] = Path("data");
    RegisterBuiltinDatasets(registry_);
  }

  fs::path Path(const std::string& name) const {
    return scratch_.path() / name;
  }
  Opened Open(const std::string& name) const {
    const DatasetSpec spec{.name = name, .options = {}, .root = Path("none")};
    return {registry_.Find(name).open(spec), BuiltinTestLabels().Load(spec)};
  }
  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories(Path(name).parent_path());
    // Thousands of files: none is worth a sync.
    std::ofstream(Path(name), std::ios::binary) << text;
  }
  /// An XML file for each image, below the root; a positive whose label is not
  /// known is difficult. Each also has the objects of `more`.
  void WriteXml(const std::string& root, const Labelled& of,
                const std::vector<ClassInfo>& classes,
                const std::string& more) const {
    for (std::int64_t row = 0; row < of.split->size(); ++row) {
      std::string xml = "<annotation>" + more;
      for (std::int64_t c = 0; c < of.labels->classes; ++c) {
        if (!of.labels->Positive(row, c)) continue;
        xml +=
            StrCat("<object><name>", classes[static_cast<std::size_t>(c)].name,
                   "</name><difficult>", of.labels->Known(row, c) ? 0 : 1,
                   "</difficult></object>");
      }
      Write(StrCat(root, "/", XmlOf(*of.split, row)), xml + "</annotation>");
    }
  }
  static std::string XmlOf(const Split& split, std::int64_t row) {
    const fs::path image = split.ids[static_cast<std::size_t>(row)];
    return image.parent_path().parent_path() / "Annotations" /
           (image.stem().string() + ".xml");
  }
  /// Without --annotations: what data fetch brought is read.
  Said Check(const std::string& name) const {
    return tailmark_({"data", "annotate-check", name, "--json"});
  }
  void ExpectAllBorneOut(const std::string& name, std::int64_t images) const {
    const Said said = Check(name);
    EXPECT_EQ(said.code, 0) << said.err << said.out.substr(0, 2000);
    const Json answer = said.json();
    EXPECT_EQ(answer.at("images"), images);
    EXPECT_EQ(answer.at("not_annotated"), 0);
    EXPECT_TRUE(answer.at("differences").empty());
  }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
  DatasetRegistry registry_;
};

TEST_F(AnnotateCheck, CocoLtCountsCrowdsButNoBoxWithoutAnArea) {
  const Said nothing = Check("coco-lt");
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.err,
              HasSubstr("tailmark data fetch coco-lt --with annotations"));

  const Opened coco = Open("coco-lt");
  const auto instances = [&coco](const Labelled& of, bool lose_one) {
    Instances made(coco.dataset->classes());
    for (std::int64_t row = 0; row < of.split->size(); ++row) {
      made.AddImage(of.split->ids[static_cast<std::size_t>(row)]);
      for (std::int64_t c = 0; c < of.labels->classes; ++c) {
        if (of.labels->Positive(row, c)) {
          made.AddBox(c, 5, lose_one ? 0 : 45, row % 2 == 0);
          lose_one = false;
        } else if (c < 3) {
          made.AddBox(c, 5, 0, false);
          made.AddBox(c, 0.5, 4.5, false);
        }
      }
    }
    return made.Text();
  };
  const std::string folder = "data/coco-lt/annotations/";
  Write(folder + "instances_train2017.json", instances(coco.train(), false));
  Write(folder + "instances_val2017.json", instances(coco.test(), false));
  Write(folder + "captions_train2017.json", "not read");
  ExpectAllBorneOut("coco-lt", 1909 + 5000);

  Write(folder + "instances_val2017.json", instances(coco.test(), true));
  const Said differs = Check("coco-lt");
  EXPECT_EQ(differs.code, 2);
  const Json differences = differs.json().at("differences");
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_EQ(differences[0].at("path"), coco.dataset->test().ids[0]);
  EXPECT_EQ(differences[0].at("committed"), "positive");
  EXPECT_EQ(differences[0].at("annotated"), "negative");
}

TEST_F(AnnotateCheck, CocosFewShotSplitCountsNoCrowds) {
  const Opened coco = Open("coco-fewshot");
  const Labelled query = coco.test();
  Instances made(coco.dataset->classes());
  for (std::int64_t row = 0; row < query.split->size(); ++row) {
    made.AddImage(query.split->ids[static_cast<std::size_t>(row)]);
    for (std::int64_t c = 0; c < query.labels->classes; ++c) {
      if (query.labels->Positive(row, c)) {
        made.AddBox(c, 5, row % 2 == 0 ? 45 : 0, false);
      } else if (c < 3) {
        made.AddBox(c, 5, 45, true);
        made.AddBox(c, 0.5, 4.5, false);
      }
    }
  }
  Write("data/coco-fewshot/annotations/instances_val2014.json", made.Text());
  ExpectAllBorneOut("coco-fewshot", 15927);
}

TEST_F(AnnotateCheck, VocLtTellsDifficultApart) {
  const Opened voc = Open("voc-lt");
  WriteXml("data/voc-lt", voc.train(), voc.dataset->classes(), "");
  WriteXml("data/voc-lt", voc.test(), voc.dataset->classes(), "");
  ExpectAllBorneOut("voc-lt", 1142 + 4952);
}

TEST_F(AnnotateCheck, VocsFewShotSplitTakesDifficultForAbsent) {
  const Opened voc = Open("voc07-fewshot");
  const auto& classes = voc.dataset->classes();
  const auto object = [&classes](std::int64_t c, int difficult) {
    return StrCat("<object><name>", classes[static_cast<std::size_t>(c)].name,
                  "</name><difficult>", difficult, "</difficult></object>");
  };
  const Episodes& episodes = *voc.dataset->episodes();
  // No query image has a base class, and of a support nobody knows.
  WriteXml("data/voc07-fewshot", voc.test(), classes,
           object(episodes.base[0], 1));
  std::int64_t supports = 0;
  for (const Episode& each : episodes.episodes) {
    WriteXml("data/voc07-fewshot", {&each.support, &each.labels}, classes,
             object(episodes.base[1], 0));
    supports += each.support.size();
  }
  ExpectAllBorneOut("voc07-fewshot", 926 + supports);

  const std::string one = XmlOf(episodes.episodes[3].support, 0);
  Write("data/voc07-fewshot/" + one, "<annotation></annotation>");
  const Said differs = Check("voc07-fewshot");
  EXPECT_EQ(differs.code, 2);
  EXPECT_THAT(differs.out, HasSubstr(fs::path(one).stem().string()));
}

}  // namespace
}  // namespace tailmark

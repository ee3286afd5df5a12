// `tailmark data fetch` of the few-shot splits from servers that fail: lists,
// supports, query and annotations, and only these.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <set>

#include "datasets/builtin.h"
#include "datasets/episodes.h"
#include "datasets/lists/list_files.h"
#include "harness/base/digest.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/datasets/fault_server.h"
#include "tests/datasets/fetch_sample.h"
#include "tests/datasets/train2014_sample.h"
#include "tests/datasets/zip_sample.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FetchFewShot : public ::testing::Test {
 protected:
  fs::path Path(const std::string& name) const {
    return scratch_.path() / name;
  }
  /// A mirrors file in which everything is asked from `broken` first.
  std::string Mirrors(const std::string& set, const Json& entry) const {
    const Json json = {{"schema", "tailmark-mirrors/1"},
                       {"sets", {{set, entry}}}};
    WriteFileAtomic(Path("mirrors.json"), json.dump());
    return Path("mirrors.json");
  }
  std::set<std::string> FilesBelow(const std::string& folder) const {
    std::set<std::string> files;
    for (const auto& each : fs::recursive_directory_iterator(Path(folder))) {
      if (each.is_regular_file()) {
        files.insert(each.path().lexically_relative(Path(folder)));
      }
    }
    return files;
  }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
  std::string picture_ = NoisyPicture(1, 8, 8);  // Sixteen thousand times.
};

TEST_F(FetchFewShot, CocosSupportsComeFromTheArchiveOfAnnotations) {
  const std::string zip =
      ZipArchive({{"annotations/captions_train2014.json", "{}"},
                  {"annotations/instances_train2014.json",
                   StandInInstances(StandInTrain2014())},
                  {"annotations/instances_val2014.json", "{\"images\": []}"}},
                 true);
  // All but a few query images are there: 16,000 answers would say no more.
  const auto query =
      lists::ReadImages(SharedFile("datasets/coco_fewshot/query_ids.txt"));
  MakeFolders(Path("coco/val2014"));
  WriteFileAtomic(Path("one.jpg"), picture_);
  for (std::size_t i = 40; i < query.size(); ++i) {
    fs::create_hard_link(Path("one.jpg"), Path("coco") / query[i]);
  }
  std::mutex mutex;
  std::set<std::string> seen;
  FaultServer broken([](const HttpRequest&, HttpReply& reply) {
    reply.Send(404, "Content-Length: 0\r\n", "");
  });
  FaultServer good([&](const HttpRequest& request, HttpReply& reply) {
    {
      const std::lock_guard lock(mutex);
      seen.insert(request.path);
    }
    if (request.path == "/annotations/annotations_trainval2014.zip") {
      return reply.Serve(request, zip);
    }
    if (request.count == 1 && request.path.ends_with("7.jpg")) {
      return reply.Send(200, "Content-Length: 5000\r\n", "cut off");
    }
    reply.Serve(request, picture_);
  });
  const Json shipped =
      ReadJson(SharedFile("datasets/fetch/mirrors.json"))["sets"];
  Json entry = shipped["coco-fewshot"];
  entry["images"] = {broken.url(), good.url()};
  const auto fetch = [&](std::vector<std::string> more) {
    more.insert(more.begin(),
                {"data", "fetch", "coco-fewshot", "--root", Path("coco"),
                 "--mirrors", Mirrors("coco-fewshot", entry)});
    return tailmark_(more);
  };
  // Sizes first, and nothing else.
  const Said dry = fetch({"--dry-run"});
  EXPECT_EQ(dry.code, 4);
  EXPECT_THAT(dry.out,
              HasSubstr("annotations/instances_train2014.json: about 3"));
  EXPECT_EQ(broken.requests() + good.requests(), 0);

  const Said said = fetch({"--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const Json answer = said.json();
  EXPECT_EQ(answer.at("lacking"), "");
  EXPECT_TRUE(answer.at("problems").empty());
  ASSERT_EQ(answer.at("files").size(), 1u);
  EXPECT_EQ(answer.at("files")[0].at("state"), "came");
  EXPECT_LT(said.err.find("instances_train2014.json: about"),
            said.err.find("images below"));
  const auto supports = answer.at("images").get<std::size_t>() - query.size();
  EXPECT_GT(supports, 120u);
  EXPECT_EQ(answer.at("got").get<std::size_t>(), supports + 40);
  EXPECT_EQ(seen.size(), supports + 40 + 1);
  EXPECT_GT(broken.requests(), 40);
  EXPECT_FALSE(fs::exists(Path("coco/annotations/instances_val2014.json")));
  EXPECT_THAT(fetch({}).out, HasSubstr("0 came"));
  EXPECT_EQ(tailmark_({"data", "verify", "coco-fewshot", "--root", Path("coco"),
                       "--set", "shots=1"})
                .code,
            0);

  // The base training set is more by far, and is asked for.
  const Said base = fetch({"--dry-run", "--set", "base=with", "--json"});
  EXPECT_GT(base.json().at("images"), answer.at("images"));
  // What annotate-check wants.
  const Said more = fetch({"--with", "annotations", "--json"});
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_EQ(more.json().at("files")[0].at("state"), "there");
  EXPECT_EQ(more.json().at("files")[1].at("state"), "came");
  const Said wrong = fetch({"--with", "annotation"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'annotations'?"));
  WriteFileAtomic(Path("coco/annotations/instances_val2014.json"), "{}");
  const Said bad = tailmark_({"data", "verify", "coco-fewshot", "--root",
                              Path("coco"), "--with", "annotations"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_THAT(bad.out, HasSubstr("annotations/instances_val2014.json  "));
}

TEST_F(FetchFewShot, VocsImagesAndAnnotationsComeOutOfTwoArchives) {
  // What the split needs, and as much again that it does not.
  DatasetRegistry registry;
  RegisterBuiltinDatasets(registry);
  const auto data =
      registry.Find("voc07-fewshot")
          .open({.name = "voc07-fewshot", .options = {}, .root = Path("voc")});
  std::set<std::string> supports;
  for (const Episode& each : data->episodes()->episodes) {
    supports.insert(each.support.ids.begin(), each.support.ids.end());
  }
  const auto archive = [&](const auto& images) {
    std::string tar;
    for (const std::string& image : images) {
      const std::string name = fs::path(image).stem();
      for (const std::string& id : {name, "x" + name}) {
        tar += TarEntry("VOCdevkit/VOC2007/Annotations/" + id + ".xml",
                        "<annotation><object><name>cat</name></object>"
                        "</annotation>");
        tar +=
            TarEntry("VOCdevkit/VOC2007/JPEGImages/" + id + ".jpg", picture_);
      }
    }
    return tar + std::string(1024, '\0');
  };
  const std::string trainval = archive(supports);
  const std::string test = archive(data->test().ids);
  FaultServer broken([](const HttpRequest&, HttpReply& reply) {
    reply.Send(404, "Content-Length: 0\r\n", "");
  });
  FaultServer good([&](const HttpRequest& request, HttpReply& reply) {
    if (request.path.ends_with("trainval_06-Nov-2007.tar")) {
      return reply.Serve(request, trainval);
    }
    // Cut off three times on the way.
    if (request.count > 3) return reply.Serve(request, test);
    reply.Serve(request, std::string_view(test).substr(
                             0, static_cast<std::size_t>(request.count) *
                                    test.size() / 4));
  });
  Json entry = ReadJson(SharedFile("datasets/fetch/mirrors.json"))
                   .at("sets")
                   .at("voc07-fewshot");
  for (Json& each : entry["archives"]) {
    const auto url = each["urls"][0].get<std::string>();
    const auto name = url.substr(url.rfind('/') + 1);
    each["urls"] = {broken.url() + name, good.url() + name};
  }
  const auto fetch = [&](std::vector<std::string> more) {
    more.insert(more.begin(),
                {"data", "fetch", "voc07-fewshot", "--root", Path("voc"),
                 "--mirrors", Mirrors("voc07-fewshot", entry), "--json"});
    return tailmark_(more);
  };
  // Nothing is here, of a data set whose supports are no part of its splits.
  const auto count = std::to_string(supports.size() + 926);
  EXPECT_THAT(tailmark_({"list", "datasets", "--json", "--root",
                         "voc07-fewshot=" + Path("voc").string()})
                  .out,
              HasSubstr(count + " of " + count + " images below"));
  const Said empty =
      tailmark_({"data", "verify", "voc07-fewshot", "--root", Path("voc")});
  EXPECT_EQ(empty.code, 2);
  EXPECT_THAT(empty.out, HasSubstr(std::to_string(supports.size() + 926 - 20) +
                                   " more that are missing; --json lists all"));
  const Said dry = fetch({"--dry-run"});
  EXPECT_EQ(dry.json().at("missing"), supports.size() + 926);
  EXPECT_GT(dry.json().at("bytes_to_read"), 900'000'000);
  EXPECT_EQ(fetch({"--dry-run", "--set", "base=with"}).json().at("missing"),
            supports.size() + 926 + 3575);
  EXPECT_EQ(good.requests(), 0);

  const Said said = fetch({"--with", "annotations"});
  ASSERT_EQ(said.code, 0) << said.err;
  const auto files = 2 * (supports.size() + 926);
  EXPECT_EQ(said.json().at("got"), files);
  EXPECT_EQ(FilesBelow("voc/VOCdevkit").size(), files);
  EXPECT_EQ(tailmark_({"data", "verify", "voc07-fewshot", "--root", Path("voc"),
                       "--with", "annotations"})
                .code,
            0);
  const std::vector<std::string> manifest = {
      "data", "manifest", "voc07-fewshot", "--root", Path("voc")};
  const std::string first = Sha256File(Path("voc") / *supports.begin()) + "  " +
                            *supports.begin() + "\n";
  const std::string lines = tailmark_(manifest).out;
  EXPECT_THAT(lines, HasSubstr(first));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'),
            std::ssize(supports) + 926);
  WriteFileAtomic(Path("voc") / *supports.begin(), "no picture");
  const Said broken_one = tailmark_(manifest);
  EXPECT_EQ(broken_one.code, 2);
  EXPECT_THAT(broken_one.err, HasSubstr(*supports.begin()));
  const Said wrong = tailmark_(
      {"data", "verify", "voc07-fewshot", "--root", Path("voc"), "--json"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(wrong.json().at("problems").size(), 1u);
  EXPECT_EQ(wrong.json().at("problems")[0].at("path"), *supports.begin());
}

}  // namespace
}  // namespace tailmark

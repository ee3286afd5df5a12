// Opens reports in headless Chromium, as readers do, each in a frame as wide as
// its reader's window. A probe written into a copy of the page looks at it and
// leaves what it saw in the document, which --dump-dom then prints. Starting
// the browser is what takes time: twice, for light and dark.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "reports/render.h"
#include "reports/text.h"
#include "tests/record/sample.h"
#include "tests/reports/sample.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

/// The browser on PATH, or "".
std::string FindBrowser() {
  const std::string path = GetEnv("PATH").value_or("");
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    for (std::size_t at = 0; at <= path.size();) {
      const auto end = std::min(path.find(':', at), path.size());
      const fs::path file = fs::path(path.substr(at, end - at)) / name;
      std::error_code code;
      if (fs::is_regular_file(file, code)) return file.string();
      at = end + 1;
    }
  }
  return "";
}

constexpr const char* kListen = R"(<script>
window.wrong = [];
addEventListener('error', e => wrong.push(String(e.message)));
addEventListener('unhandledrejection', e => wrong.push(String(e.reason)));
console.error = (...words) => wrong.push(words.join(' '));
</script>)";

/// A window can't be as narrow as a phone, a frame can.
constexpr const char* kFrames =
    R"(<!doctype html><meta charset="utf-8"><body><script>
addEventListener('load', () => {
  const found = [...document.querySelectorAll('iframe')].map(e => e.contentDocument.getElementById('probe')?.textContent ?? 'null');
  const out = document.createElement('pre');
  out.id = 'probe';
  out.textContent = '[' + found.join(',') + ']';
  document.body.replaceChildren(out);
});
</script>)";

/// What the probe measures. `order` are the names of the ranked rows from top.
constexpr const char* kProbe = R"(<script>
addEventListener('load', () => {
  const rows = table => [...table.querySelectorAll('tbody:not(.unranked) tr:not(.quiet) th .chip')].map(e => e.textContent);
  const seen = {};
  const lead = document.querySelector('table.lead');
  seen.width = innerWidth;
  seen.page = document.documentElement.scrollWidth;
  seen.background = getComputedStyle(document.documentElement).backgroundColor;
  seen.resources = performance.getEntriesByType('resource').length;
  seen.small = [...document.querySelectorAll('main *, header *')].filter(e => e.childElementCount === 0 && e.textContent.trim() &&
      !e.closest('svg') && parseFloat(getComputedStyle(e).fontSize) < 11).length;
  if (lead) {
    seen.order = rows(lead);
    const buttons = [...lead.querySelectorAll('thead button.sort')];
    seen.buttons = buttons.length;
    const tail = buttons.find(b => b.textContent.startsWith('tail'));
    const sorted = () => tail.closest('th').getAttribute('aria-sort');
    tail.click();
    seen.down = rows(lead); seen.downSaid = sorted();
    tail.click();
    seen.up = rows(lead); seen.upSaid = sorted();
    seen.unranked = Boolean(lead.querySelector('tbody.unranked')?.textContent.includes('worker grew'));
    seen.quietLast = lead.tBodies[0].rows[lead.tBodies[0].rows.length - 1].matches('.quiet');
  }
  const radio = document.getElementById('hl-1');
  if (radio) {
    const other = document.querySelector('table.lead tr.m-0'), same = document.querySelector('table.lead tr.m-1');
    other.style.transition = same.style.transition = 'none';
    radio.checked = true;
    seen.dim = parseFloat(getComputedStyle(other).opacity); seen.bright = parseFloat(getComputedStyle(same).opacity);
    document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
    seen.cleared = parseFloat(getComputedStyle(other).opacity);
    document.querySelector('svg.chart .mk.m-1:not(g)').dispatchEvent(new MouseEvent('click', { bubbles: true }));
    seen.clicked = radio.checked;
  }
  seen.wrong = wrong;
  const out = document.createElement('pre');
  out.id = 'probe';
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
});
</script>)";

/// A report and how wide its reader's window is.
struct Reader {
  ReportModel model;
  int width;
};

std::string FrameOf(const Reader& reader) {
  std::string page = RenderHtml(reader.model);
  page.insert(page.find("<meta name"), kListen);
  page.insert(page.rfind("</body>"), kProbe);
  return StrCat("<iframe width=\"", reader.width,
                "\" height=\"900\" style=\"border:0\" srcdoc=\"",
                EscapeHtml(page), "\"></iframe>");
}

class Browser : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    browser_ = FindBrowser();
    if (browser_.empty()) return;
    light_ = Look({{SmallModel(), 1200},
                   {SmallModel(), 390},
                   {LargeModel(8, 24), 390},
                   {HostileModel(), 390}},
                  "--blink-settings=preferredColorScheme=1");
    dark_ =
        Look({{SmallModel(), 800}}, "--blink-settings=preferredColorScheme=0");
  }
  void SetUp() override {
    if (browser_.empty()) {
      GTEST_SKIP() << "no chromium on PATH (ci/setup --with-browser)";
    }
  }

  /// Opens reports side by side and returns what the probe saw in each.
  static Json Look(const std::vector<Reader>& readers,
                   const std::string& more) {
    const ScratchFolder folder;
    std::string frames = kFrames;
    for (const Reader& reader : readers) frames += FrameOf(reader);
    const fs::path file = folder.path() / "page.html";
    WriteFileAtomic(file, frames + "</body>");
    const std::string command = StrCat(
        "timeout 100 '", browser_,
        "' --headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
        " --disable-background-networking --disable-component-update"
        " --disable-sync --user-data-dir='",
        (folder.path() / "profile").string(), "' --window-size=1400,1000 ",
        more, " --dump-dom 'file://", file.string(), "' 2>/dev/null");
    std::string dom;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) throw DataError("popen failed");
    std::array<char, 65536> buffer{};
    while (const std::size_t n =
               std::fread(buffer.data(), 1, buffer.size(), pipe))
      dom.append(buffer.data(), n);
    const int status = pclose(pipe);
    EXPECT_EQ(WEXITSTATUS(status), 0) << command;
    const std::string start = "<pre id=\"probe\">";
    const auto at = dom.rfind(start);
    if (at == dom.npos)
      throw DataError(StrCat("the probe did not run: ", dom.substr(0, 500)));
    const auto end = dom.find("</pre>", at);
    std::string text = dom.substr(at + start.size(), end - at - start.size());
    for (const auto& [from, to] :
         {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}}) {
      for (auto p = text.find(from); p != text.npos;
           p = text.find(from, p + 1)) {
        text.replace(p, std::string(from).size(), to);
      }
    }
    return ParseJson(text, "probe");
  }

  static inline std::string browser_;
  static inline Json light_;  ///< A desk, then three phones.
  static inline Json dark_;
};

TEST_F(Browser, SortsHighlightsAndComplainsOfNothing) {
  const Json& seen = light_.at(0);
  EXPECT_EQ(seen.at("wrong"), Json::array());
  EXPECT_EQ(seen.at("resources"), 0);
  EXPECT_EQ(seen.at("small"), 0) << "text below 11 px";
  const Json by_total = {"Linear probe, loss bce", "Zero-shot CLIP",
                         "Label prior"};
  EXPECT_EQ(seen.at("order"), by_total);
  EXPECT_EQ(seen.at("buttons"), 7);
  EXPECT_EQ(seen.at("downSaid"), "descending");
  EXPECT_EQ(seen.at("down"),
            Json({"Zero-shot CLIP", "Linear probe, loss bce", "Label prior"}));
  // The label prior has no tail value: last both ways.
  EXPECT_EQ(seen.at("upSaid"), "ascending");
  EXPECT_EQ(seen.at("up"),
            Json({"Linear probe, loss bce", "Zero-shot CLIP", "Label prior"}));
  EXPECT_TRUE(seen.at("unranked").get<bool>());
  EXPECT_TRUE(seen.at("quietLast").get<bool>());
  EXPECT_LT(seen.at("dim").get<double>(), 0.5);
  EXPECT_EQ(seen.at("bright"), 1);
  EXPECT_EQ(seen.at("cleared"), 1);
  EXPECT_TRUE(seen.at("clicked").get<bool>());
}

TEST_F(Browser, NeverScrollsSidewaysOnAPhone) {
  for (std::size_t phone = 1; phone < 4; ++phone) {
    const Json& seen = light_.at(phone);
    EXPECT_EQ(seen.at("width"), 390);
    EXPECT_LE(seen.at("page").get<int>(), 390) << "phone " << phone;
    EXPECT_EQ(seen.at("wrong"), Json::array());
  }
}

TEST_F(Browser, FollowsThePreferredColourScheme) {
  EXPECT_EQ(light_.at(0).at("background"), "rgb(251, 250, 247)");
  EXPECT_EQ(dark_.at(0).at("background"), "rgb(19, 22, 25)");
}

}  // namespace
}  // namespace tailmark

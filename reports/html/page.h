#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/looks.h"
#include "reports/model.h"
#include "reports/svg.h"

namespace tailmark::html {

/// What every section of one data set needs, worked out once.
struct DataPage {
  const ReportDataset& data;
  const Looks& looks;
  std::string definition;                ///< The default one.
  std::vector<const ReportRow*> ranked;  ///< Best first.
  const ReportRow* baseline = nullptr;   ///< Among `ranked`, or none.
  std::string
      suffix;  ///< Behind every id: "", or "-2" for the second data set.
  int* ids = nullptr;  ///< Counts ids of charts and captions over the page.

  int NextId() const { return ++*ids; }
};

/// A question, its answer and what shows it. `question` and `answer` are plain
/// text, `body` is markup.
struct Section {
  std::string id;
  std::string name;  ///< In the navigation.
  std::string question;
  std::string answer;
  std::string body;
};

/// One of each data set, in the order of the page; nothing when the model lacks
/// the data for it. A new section is a function here and a line in the list of
/// render_html.cc.
std::optional<Section> Leaderboard(const DataPage& page);
std::optional<Section> GroupProfile(const DataPage& page);
std::optional<Section> ApAgainstCount(const DataPage& page);
std::optional<Section> ClassByClass(const DataPage& page);
std::optional<Section> Definitions(const DataPage& page);
std::optional<Section> PublishedAndReproduced(const DataPage& page);
std::optional<Section> SeedsAndTraining(const DataPage& page);
std::optional<Section> LabelGraph(const DataPage& page);
std::optional<Section> Cost(const DataPage& page);
std::optional<Section> FairnessLedger(const DataPage& page);
std::optional<Section> TestLedger(const DataPage& page);
/// Of the whole model, last.
std::optional<Section> Provenance(const ReportModel& model, const Looks& looks,
                                  int* ids);

/// The list of facts under the finding.
std::string Meta(const ReportModel& model);

// ---- Markup that several sections use --------------------------------------

/// The row's mark and a name, `text` or the full label.
std::string Chip(const Look& look, std::string_view text);
/// `<tr class="row m-3">`.
std::string OpenRow(const Look& look);
/// A table in its own scrolling box. `caption`, `head` and `bodies` are markup;
/// the head's last row gets sort buttons when `classes` has "sorts".
std::string Table(int id, std::string_view caption, std::string_view head,
                  std::string_view bodies, std::string_view classes);
/// `<th scope="col">`, with class n for numbers. `text` is escaped.
std::string HeadCell(std::string_view text, bool number = false);
/// A number, right-aligned; an undefined one is an en dash.
std::string NumberCell(Figure value, int decimals);
/// Escaped text in a cell; an empty one is an en dash.
std::string TextCell(std::string_view text, bool number = false);
std::string Code(std::string_view text);
/// The same for a long id, which may break behind its slashes.
std::string Breakable(std::string_view id);

inline constexpr double kChartRow = 26;  ///< Height of a chart's row.

/// The names on the left of a chart: how wide they are, and cut to fit.
struct NameColumn {
  double width = 0;
  std::size_t letters = 0;
};
NameColumn NamesOf(const std::vector<const ReportRow*>& rows,
                   const Looks& looks);

}  // namespace tailmark::html

#pragma once

#include <string>
#include <vector>

#include "reports/model.h"

namespace tailmark {

/// Sentences that reports print, made from the figures; "" when the figures do
/// not say. Plain text, not escaped.

/// What came out, in one or two sentences, over all data sets.
std::string FindingOf(const ReportModel& model);

std::string LeaderboardAnswer(const ReportDataset& dataset);
std::string GroupsAnswer(const ReportDataset& dataset);
std::string CountsAnswer(const ReportDataset& dataset);
std::string ClassesAnswer(const ReportDataset& dataset);
std::string DefinitionsAnswer(const ReportDataset& dataset);
std::string PublishedAnswer(const ReportDataset& dataset);
std::string SeedsAnswer(const ReportDataset& dataset);
std::string CostAnswer(const ReportDataset& dataset);
std::string FairnessAnswer(const ReportDataset& dataset);
std::string LedgerAnswer(const ReportDataset& dataset);
std::string ProvenanceAnswer(const ReportModel& model);

/// Rank correlation (Spearman, ties share their mean rank) of AP with the
/// training count over the classes; empty below three classes or without
/// variation.
Figure CountCorrelation(const ReportDataset& dataset, const ReportRow& row);

/// Rank of every ranked row (first is 1) under one definition, in the order of
/// RankedRows(dataset, default). 0: undefined there.
std::vector<int> RanksUnder(const ReportDataset& dataset,
                            const std::string& definition);

}  // namespace tailmark

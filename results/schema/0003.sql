-- Version 3: of a run over episodes the views show the mean over them as `test`.

DROP VIEW leaderboard;
CREATE VIEW leaderboard AS            -- for browsing: reports take the spread by two passes
WITH counted AS (
  SELECT run_id, dataset, method, version, recipe, definition, grp, selection, value, undefined_classes
  FROM result WHERE scores = 'test' AND NOT partial
  UNION ALL
  SELECT run_id, dataset, method, version, recipe, definition, grp, selection, avg(value), max(undefined_classes)
  FROM result WHERE scores LIKE 'test.episode-%' AND NOT partial
  GROUP BY run_id, dataset, method, version, recipe, definition, grp, selection)
SELECT dataset, method, version, recipe, definition, grp, selection,
       count(*) AS seeds, avg(value) AS mean,
       CASE WHEN count(*) > 1 THEN sqrt(max(0, (sum(value * value)
         - count(*) * avg(value) * avg(value)) / (count(*) - 1))) END AS sd_seed,
       max(undefined_classes) AS undefined_classes
FROM counted
GROUP BY dataset, method, version, recipe, definition, grp, selection;

CREATE VIEW episodes AS               -- one row a number of a few-shot run, and its spread over episodes
SELECT run_id, run, dataset, method, version, seed, recipe, definition, grp, partial,
       count(*) AS episodes, avg(value) AS mean,
       CASE WHEN count(*) > 1 THEN sqrt(max(0, (sum(value * value)
         - count(*) * avg(value) * avg(value)) / (count(*) - 1))) END AS sd_episodes,
       min(value) AS lowest, max(value) AS highest
FROM result WHERE scores LIKE 'test.episode-%'
GROUP BY run_id, definition, grp;

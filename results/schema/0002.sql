-- Version 2: baselines that are accepted again and again, verdicts that say their
-- tier and how often they were tried, and the noise of a machine.

CREATE TABLE baseline_2(              -- the rows of one acceptance share name and time
  name TEXT NOT NULL, run_id INTEGER NOT NULL REFERENCES run,
  accepted_utc TEXT NOT NULL, accepted_by TEXT NOT NULL,
  why TEXT NOT NULL CHECK(length(trim(why)) > 0),
  PRIMARY KEY(name, accepted_utc, run_id)) STRICT, WITHOUT ROWID;
INSERT INTO baseline_2 SELECT name, run_id, accepted_utc, accepted_by, why FROM baseline;
DROP TABLE baseline;
ALTER TABLE baseline_2 RENAME TO baseline;

CREATE TABLE verdict_2(
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK(kind IN ('check','compare','reproduce')),
  utc TEXT NOT NULL, subject TEXT NOT NULL, reference TEXT NOT NULL,
  definition_id INTEGER NOT NULL REFERENCES metric_definition, grp TEXT NOT NULL,
  difference REAL, ci_lo REAL, ci_hi REAL, p REAL, p_adjusted REAL, mde REAL,
  margin REAL, test TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK(outcome IN ('pass','regression','improvement','too_good','equivalent','different','inconclusive','missing','new','not_comparable','error')),
  tier INTEGER,                       -- 0 golden ... 5 time; NULL: no tier applied
  tries INTEGER NOT NULL DEFAULT 1 CHECK(tries >= 1),  -- with confirmation reruns
  reason TEXT) STRICT;
INSERT INTO verdict_2(id, kind, utc, subject, reference, definition_id, grp, difference, ci_lo,
  ci_hi, p, p_adjusted, mde, margin, test, outcome)
  SELECT id, kind, utc, subject, reference, definition_id, grp, difference, ci_lo,
  ci_hi, p, p_adjusted, mde, margin, test, outcome FROM verdict;
DROP TABLE verdict;
ALTER TABLE verdict_2 RENAME TO verdict;

CREATE TABLE noise(                   -- A/A: one run repeated on one machine
  id INTEGER PRIMARY KEY,
  utc TEXT NOT NULL, fingerprint TEXT NOT NULL,        -- of the environment
  recipe TEXT NOT NULL, repeats INTEGER NOT NULL CHECK(repeats >= 2),
  tier INTEGER NOT NULL,              -- 1: bits that differ, 2: points of mAP, 5: seconds
  grp TEXT NOT NULL, sd REAL NOT NULL CHECK(sd >= 0), largest REAL NOT NULL) STRICT;

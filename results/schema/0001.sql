-- Version 1 of the store: all of it. Later versions are files beside this one,
-- 0002.sql and so on, each of which brings the version before it up to date.
-- Conventions: percent for metric values, seconds, bytes, UTC as text; NULL is
-- "undefined" or "not known", never 0; text that is part of a UNIQUE is '' for
-- "none", because SQLite takes NULLs to be distinct.

-- what was measured on -----------------------------------------------------------
CREATE TABLE dataset(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL, version INTEGER NOT NULL,
  manifest_sha256 TEXT NOT NULL,      -- of every picture, or of what makes them
  label_policy TEXT NOT NULL,         -- how annotations became labels
  classes_sha256 TEXT NOT NULL,       -- names, counts, groups in order; '': not known
  UNIQUE(name, version, manifest_sha256, label_policy, classes_sha256)) STRICT;

CREATE TABLE class(
  dataset_id INTEGER NOT NULL REFERENCES dataset ON DELETE CASCADE,
  idx INTEGER NOT NULL CHECK(idx >= 0), name TEXT NOT NULL,
  train_pos INTEGER NOT NULL CHECK(train_pos >= 0),
  grp TEXT NOT NULL CHECK(grp IN ('head','medium','tail','novel','base')),
  PRIMARY KEY(dataset_id, idx)) STRICT, WITHOUT ROWID;

CREATE TABLE split(
  id INTEGER PRIMARY KEY,
  dataset_id INTEGER NOT NULL REFERENCES dataset ON DELETE CASCADE,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK(role IN ('train','validation','test','support','query')),
  episode INTEGER NOT NULL DEFAULT -1,
  images INTEGER NOT NULL CHECK(images >= 0),
  list_sha256 TEXT NOT NULL,          -- ids and label bits in order
  UNIQUE(dataset_id, name, role, episode, list_sha256)) STRICT;

-- what it was measured with --------------------------------------------------------
CREATE TABLE environment(
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,        -- of json
  fingerprint TEXT NOT NULL,          -- of its fields that can move a number
  json TEXT NOT NULL CHECK(json_valid(json))) STRICT;
CREATE INDEX environment_fingerprint ON environment(fingerprint);

CREATE TABLE code(
  id INTEGER PRIMARY KEY,
  build TEXT NOT NULL,                -- digest of the sources that can move a score
  git_sha TEXT NOT NULL DEFAULT '', dirty INTEGER NOT NULL CHECK(dirty IN (0,1)),
  diff_sha256 TEXT NOT NULL DEFAULT '',
  json TEXT NOT NULL CHECK(json_valid(json)),  -- with compiler, flags, LibTorch
  UNIQUE(build, json)) STRICT;

CREATE TABLE weights(
  sha256 TEXT PRIMARY KEY, name TEXT NOT NULL, bytes INTEGER) STRICT, WITHOUT ROWID;

CREATE TABLE method(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL, version INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK(kind IN ('builtin','cxx_plugin','c_plugin','torchscript','aoti','process','scores')),
  artifact_sha256 TEXT NOT NULL DEFAULT '',
  pipeline TEXT NOT NULL CHECK(pipeline IN ('harness','foreign')),
  UNIQUE(name, version, kind, artifact_sha256, pipeline)) STRICT;

CREATE TABLE recipe(                  -- all that may change a score but seed and build
  id TEXT PRIMARY KEY,                -- its SHA-256
  json TEXT NOT NULL CHECK(json_valid(json))) STRICT, WITHOUT ROWID;

-- the run --------------------------------------------------------------------------
CREATE TABLE run(
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,                  -- hash of (recipe, seed, build)
  attempt INTEGER NOT NULL CHECK(attempt >= 1),
  record_sha256 TEXT NOT NULL,        -- of the run record: the same one is stored once
  recipe TEXT NOT NULL REFERENCES recipe,
  seed INTEGER NOT NULL,
  method_id INTEGER NOT NULL REFERENCES method,
  dataset_id INTEGER NOT NULL REFERENCES dataset,
  code_id INTEGER NOT NULL REFERENCES code,
  environment_id INTEGER REFERENCES environment,  -- NULL: died before it could say
  state TEXT NOT NULL CHECK(state IN ('done','failed','timeout','oom','killed','lost','skipped','not_applicable')),
  reason TEXT, exit_code INTEGER, signal INTEGER,
  selection TEXT NOT NULL CHECK(selection IN ('last','validation','best_on_test','none')),
  test_evaluations INTEGER NOT NULL DEFAULT 0 CHECK(test_evaluations >= 0),  -- looks at the test labels
  trained_parameters INTEGER NOT NULL DEFAULT 0,
  options TEXT NOT NULL CHECK(json_valid(options)),   -- of the method, resolved
  seeds TEXT NOT NULL CHECK(json_valid(seeds)),       -- of every named stream of chance
  created_utc TEXT NOT NULL, started_utc TEXT, finished_utc TEXT,
  host TEXT, command TEXT,
  CHECK((state = 'done') = (reason IS NULL)),
  UNIQUE(key, attempt), UNIQUE(key, record_sha256)) STRICT;
CREATE UNIQUE INDEX run_done_once ON run(key) WHERE state = 'done';
CREATE INDEX run_recipe ON run(recipe, seed);
CREATE INDEX run_method ON run(method_id, dataset_id);
CREATE INDEX run_dataset ON run(dataset_id);

CREATE TABLE run_split(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  split_id INTEGER NOT NULL REFERENCES split,
  PRIMARY KEY(run_id, split_id)) STRICT, WITHOUT ROWID;
CREATE TABLE run_weights(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  role TEXT NOT NULL, sha256 TEXT NOT NULL REFERENCES weights,
  PRIMARY KEY(run_id, role)) STRICT, WITHOUT ROWID;
CREATE TABLE run_event(               -- what the store noticed: broken invariants, other scores of the key
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  what TEXT NOT NULL, level TEXT NOT NULL CHECK(level IN ('warning','error')),
  utc TEXT NOT NULL,
  PRIMARY KEY(run_id, what)) STRICT, WITHOUT ROWID;
CREATE TABLE tag(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  key TEXT NOT NULL, value TEXT NOT NULL DEFAULT '',
  PRIMARY KEY(run_id, key)) STRICT, WITHOUT ROWID;
CREATE INDEX tag_key ON tag(key);

-- which runs belong together -----------------------------------------------------------
CREATE TABLE campaign(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  plan_sha256 TEXT NOT NULL,          -- of its keys in order
  turn INTEGER NOT NULL,              -- the largest was asked for last
  created_utc TEXT NOT NULL, command TEXT NOT NULL,
  json TEXT NOT NULL CHECK(json_valid(json)),         -- the resolved recipe file
  UNIQUE(name, plan_sha256)) STRICT;
CREATE TABLE campaign_run(            -- a cell, whether or not there is a run of its key
  campaign_id INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
  position INTEGER NOT NULL,
  key TEXT NOT NULL, recipe TEXT NOT NULL, seed INTEGER NOT NULL,
  method TEXT NOT NULL, dataset TEXT NOT NULL, label TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('planned','skipped','not_applicable')),
  reason TEXT,
  spec TEXT NOT NULL CHECK(json_valid(spec)),
  CHECK((state = 'planned') = (reason IS NULL)),
  PRIMARY KEY(campaign_id, position)) STRICT, WITHOUT ROWID;
CREATE INDEX campaign_run_key ON campaign_run(key);

-- what came out --------------------------------------------------------------------------
CREATE TABLE score(                   -- blobs/<2 digits>/<62 digits>.npy
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  name TEXT NOT NULL,                 -- 'test', 'test.epoch-3', 'test.episode-12'
  split_id INTEGER NOT NULL REFERENCES split,
  sha256 TEXT NOT NULL CHECK(length(sha256) = 64),
  dtype TEXT NOT NULL,
  rows INTEGER NOT NULL CHECK(rows >= 0), cols INTEGER NOT NULL CHECK(cols >= 0),
  scale TEXT NOT NULL CHECK(scale IN ('logit','probability','cosine','unknown')),
  nonfinite INTEGER NOT NULL DEFAULT 0 CHECK(nonfinite >= 0),  -- infinities; a NaN fails the run
  UNIQUE(run_id, name)) STRICT;
CREATE TABLE metric_definition(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,          -- 'ap.step/difficult=ignore/empty=keep/nopos=exclude/v1'
  higher_is_better INTEGER NOT NULL CHECK(higher_is_better IN (0,1)),
  json TEXT NOT NULL CHECK(json_valid(json))) STRICT;
CREATE TABLE metric(
  score_id INTEGER NOT NULL REFERENCES score ON DELETE CASCADE,
  definition_id INTEGER NOT NULL REFERENCES metric_definition,
  grp TEXT NOT NULL,                  -- total, head, medium, tail, base, novel
  value REAL,                         -- percent
  classes INTEGER NOT NULL CHECK(classes >= 0),       -- with a value
  undefined_classes INTEGER NOT NULL CHECK(undefined_classes >= 0),  -- without
  ci_lo REAL, ci_hi REAL, ci_method TEXT,
  CHECK((value IS NULL) = (classes = 0)),
  CHECK(ci_lo IS NULL OR ci_lo <= ci_hi),
  CHECK((ci_lo IS NULL) = (ci_method IS NULL)),
  PRIMARY KEY(score_id, definition_id, grp)) STRICT, WITHOUT ROWID;
CREATE TABLE class_metric(
  score_id INTEGER NOT NULL REFERENCES score ON DELETE CASCADE,
  definition_id INTEGER NOT NULL REFERENCES metric_definition,
  idx INTEGER NOT NULL CHECK(idx >= 0),
  value REAL,                         -- percent
  positives INTEGER NOT NULL CHECK(positives >= 0),
  negatives INTEGER NOT NULL CHECK(negatives >= 0),
  ignored INTEGER NOT NULL CHECK(ignored >= 0),
  PRIMARY KEY(score_id, definition_id, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE diagnostic(              -- ties, saturation, span of rank AP over tie order
  score_id INTEGER NOT NULL REFERENCES score ON DELETE CASCADE,
  name TEXT NOT NULL,
  idx INTEGER NOT NULL DEFAULT -1 CHECK(idx >= -1),    -- a class; -1: the whole matrix
  value REAL,
  PRIMARY KEY(score_id, name, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE curve(                   -- loss, learning rate, validation figures
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  name TEXT NOT NULL, step INTEGER NOT NULL, value REAL,
  PRIMARY KEY(run_id, name, step)) STRICT, WITHOUT ROWID;
CREATE TABLE timing(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  position INTEGER NOT NULL,          -- phases in the order they ran
  phase TEXT NOT NULL, wall_s REAL NOT NULL, cpu_s REAL,
  peak_rss INTEGER, items INTEGER,
  PRIMARY KEY(run_id, position), UNIQUE(run_id, phase)) STRICT, WITHOUT ROWID;

-- judgements -----------------------------------------------------------------------------
CREATE TABLE published(
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL, table_label TEXT NOT NULL, row_label TEXT NOT NULL,
  dataset TEXT NOT NULL, grp TEXT NOT NULL,
  value REAL NOT NULL, decimals INTEGER NOT NULL CHECK(decimals >= 0),
  spread REAL, spread_kind TEXT,
  status TEXT NOT NULL CHECK(status IN ('primary','second_hand','author_log')),
  lint TEXT, recipe TEXT,
  UNIQUE(source, table_label, row_label, dataset, grp)) STRICT;
CREATE TABLE baseline(
  name TEXT NOT NULL, run_id INTEGER NOT NULL REFERENCES run,
  accepted_utc TEXT NOT NULL, accepted_by TEXT NOT NULL,
  why TEXT NOT NULL CHECK(length(trim(why)) > 0),
  PRIMARY KEY(name, run_id)) STRICT, WITHOUT ROWID;
CREATE TABLE verdict(
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK(kind IN ('check','compare','reproduce')),
  utc TEXT NOT NULL, subject TEXT NOT NULL, reference TEXT NOT NULL,
  definition_id INTEGER NOT NULL REFERENCES metric_definition, grp TEXT NOT NULL,
  difference REAL, ci_lo REAL, ci_hi REAL, p REAL, p_adjusted REAL, mde REAL,
  margin REAL, test TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK(outcome IN ('pass','regression','improvement','too_good','equivalent','different','inconclusive','missing','not_comparable','error'))) STRICT;

-- for people -------------------------------------------------------------------------------
CREATE VIEW result AS                 -- one row a number, with its names
SELECT r.id AS run_id, substr(r.key, 1, 12) AS run, d.name AS dataset, m.name AS method,
       m.version, m.pipeline, r.seed, r.recipe, r.selection, s.name AS scores,
       f.name AS definition, x.grp, x.value, x.classes, x.undefined_classes,
       EXISTS(SELECT 1 FROM tag t WHERE t.run_id = r.id AND t.key = 'partial') AS partial
FROM run r JOIN method m ON m.id = r.method_id JOIN dataset d ON d.id = r.dataset_id
     JOIN score s ON s.run_id = r.id JOIN metric x ON x.score_id = s.id
     JOIN metric_definition f ON f.id = x.definition_id
WHERE r.state = 'done';

CREATE VIEW leaderboard AS            -- for browsing: reports take the spread by two passes
SELECT dataset, method, version, recipe, definition, grp, selection,
       count(*) AS seeds, avg(value) AS mean,
       CASE WHEN count(*) > 1 THEN sqrt(max(0, (sum(value * value)
         - count(*) * avg(value) * avg(value)) / (count(*) - 1))) END AS sd_seed,
       max(undefined_classes) AS undefined_classes
FROM result WHERE scores = 'test' AND NOT partial
GROUP BY dataset, method, version, recipe, definition, grp, selection;

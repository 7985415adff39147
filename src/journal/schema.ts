/**
 * Ids are base32 CIDs, `digest` is the same id's sha2-256 (base32 does not sort like bytes). Times: `issued` and
 * `expires` are whole seconds as signed, everything else milliseconds.
 */
export const FIRST_SCHEMA = `
  CREATE TABLE announcements (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    kind TEXT NOT NULL,
    author BLOB NOT NULL,
    name TEXT NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    sig BLOB NOT NULL,
    code TEXT,
    depth INTEGER NOT NULL,
    proof BLOB NOT NULL,
    issued INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    via TEXT NOT NULL,
    from_peer TEXT,
    own INTEGER NOT NULL DEFAULT 0,
    redirect INTEGER,
    emitted_depth INTEGER,
    state TEXT NOT NULL DEFAULT 'live',
    over_by TEXT,
    follows TEXT
  ) STRICT;
  CREATE INDEX announcements_alive ON announcements (author, name, kind, expires) WHERE state = 'live';
  CREATE INDEX announcements_to_share ON announcements (digest) WHERE redirect = 1 AND state = 'live';
  CREATE INDEX announcements_unemitted ON announcements (received_at)
    WHERE redirect = 1 AND state = 'live' AND emitted_depth IS NULL;

  CREATE TABLE heads (
    author BLOB NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    forget_at INTEGER NOT NULL,
    PRIMARY KEY (author, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE verdicts (
    number INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    at INTEGER NOT NULL,
    policy BLOB NOT NULL,
    verdict TEXT,
    failure TEXT,
    holds INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX verdicts_of_service ON verdicts (service, number);

  CREATE TABLE receipts (
    service TEXT NOT NULL,
    node TEXT NOT NULL,
    at INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (service, node)
  ) STRICT;

  CREATE TABLE stops (service TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    executor TEXT NOT NULL,
    state TEXT NOT NULL,
    plan TEXT NOT NULL,
    handle TEXT NOT NULL DEFAULT 'null',
    wanted TEXT NOT NULL DEFAULT 'run',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    exit_code INTEGER,
    detail TEXT,
    restarts INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX runs_of_service ON runs (service);
  CREATE TABLE transitions (
    number INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    detail TEXT
  ) STRICT;
  CREATE INDEX transitions_of_run ON transitions (run_id);

  CREATE TABLE published (
    service TEXT PRIMARY KEY,
    author BLOB NOT NULL,
    name TEXT NOT NULL,
    seq INTEGER NOT NULL,
    replicas INTEGER NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

/** Services that wait: what for, as JSON, and their place in the row. */
export const PARKED_SCHEMA = `
  CREATE TABLE sleepers (
    service TEXT PRIMARY KEY,
    conditions TEXT NOT NULL,
    rank REAL NOT NULL,
    since INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    expires INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`

/** Services that a policy which changed admits, until they are decided about in the order of their worth. */
export const CANDIDATES_SCHEMA = `
  CREATE TABLE candidates (
    service TEXT PRIMARY KEY,
    rank REAL NOT NULL,
    arrived INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX candidates_best_first ON candidates (rank DESC, arrived, service);
`

/** What each run has used: of the starts that are over, and of the last. */
export const USAGE_SCHEMA = `
  CREATE TABLE run_usage (
    run_id TEXT PRIMARY KEY REFERENCES runs (run_id) ON DELETE CASCADE,
    ended_ms INTEGER NOT NULL,
    ended_cpu_ms INTEGER NOT NULL,
    start INTEGER NOT NULL,
    running_ms INTEGER NOT NULL,
    cpu_ms INTEGER NOT NULL,
    memory_bytes INTEGER NOT NULL,
    at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`

/** The bytes of its network and its disk; and what all starts had used when the newest period of it began. */
export const USAGE_PERIOD_SCHEMA = `
  ALTER TABLE run_usage ADD COLUMN disk_bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE run_usage ADD COLUMN ended_received INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE run_usage ADD COLUMN ended_sent INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE run_usage ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE run_usage ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE run_usage ADD COLUMN from_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE run_usage ADD COLUMN from_cpu_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE run_usage ADD COLUMN from_received INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE run_usage ADD COLUMN from_sent INTEGER NOT NULL DEFAULT 0;
  UPDATE run_usage SET from_ms = ended_ms + running_ms, from_cpu_ms = ended_cpu_ms + cpu_ms;
`

/** Each run's periods, by number; those of a higher level are older, and several of the level below as one. */
export const USAGE_HISTORY_SCHEMA = `
  CREATE TABLE usage_points (
    run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    running_ms INTEGER NOT NULL,
    cpu_ms INTEGER NOT NULL,
    received INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    memory_bytes INTEGER,
    disk_bytes INTEGER,
    PRIMARY KEY (run_id, level, number)
  ) STRICT, WITHOUT ROWID;
`

/**
 * Statements of hubs and issuers, of one subject the latest. `digest` is the id's sha2-256. Whether a service has the code that
 * a statement is about is looked up for each one of an untrusted signer.
 */
export const STATEMENTS_SCHEMA = `
  CREATE TABLE statements (
    subject TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    kind TEXT NOT NULL,
    signer BLOB NOT NULL,
    code TEXT,
    address BLOB,
    seq INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    encoded BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    via TEXT NOT NULL,
    own INTEGER NOT NULL,
    put_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX statements_by_digest ON statements (digest);
  CREATE INDEX statements_about_code ON statements (code) WHERE code IS NOT NULL;
  CREATE INDEX statements_about_address ON statements (address) WHERE address IS NOT NULL;
  CREATE INDEX statements_of_the_tree ON statements (digest) WHERE kind = 'delegation';
  CREATE INDEX statements_own ON statements (digest) WHERE own = 1;
  CREATE INDEX announcements_of_code ON announcements (code) WHERE state = 'live' AND code IS NOT NULL;
`

/** What the newest verdict on a service comes to, and indexes by which lists are filtered: 100,000 rows are not read for a page. */
export const LISTS_SCHEMA = `
  ALTER TABLE announcements ADD COLUMN disposition TEXT;
  UPDATE announcements SET disposition = (
    SELECT CASE WHEN verdict IS NULL THEN 'refused' WHEN json_extract(verdict, '$.run') <> 0 THEN 'run' WHEN holds = 1 THEN 'parked'
      WHEN json_extract(verdict, '$.redirect') THEN 'redirected' ELSE 'refused' END
    FROM verdicts WHERE service = announcements.id AND number = (SELECT max(number) FROM verdicts last WHERE last.service = announcements.id));
  CREATE INDEX announcements_by_disposition ON announcements (disposition) WHERE kind = 'service';
  CREATE INDEX announcements_by_author ON announcements (author) WHERE kind = 'service';
`

/** Policies that were put in force, in this order, with who did it. */
export const POLICIES_SCHEMA = `
  CREATE TABLE policies (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    text TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    by_kind TEXT NOT NULL,
    by_id TEXT NOT NULL,
    by_label TEXT NOT NULL,
    added INTEGER NOT NULL,
    removed INTEGER NOT NULL
  ) STRICT;
`

/** What the operator has blocked, beside the policy. */
export const BLOCKS_SCHEMA = `
  CREATE TABLE blocks (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,
    note TEXT,
    keeps_runs INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
  ) STRICT, WITHOUT ROWID;
`

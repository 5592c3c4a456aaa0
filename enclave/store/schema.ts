/**
 * Room: enclave/store. The tables of `worker.db`. A changed table is a new version; an older file is not opened.
 * All numbers from the chain that SQLite's integers cannot hold are decimal text.
 */

/** Kept in SQLite's user_version. */
export const schemaVersion = 5;

/** Kept in SQLite's application_id: "dcmw". */
export const applicationId = 0x64636d77;

/** The whole schema, in the order of creation. An opened file must hold exactly this. */
export const tables = [
  `CREATE TABLE deployment (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    chain_id INTEGER NOT NULL,
    job_market TEXT NOT NULL
  ) STRICT`,
  `CREATE TABLE cursor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    json TEXT NOT NULL
  ) STRICT`,
  `CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY,
    idx TEXT,
    order_json TEXT NOT NULL,
    workload_id TEXT NOT NULL,
    deadline INTEGER NOT NULL,
    program_uri TEXT NOT NULL,
    params BLOB NOT NULL,
    requester_signature BLOB,
    payer_signature BLOB,
    opened_block INTEGER,
    opened_hash TEXT,
    closed_block INTEGER,
    closed_as TEXT,
    settle_tx TEXT,
    receipt_hash TEXT
  ) STRICT`,
  "CREATE INDEX open_jobs ON jobs (workload_id, deadline) WHERE closed_block IS NULL",
  "CREATE INDEX open_orders ON jobs (order_json ->> '$.nonce') WHERE idx IS NULL AND closed_block IS NULL",
  "CREATE INDEX jobs_opened ON jobs (opened_block)",
  "CREATE INDEX jobs_closed ON jobs (closed_block) WHERE closed_block IS NOT NULL",
  `CREATE TABLE counted (
    job_id TEXT NOT NULL,
    receipt_hash TEXT NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (job_id, receipt_hash)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX counted_block ON counted (block)",
  `CREATE TABLE outcomes (
    job_id TEXT NOT NULL,
    receipt_hash TEXT NOT NULL,
    signer TEXT NOT NULL,
    receipt_json TEXT NOT NULL,
    signature BLOB NOT NULL,
    grants_json TEXT NOT NULL,
    result_ciphertext BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, signature)
  ) STRICT`,
  `CREATE TABLE prints (
    job_id TEXT NOT NULL,
    receipt_hash TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    entry BLOB NOT NULL,
    idx INTEGER NOT NULL,
    proof_json TEXT NOT NULL,
    PRIMARY KEY (job_id, receipt_hash)
  ) STRICT`,
  `CREATE TABLE sessions (
    session_id TEXT PRIMARY KEY,
    order_json TEXT NOT NULL,
    terms_json TEXT NOT NULL,
    program_uri TEXT NOT NULL,
    opened_block INTEGER NOT NULL,
    claimed_block INTEGER,
    claimed_root TEXT,
    ended_block INTEGER,
    ended_as TEXT
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX sessions_opened ON sessions (opened_block)",
  "CREATE INDEX sessions_claimed ON sessions (claimed_block) WHERE claimed_block IS NOT NULL",
  "CREATE INDEX sessions_ended ON sessions (ended_block) WHERE ended_block IS NOT NULL",
  `CREATE TABLE session_jobs (
    job_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    nonce TEXT NOT NULL,
    deadline TEXT NOT NULL,
    program_uri TEXT NOT NULL,
    params BLOB NOT NULL,
    requester_signature BLOB NOT NULL,
    payer_signature BLOB NOT NULL,
    signer TEXT,
    receipt_hash TEXT,
    ok INTEGER,
    UNIQUE (session_id, nonce)
  ) STRICT`,
  `CREATE TABLE claims (
    session_id TEXT NOT NULL,
    root TEXT NOT NULL,
    signer TEXT NOT NULL,
    signature BLOB NOT NULL,
    claim_json TEXT NOT NULL,
    leaves_json TEXT NOT NULL,
    discarded INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (session_id, signature)
  ) STRICT`,
  "CREATE TABLE wished_claims (session_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
  `CREATE TABLE log_entries (
    log_id TEXT NOT NULL,
    idx INTEGER NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (log_id, idx)
  ) STRICT`,
] as const;

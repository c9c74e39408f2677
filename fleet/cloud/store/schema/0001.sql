-- The cloud's records, version 1: one table per record class, one column per field.
-- Booleans are 0 or 1; columns that say "JSON" hold lists and nested structs as JSON text.

CREATE TABLE accounts (
    name TEXT NOT NULL PRIMARY KEY,
    password_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    grant_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    grantee TEXT NOT NULL,
    role TEXT NOT NULL,
    products TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE custom_roles (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    permissions TEXT NOT NULL, -- JSON
    PRIMARY KEY (owner, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    uid TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE products (
    product_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    owner TEXT NOT NULL,
    binding TEXT NOT NULL,
    method TEXT NOT NULL,
    schema TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    uuid TEXT NOT NULL PRIMARY KEY,
    auth_key TEXT NOT NULL,
    product_id TEXT NOT NULL,
    name TEXT NOT NULL,
    software TEXT NOT NULL,
    dev_id TEXT NOT NULL,
    sec_key TEXT NOT NULL,
    local_key TEXT NOT NULL,
    owner TEXT NOT NULL,
    last_owner TEXT NOT NULL,
    bound_by TEXT NOT NULL,
    released_by TEXT NOT NULL,
    pending_reset TEXT NOT NULL,
    reset_told INTEGER NOT NULL,
    wipe INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    activated_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE dp_values (
    dev_id TEXT NOT NULL PRIMARY KEY,
    dps TEXT NOT NULL,
    reported_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pair_tokens (
    token TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    uid TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    spent_by TEXT NOT NULL,
    failed TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE unbind_tokens (
    token TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    batch TEXT NOT NULL,
    account TEXT NOT NULL,
    method TEXT NOT NULL,
    devices_max INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used INTEGER NOT NULL,
    cancelled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quota_uses (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    day TEXT NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (scope, name, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE quota_limits (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    quota_max INTEGER NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
    id INTEGER NOT NULL PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    day TEXT NOT NULL,
    account TEXT NOT NULL,
    owner TEXT NOT NULL,
    operation TEXT NOT NULL,
    method TEXT NOT NULL,
    batch TEXT NOT NULL,
    uuid TEXT NOT NULL,
    dev_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    tries INTEGER NOT NULL
) STRICT;

CREATE TABLE device_log (
    id INTEGER NOT NULL PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    uuid TEXT NOT NULL,
    event TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

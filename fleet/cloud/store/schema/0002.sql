-- The Open API's access keys, tokens, consents and daily counts of calls.
CREATE TABLE projects (
    access_id TEXT NOT NULL PRIMARY KEY,
    secret TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    signing TEXT NOT NULL,
    regions TEXT NOT NULL, -- JSON
    schemas TEXT NOT NULL, -- JSON
    families TEXT NOT NULL, -- JSON
    allowed_ips TEXT NOT NULL, -- JSON
    plan TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE open_tokens (
    access_id TEXT NOT NULL,
    region TEXT NOT NULL,
    uid TEXT NOT NULL,
    access_token TEXT NOT NULL,
    refresh_token TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    PRIMARY KEY (access_id, region, uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE open_codes (
    access_id TEXT NOT NULL,
    uid TEXT NOT NULL,
    code TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (access_id, uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE open_calls (
    access_id TEXT NOT NULL PRIMARY KEY,
    day INTEGER NOT NULL,
    calls INTEGER NOT NULL
) STRICT, WITHOUT ROWID;


-- Devices: where and when they were paired, their names and states.
ALTER TABLE devices ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN home TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN space TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN lon TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN lat TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN ip TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN gateway TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN node_id TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN point_names TEXT NOT NULL DEFAULT '[]'; -- JSON

-- Pairing tokens: where the device will be.
ALTER TABLE pair_tokens ADD COLUMN site TEXT NOT NULL DEFAULT '{}'; -- JSON

-- Data points: reports and commands as the Open API logs them, and values that are wished for.
CREATE TABLE dp_log (
    id INTEGER NOT NULL PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    dev_id TEXT NOT NULL,
    event TEXT NOT NULL,
    dps TEXT NOT NULL -- JSON
) STRICT;

CREATE TABLE desired_points (
    dev_id TEXT NOT NULL,
    dp_id INTEGER NOT NULL,
    value TEXT NOT NULL, -- JSON
    set_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    PRIMARY KEY (dev_id, dp_id)
) STRICT, WITHOUT ROWID;

-- Push messages that no consumer has acknowledged yet, and the topics kept since somebody asked.
CREATE TABLE push_messages (
    id INTEGER NOT NULL PRIMARY KEY,
    access_id TEXT NOT NULL,
    centre TEXT NOT NULL,
    topic TEXT NOT NULL,
    protocol INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE push_subscriptions (
    access_id TEXT NOT NULL,
    centre TEXT NOT NULL,
    topic TEXT NOT NULL,
    PRIMARY KEY (access_id, centre, topic)
) STRICT, WITHOUT ROWID;

-- Products that were passed on: OEM links, and who owned a product first.
CREATE TABLE oem_links (
    link TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    product_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE origins (
    product_id TEXT NOT NULL PRIMARY KEY,
    first_owner TEXT NOT NULL,
    copied_from TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Devices of an older database: their last activation is the first that is known.
UPDATE devices SET created_ms = activated_ms, updated_ms = activated_ms;

-- Users of apps: of which app and data centre, who they are, and when they are to be deleted.
ALTER TABLE users ADD COLUMN schema TEXT NOT NULL DEFAULT 'fleet';
ALTER TABLE users ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN username_type INTEGER NOT NULL DEFAULT 3;
ALTER TABLE users ADD COLUMN country_code TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN nick_name TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN password_md5 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN updated_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN delete_at_ms INTEGER NOT NULL DEFAULT 0;

-- Homes with their members and rooms, and the spaces of projects.
CREATE TABLE homes (
    home_id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    geo_name TEXT NOT NULL,
    lon REAL NOT NULL,
    lat REAL NOT NULL,
    members TEXT NOT NULL, -- JSON
    rooms TEXT NOT NULL, -- JSON
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE spaces (
    space_id TEXT NOT NULL PRIMARY KEY,
    access_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    parent TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

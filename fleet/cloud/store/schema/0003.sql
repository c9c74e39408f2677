-- Consumers of an older database who have devices and no home: each gets one, as at a first pairing.
-- Ids of eight digits are never drawn otherwise (they have nine), so none is taken.
INSERT INTO homes (home_id, owner, name, geo_name, lon, lat, members, rooms, created_ms)
SELECT
    (10000000 + ROW_NUMBER() OVER (ORDER BY owner)) || '',
    owner, 'My Home', '', 0, 0, '[]', '[]', MIN(created_ms)
FROM devices
WHERE home = '' AND owner IN (SELECT uid FROM users) AND owner NOT IN (SELECT owner FROM homes)
GROUP BY owner;

-- Projects: which forms of push messages they subscribed to, and how these are encrypted.
ALTER TABLE projects ADD COLUMN push_families TEXT NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN push_encryption TEXT NOT NULL DEFAULT '';

-- Which asset users may work in which spaces, and where the consent page may send browsers.
CREATE TABLE asset_grants (
    space_id TEXT NOT NULL,
    uid TEXT NOT NULL,
    PRIMARY KEY (space_id, uid)
) STRICT, WITHOUT ROWID;

ALTER TABLE projects ADD COLUMN redirects TEXT NOT NULL DEFAULT '[]'; -- JSON

-- The broker's guests, and what they leave with it.
CREATE TABLE mqtt_guests (
    name TEXT NOT NULL PRIMARY KEY,
    password_hash TEXT NOT NULL,
    read_filters TEXT NOT NULL, -- JSON
    write_filters TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE mqtt_sessions (
    client_id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    left_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mqtt_subscriptions (
    client_id TEXT NOT NULL,
    topic_filter TEXT NOT NULL,
    qos INTEGER NOT NULL,
    PRIMARY KEY (client_id, topic_filter)
) STRICT, WITHOUT ROWID;

CREATE TABLE mqtt_receipts (
    client_id TEXT NOT NULL,
    packet_id INTEGER NOT NULL,
    PRIMARY KEY (client_id, packet_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE mqtt_messages (
    id INTEGER NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    packet_id INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL,
    released INTEGER NOT NULL
) STRICT;

CREATE TABLE mqtt_retained (
    topic TEXT NOT NULL PRIMARY KEY,
    payload BLOB NOT NULL,
    qos INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Devices: how their firmware encrypts, what their other chips run, when they last asked for keys.
ALTER TABLE devices ADD COLUMN generation TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN modules TEXT NOT NULL DEFAULT '[]'; -- JSON
ALTER TABLE devices ADD COLUMN asked_s INTEGER NOT NULL DEFAULT 0;

-- Firmware: what there is for a product, and which device is to load what.
CREATE TABLE firmware_versions (
    product_id TEXT NOT NULL,
    channel INTEGER NOT NULL,
    version TEXT NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    hmac TEXT NOT NULL,
    url TEXT NOT NULL,
    https_url TEXT NOT NULL,
    silent INTEGER NOT NULL,
    added_ms INTEGER NOT NULL,
    PRIMARY KEY (product_id, channel, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE upgrade_orders (
    uuid TEXT NOT NULL,
    channel INTEGER NOT NULL,
    version TEXT NOT NULL,
    ordered_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    percent INTEGER NOT NULL,
    PRIMARY KEY (uuid, channel)
) STRICT, WITHOUT ROWID;

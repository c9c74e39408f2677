-- What clients of the broker have left to be said when they vanish, for as long as they are there.
CREATE TABLE mqtt_wills (
    client_id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

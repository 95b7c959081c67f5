-- The journal's tables. A migration that was applied anywhere is never changed: write another.

CREATE TABLE deconflict_journal (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    id bytea NOT NULL CHECK (octet_length(id) = 16),
    first bigint NOT NULL DEFAULT 0,         -- the first position that is kept
    destroyed bigint NOT NULL DEFAULT 0      -- grows whenever keys are destroyed
);

-- What is sealed does not shrink, so nothing tries to; an entry stays in one piece up to 8 KB.
CREATE TABLE deconflict_entries (
    position bigint PRIMARY KEY,
    time_us bigint NOT NULL,
    record bytea NOT NULL,
    signature bytea NOT NULL,
    key_id bytea NOT NULL CHECK (octet_length(key_id) = 16),
    checksum bytea NOT NULL,
    sealed bytea NOT NULL
) WITH (toast_tuple_target = 8160);
ALTER TABLE deconflict_entries ALTER record SET STORAGE EXTERNAL, ALTER sealed SET STORAGE EXTERNAL;

CREATE TABLE deconflict_groups (
    first bigint PRIMARY KEY,                -- position of its first entry
    count bigint NOT NULL,
    id bytea NOT NULL UNIQUE CHECK (octet_length(id) = 16),
    chain bytea NOT NULL,
    key_ids bytea NOT NULL                   -- all keys that it brings or uses, 16 bytes each
);

CREATE TABLE deconflict_keys (
    id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
    wrapped bytea NOT NULL
);

CREATE TABLE deconflict_lease (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    node text NOT NULL,
    address text NOT NULL,
    until timestamptz NOT NULL               -- by this server's clock
);

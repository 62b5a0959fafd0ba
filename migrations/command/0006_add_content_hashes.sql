-- What digests are sums of: the hash of id, version and content after an event, and the one that it
-- replaces. Null: no live product then, or a row from before this migration, whose hash is computed
-- from its JSON when it is needed.
ALTER TABLE outbox
    ADD COLUMN content_hash bytea,
    ADD COLUMN previous_hash bytea,
    -- False in rows from before this migration.
    ADD COLUMN hashed boolean NOT NULL DEFAULT false;

ALTER TABLE event_log
    ADD COLUMN content_hash bytea,
    ADD COLUMN previous_hash bytea,
    ADD COLUMN hashed boolean NOT NULL DEFAULT false;

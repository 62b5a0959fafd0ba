-- The digest of the log at its head: 64 sums of 16 bytes over the content hashes of all live
-- products. Null: still to be computed, once, from the whole log.
ALTER TABLE log_head
    ADD COLUMN digest bytea CONSTRAINT log_head_digest_length CHECK (length(digest) = 1024),
    ADD COLUMN documents bigint NOT NULL DEFAULT 0;

-- The position that the digest at the head is of; the digest counts where that is the head's. A
-- leader of an older release extends the log and leaves both behind.
ALTER TABLE log_head ADD COLUMN digest_position bigint;

-- Such a leader may have been the last one: its events have no hashes.
UPDATE log_head SET digest_position = position
WHERE digest IS NOT NULL AND NOT EXISTS (
    SELECT FROM event_log WHERE event_log.position = log_head.position AND NOT event_log.hashed
);

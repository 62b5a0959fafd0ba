-- Requests that were answered, so that one that is sent again gets the same answer. Written in the
-- transaction of the write itself.
CREATE TABLE idempotency (
    request_id text COLLATE "C" CONSTRAINT idempotency_pk PRIMARY KEY,
    -- Of the operation and its arguments.
    request_hash bytea NOT NULL,
    -- What the command came to.
    outcome json NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);

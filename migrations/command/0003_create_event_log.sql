-- The truth: every event at its position 1, 2, 3 … without a gap. `json`, not `jsonb`: an event is
-- kept to the byte.
CREATE TABLE event_log (
    position bigint CONSTRAINT event_log_pk PRIMARY KEY,
    event_id uuid NOT NULL,
    product_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    event_type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor text NOT NULL,
    traceparent text,
    change json NOT NULL,
    product json,
    CONSTRAINT event_log_one_event_per_version UNIQUE (product_id, version)
);

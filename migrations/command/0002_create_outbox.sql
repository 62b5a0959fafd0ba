-- Events of committed writes that have no position yet. Written in the transaction of the product;
-- emptied by the sequencer. `id` orders the events of one product, since its writers take turns.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_pk PRIMARY KEY,
    event_id uuid NOT NULL,
    product_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    event_type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor text NOT NULL,
    traceparent text,
    change json NOT NULL,
    product json
) WITH (
    -- A queue is mostly dead rows: keep the scan from its head short.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000
);

-- Webhooks: whom the catalog tells of its events over HTTP, how far each has been told, and what of it is
-- still to be delivered. An operator's change takes the next revision under the lock on the one row of
-- `webhook_head`, so that who delivers sees with one look that there is something new.
CREATE TABLE webhook_head (
    singleton boolean DEFAULT true CONSTRAINT webhook_head_pk PRIMARY KEY
        CONSTRAINT webhook_head_single CHECK (singleton),
    revision bigint NOT NULL
);

INSERT INTO webhook_head (revision) VALUES (0);

CREATE TABLE webhooks (
    id uuid CONSTRAINT webhooks_pk PRIMARY KEY,
    version bigint NOT NULL CONSTRAINT webhooks_version_positive CHECK (version >= 1),
    -- Of the last change, among those of all webhooks.
    revision bigint NOT NULL CONSTRAINT webhooks_one_change_per_revision UNIQUE,
    url text NOT NULL,
    description text NOT NULL,
    types text[] NOT NULL,
    product_ids text[] COLLATE "C" NOT NULL,
    state text NOT NULL CONSTRAINT webhooks_state_known
        CHECK (state IN ('active', 'paused', 'disabled')),
    disabled_reason text,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    rotated_at timestamptz,
    -- What requests are signed with. A signature needs the secret itself: a hash of it would not do.
    secret bytea NOT NULL CONSTRAINT webhooks_secret_length CHECK (length(secret) = 32),
    previous_secret bytea CONSTRAINT webhooks_previous_secret_length
        CHECK (length(previous_secret) = 32),
    previous_until timestamptz,
    -- All wanted events up to here were delivered or are in `webhook_waiting`.
    position bigint NOT NULL,
    rule_position bigint NOT NULL,
    -- Counts the times that a person has moved the place: who delivers from an earlier one must not
    -- move it on.
    replays bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    last_delivered_at timestamptz,
    failing_since timestamptz,
    last_error text,
    CONSTRAINT webhooks_previous_is_whole
        CHECK ((previous_secret IS NULL) = (previous_until IS NULL)),
    CONSTRAINT webhooks_disabled_has_reason
        CHECK ((state = 'disabled') = (disabled_reason IS NOT NULL))
);

-- Deliveries that failed, and those of the same product or rule behind them. The body is in the log.
CREATE TABLE webhook_waiting (
    webhook_id uuid NOT NULL CONSTRAINT webhook_waiting_of_webhook
        REFERENCES webhooks ON DELETE CASCADE,
    log text COLLATE "C" NOT NULL CONSTRAINT webhook_waiting_log_known
        CHECK (log IN ('product', 'rule')),
    position bigint NOT NULL,
    -- The id of the product or of the rule.
    subject text COLLATE "C" NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    attempts integer NOT NULL,
    failed_at timestamptz,
    next_attempt_at timestamptz,
    last_status integer,
    last_error text,
    CONSTRAINT webhook_waiting_pk PRIMARY KEY (webhook_id, log, position)
);

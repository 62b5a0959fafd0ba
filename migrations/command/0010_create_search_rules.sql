-- Search rules and the log of their changes. A writer takes the position of its event itself, under a
-- lock on the one row of `rule_log_head` that it keeps until its commit: positions have no gap and
-- are committed in their order, without an outbox and a sequencer. So writers of rules take turns,
-- which is fine for people who edit some dozens a day; writers of products, thousands a second, would
-- all wait for one row.
CREATE TABLE search_rules (
    id text COLLATE "C" CONSTRAINT search_rules_pk PRIMARY KEY,
    version bigint NOT NULL CONSTRAINT search_rules_version_positive CHECK (version >= 1),
    -- Null after a deletion, whose row keeps the version.
    rule json,
    updated_at timestamptz NOT NULL
);

CREATE TABLE rule_log_head (
    singleton boolean DEFAULT true CONSTRAINT rule_log_head_pk PRIMARY KEY
        CONSTRAINT rule_log_head_single CHECK (singleton),
    position bigint NOT NULL
);

INSERT INTO rule_log_head (position) VALUES (0);

CREATE TABLE rule_log (
    position bigint CONSTRAINT rule_log_pk PRIMARY KEY,
    event_id uuid NOT NULL,
    rule_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor text NOT NULL,
    traceparent text,
    -- Null: the rule was deleted.
    rule json,
    CONSTRAINT rule_log_one_event_per_version UNIQUE (rule_id, version)
);

CREATE FUNCTION refuse_rule_log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rule_log is append-only: % refused', TG_OP;
END
$$;

CREATE TRIGGER rule_log_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rule_log_change();

-- API keys: the hashes of their secrets and what they allow. A change takes the next revision under the
-- lock on the one row of `api_key_head`, which it keeps until its commit: revisions are committed in
-- their order, so that who has read up to one has missed nothing before it.
CREATE TABLE api_key_head (
    singleton boolean DEFAULT true CONSTRAINT api_key_head_pk PRIMARY KEY
        CONSTRAINT api_key_head_single CHECK (singleton),
    revision bigint NOT NULL
);

INSERT INTO api_key_head (revision) VALUES (0);

CREATE TABLE api_keys (
    id uuid CONSTRAINT api_keys_pk PRIMARY KEY,
    -- What every secret of the key begins with, after `ck_`.
    prefix text COLLATE "C" NOT NULL CONSTRAINT api_keys_one_prefix UNIQUE
        CONSTRAINT api_keys_prefix_form CHECK (prefix ~ '^[0-9A-Za-z]{8}$'),
    version bigint NOT NULL CONSTRAINT api_keys_version_positive CHECK (version >= 1),
    -- Of the last change, among those of all keys.
    revision bigint NOT NULL CONSTRAINT api_keys_one_change_per_revision UNIQUE,
    name text NOT NULL,
    scopes text[] NOT NULL,
    allowed_origins text[] NOT NULL,
    forced_filter text,
    requests_per_second integer,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    rotated_at timestamptz,
    -- SHA-256 of the whole secret. The secret itself is nowhere.
    secret_hash bytea NOT NULL CONSTRAINT api_keys_secret_hash_length
        CHECK (length(secret_hash) = 32),
    -- Of the secret before, and until when it is valid too.
    previous_hash bytea CONSTRAINT api_keys_previous_hash_length
        CHECK (length(previous_hash) = 32),
    previous_until timestamptz,
    CONSTRAINT api_keys_previous_is_whole
        CHECK ((previous_hash IS NULL) = (previous_until IS NULL))
);

-- Who changed what, and when. Written in the transaction of the change.
CREATE TABLE operator_audit (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT operator_audit_pk PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    traceparent text,
    -- For instance `api_key.created`.
    action text NOT NULL,
    -- The id of what was changed.
    subject text NOT NULL,
    -- What it was changed to. Never a secret, nor the hash of one.
    details json NOT NULL
);

CREATE INDEX operator_audit_by_subject ON operator_audit (subject, id);

-- Nobody rewrites it, the owner of the table included.
CREATE FUNCTION refuse_operator_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'operator_audit is append-only: % refused', TG_OP;
END
$$;

CREATE TRIGGER operator_audit_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_operator_audit_change();

-- Who may do what in the database of the write side. Safe to run again, as an administrator or as
-- catalog_migrator. The roles exist already.
--   catalog_migrator  owns everything, and changes the schema
--   catalog_writer    answers requests: products, rules, keys, webhooks; reads the logs
--   catalog_relay     leads: numbers events, extends the event log, publishes, delivers to webhooks
-- Nobody has the privilege to change what is in the event log, and a trigger refuses it besides.

DO $$
DECLARE
    thing record;
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO catalog_migrator', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO catalog_writer, catalog_relay', current_database());
    IF (SELECT nspowner FROM pg_namespace WHERE nspname = 'public') <> 'catalog_migrator'::regrole THEN
        ALTER SCHEMA public OWNER TO catalog_migrator;
    END IF;
    -- What an administrator has made before.
    FOR thing IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
            AND relowner <> 'catalog_migrator'::regrole
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO catalog_migrator', thing.name);
    END LOOP;
    FOR thing IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner <> 'catalog_migrator'::regrole
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO catalog_migrator', thing.name);
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO catalog_writer, catalog_relay;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, catalog_writer, catalog_relay;

-- Services look whether the schema is theirs.
GRANT SELECT ON _sqlx_migrations TO catalog_writer, catalog_relay;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO catalog_writer;
GRANT INSERT, UPDATE ON products, search_rules, api_keys TO catalog_writer;
GRANT INSERT ON outbox, rule_log, operator_audit TO catalog_writer;
GRANT UPDATE ON rule_log_head, api_key_head TO catalog_writer;
GRANT INSERT, UPDATE, DELETE ON idempotency TO catalog_writer;
GRANT INSERT, UPDATE, DELETE ON webhooks TO catalog_writer;
GRANT UPDATE, DELETE ON webhook_waiting TO catalog_writer;
GRANT UPDATE ON webhook_head TO catalog_writer;

GRANT SELECT ON log_head, event_log, outbox, rule_log, rule_log_head TO catalog_relay;
GRANT UPDATE ON log_head TO catalog_relay;
GRANT INSERT ON event_log TO catalog_relay;
GRANT DELETE ON outbox TO catalog_relay;
GRANT SELECT ON webhooks, webhook_waiting, webhook_head TO catalog_relay;
-- How far a webhook is, and that it was stopped; neither where it is nor what it is signed with.
GRANT UPDATE (version, revision, state, disabled_reason, updated_at, position, rule_position, delivered,
              last_delivered_at, failing_since, last_error) ON webhooks TO catalog_relay;
GRANT UPDATE ON webhook_head TO catalog_relay;
GRANT INSERT, UPDATE, DELETE ON webhook_waiting TO catalog_relay;
GRANT INSERT ON operator_audit TO catalog_relay;

REVOKE UPDATE, DELETE, TRUNCATE ON event_log, rule_log, operator_audit FROM catalog_migrator;

-- Who may do what in the database of the read side. Safe to run again, as an administrator or as
-- catalog_migrator. The roles exist already.
--   catalog_migrator   owns what all generations share, and changes it
--   catalog_projector  is the query service: makes generations, each a schema that it owns, fills and reads them
--   catalog_query      reads, for people and reports

DO $$
DECLARE
    thing record;
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO catalog_migrator, catalog_projector', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO catalog_query', current_database());
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
    -- Generations of before there were roles.
    FOR thing IN
        SELECT nspname AS name FROM pg_namespace
        WHERE nspname ~ '^generation_[0-9]+$' AND nspowner <> 'catalog_projector'::regrole
    LOOP
        EXECUTE format('ALTER SCHEMA %I OWNER TO catalog_projector', thing.name);
    END LOOP;
    FOR thing IN
        SELECT pg_class.oid::regclass AS name FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname ~ '^generation_[0-9]+$' AND relkind = 'r' AND relowner <> 'catalog_projector'::regrole
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO catalog_projector', thing.name);
    END LOOP;
    FOR thing IN SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^generation_[0-9]+$' LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO catalog_query', thing.name);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO catalog_query', thing.name);
    END LOOP;
END
$$;

-- Generations to come.
ALTER DEFAULT PRIVILEGES FOR ROLE catalog_projector GRANT USAGE ON SCHEMAS TO catalog_query;
ALTER DEFAULT PRIVILEGES FOR ROLE catalog_projector GRANT SELECT ON TABLES TO catalog_query;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO catalog_projector, catalog_query;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, catalog_projector, catalog_query;

-- Services look whether the schema is theirs.
GRANT SELECT ON _sqlx_migrations TO catalog_projector;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON generations, product_views, search_queries, search_positions, search_totals, search_latency
    TO catalog_projector;
GRANT SELECT
    ON generations, product_views, search_queries, search_positions, search_totals, search_latency
    TO catalog_query;

-- What pages of products are looked up by: the time of the last change, and the position of its event.
-- An index changes nothing of the form of a generation: releases without these read and write it as
-- before. Services make them on generations that are there already, without a lock; new ones have them
-- from the beginning.

-- The cast of a text to a time depends on the session only where the text names no offset; that of a
-- product always does.
CREATE FUNCTION product_updated_at(product jsonb) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT (product ->> 'updated_at')::timestamptz
$$;

CREATE FUNCTION create_listing_indexes(generation bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    schema text := format('generation_%s', generation);
BEGIN
    EXECUTE format('CREATE INDEX documents_by_position ON %I.documents (position)', schema);
    EXECUTE format($ddl$
        CREATE INDEX documents_by_update ON %I.documents (product_updated_at(product))
    $ddl$, schema);
END
$$;

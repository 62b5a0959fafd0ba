-- The write side's current state: what decisions are taken against. One row a product, locked or
-- compared by version; a deleted product keeps its row as a tombstone, so that its version goes on.
CREATE TABLE products (
    id text COLLATE "C" CONSTRAINT products_pk PRIMARY KEY,
    version bigint NOT NULL CONSTRAINT products_version_positive CHECK (version >= 1),
    -- Null after a deletion.
    product jsonb,
    updated_at timestamptz NOT NULL
);

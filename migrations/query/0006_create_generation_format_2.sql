-- Format 2: positions of documents, hashes of vectors, a bucketed digest, parked events. A format
-- is a function of its own and a rebuild, never an ALTER on a live read model.
CREATE FUNCTION create_generation_2(generation bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    schema text := format('generation_%s', generation);
BEGIN
    EXECUTE format('CREATE SCHEMA %I', schema);

    -- One row a product, its tombstone included: without it a redelivered older event would
    -- revive a deleted product.
    EXECUTE format($ddl$
        CREATE TABLE %I.documents (
            product_id text COLLATE "C" CONSTRAINT documents_pk PRIMARY KEY,
            version bigint NOT NULL,
            -- Of the event that brought this version.
            position bigint NOT NULL,
            -- Null for a tombstone.
            product jsonb,
            -- Of product id, version and product; null for a tombstone.
            content_hash bytea,
            -- Hash of model and text that the embedding must be of; null for a tombstone.
            text_hash bytea
        )
    $ddl$, schema);

    -- Apart from the documents, so that a change of price does not touch the vector index.
    EXECUTE format($ddl$
        CREATE TABLE %I.embeddings (
            product_id text COLLATE "C" CONSTRAINT embeddings_pk PRIMARY KEY,
            text_hash bytea NOT NULL,
            embedding halfvec(384) NOT NULL,
            -- Of product id, text hash and vector: tells a vector that is not this product's.
            vector_hash bytea NOT NULL
        )
    $ddl$, schema);
    EXECUTE format($ddl$
        CREATE INDEX embeddings_nearest ON %I.embeddings
            USING hnsw (embedding halfvec_cosine_ops)
    $ddl$, schema);

    -- What the embedder still has to do, in the order in which it came up.
    EXECUTE format($ddl$
        CREATE TABLE %I.embedding_queue (
            product_id text COLLATE "C" CONSTRAINT embedding_queue_pk PRIMARY KEY,
            position bigint NOT NULL
        )
    $ddl$, schema);
    EXECUTE format($ddl$
        CREATE INDEX embedding_queue_by_position ON %I.embedding_queue (position)
    $ddl$, schema);

    -- Events that could not be applied, kept until a later event of the product heals them.
    EXECUTE format($ddl$
        CREATE TABLE %I.parked_events (
            position bigint CONSTRAINT parked_events_pk PRIMARY KEY,
            -- Null when the message does not tell.
            product_id text COLLATE "C",
            error text NOT NULL,
            payload bytea NOT NULL,
            parked_at timestamptz NOT NULL DEFAULT now(),
            retries integer NOT NULL DEFAULT 0
        )
    $ddl$, schema);
    EXECUTE format('CREATE INDEX parked_events_by_product ON %I.parked_events (product_id)', schema);

    -- The position that the documents are at, in the same transaction as they, the running digest
    -- (64 sums of 16 bytes), and which replica applies events at the moment.
    EXECUTE format($ddl$
        CREATE TABLE %I.checkpoint (
            singleton boolean DEFAULT true CONSTRAINT checkpoint_pk PRIMARY KEY
                CONSTRAINT checkpoint_single CHECK (singleton),
            position bigint NOT NULL DEFAULT 0,
            digest bytea NOT NULL DEFAULT decode(repeat('00', 1024), 'hex')
                CONSTRAINT checkpoint_digest_length CHECK (length(digest) = 1024),
            documents bigint NOT NULL DEFAULT 0,
            holder uuid,
            lease_until timestamptz NOT NULL DEFAULT '-infinity'
        )
    $ddl$, schema);
    EXECUTE format('INSERT INTO %I.checkpoint DEFAULT VALUES', schema);
END
$$;

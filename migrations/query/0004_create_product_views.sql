-- Counted by the popularity subscriber from product-read events; approximate by contract.
CREATE TABLE product_views (
    product_id text COLLATE "C" CONSTRAINT product_views_pk PRIMARY KEY,
    views bigint NOT NULL,
    last_viewed_at timestamptz NOT NULL
);

-- Views that count less the older they are: the weight as it was at last_viewed_at. Null in rows
-- that a release before this one has counted: their views count as if all were at last_viewed_at.
ALTER TABLE product_views ADD COLUMN weight double precision;

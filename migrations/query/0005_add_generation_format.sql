-- The form of a generation's tables and the embedding model of its vectors. A service reads and
-- writes generations of its own format only, so that two releases can run side by side, each with
-- a live generation of its own.
ALTER TABLE generations
    ADD COLUMN format integer NOT NULL DEFAULT 1,
    -- Null in generations of format 1.
    ADD COLUMN model text;

DROP INDEX generations_one_live;
CREATE UNIQUE INDEX generations_one_live ON generations (format) WHERE state = 'live';

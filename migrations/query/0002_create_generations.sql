-- A generation is one complete read model in a schema of its own, `generation_N`. A rebuild fills
-- a new one beside the live one and then makes it live by one update here.
CREATE TABLE generations (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT generations_pk PRIMARY KEY,
    state text NOT NULL DEFAULT 'building'
        CONSTRAINT generations_state CHECK (state IN ('building', 'live', 'retired')),
    created_at timestamptz NOT NULL DEFAULT now(),
    switched_at timestamptz
);

CREATE UNIQUE INDEX generations_one_live ON generations (state) WHERE state = 'live';

-- Counted by the usage subscriber from search and click events, by day in UTC; approximate by contract.
-- The least frequent queries of past days and whatever is older than 90 days are deleted again.
CREATE TABLE search_queries (
    day date NOT NULL,
    -- In NFKC and lower case; never one that looks like personal data.
    query text COLLATE "C" NOT NULL,
    searches bigint NOT NULL,
    -- Of the searches without a filter.
    without_result bigint NOT NULL,
    -- Answered for another spelling or for fewer words.
    altered bigint NOT NULL,
    clicks bigint NOT NULL,
    -- What the last search without a filter found; null where there was none.
    total bigint,
    -- Null where there were clicks alone.
    last_at timestamptz,
    CONSTRAINT search_queries_pk PRIMARY KEY (day, query)
);

CREATE TABLE search_positions (
    day date NOT NULL,
    -- From 1; 101 stands for all beyond 100.
    position integer NOT NULL,
    shown bigint NOT NULL,
    clicks bigint NOT NULL,
    CONSTRAINT search_positions_pk PRIMARY KEY (day, position)
);

CREATE TABLE search_totals (
    day date NOT NULL,
    strategy text NOT NULL,
    searches bigint NOT NULL,
    without_result bigint NOT NULL,
    corrected bigint NOT NULL,
    degraded bigint NOT NULL,
    CONSTRAINT search_totals_pk PRIMARY KEY (day, strategy)
);

CREATE TABLE search_latency (
    day date NOT NULL,
    strategy text NOT NULL,
    -- Times in buckets that grow by a tenth, the first up to 0.01 ms.
    bucket smallint NOT NULL,
    searches bigint NOT NULL,
    CONSTRAINT search_latency_pk PRIMARY KEY (day, strategy, bucket)
);

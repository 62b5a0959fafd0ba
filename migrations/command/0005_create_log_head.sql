-- The head of the log and who may extend it. The lease says who should; the epoch, raised at every
-- change of holder and checked in every transaction that extends the log, says who can: a holder
-- that was stopped and wakes up later finds its epoch gone.
CREATE TABLE log_head (
    singleton boolean DEFAULT true CONSTRAINT log_head_pk PRIMARY KEY
        CONSTRAINT log_head_single CHECK (singleton),
    position bigint NOT NULL,
    epoch bigint NOT NULL,
    holder uuid,
    lease_until timestamptz NOT NULL
);

INSERT INTO log_head (position, epoch, lease_until) VALUES (0, 0, '-infinity');

-- before
CREATE TABLE event (id int, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE event_rest PARTITION OF event DEFAULT;
CREATE INDEX event_day ON event (day);
-- up
DROP TABLE event;
-- expect down
CREATE TABLE event (
    id integer NOT NULL,
    day date NOT NULL
) PARTITION BY RANGE (day);
CREATE TABLE event_2024 (
    id integer CONSTRAINT event_id_not_null NOT NULL,
    day date CONSTRAINT event_day_not_null NOT NULL
);
CREATE TABLE event_rest (
    id integer CONSTRAINT event_id_not_null NOT NULL,
    day date CONSTRAINT event_day_not_null NOT NULL
);
CREATE INDEX event_day ON ONLY event (day);
CREATE INDEX event_2024_day_idx ON event_2024 (day);
CREATE INDEX event_rest_day_idx ON event_rest (day);
ALTER TABLE ONLY event ADD CONSTRAINT event_pkey PRIMARY KEY (id, day);
ALTER TABLE event_2024 ADD CONSTRAINT event_2024_pkey PRIMARY KEY (id, day);
ALTER TABLE event_rest ADD CONSTRAINT event_rest_pkey PRIMARY KEY (id, day);
ALTER TABLE event ATTACH PARTITION event_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
ALTER TABLE event ATTACH PARTITION event_rest DEFAULT;
ALTER INDEX event_pkey ATTACH PARTITION event_2024_pkey;
ALTER INDEX event_pkey ATTACH PARTITION event_rest_pkey;
ALTER INDEX event_day ATTACH PARTITION event_2024_day_idx;
ALTER INDEX event_day ATTACH PARTITION event_rest_day_idx;
-- expect how: statements
-- expect rows: 1: the rows of table event: they are gone with it; the rows of table event_2024: they are gone with it; the rows of table event_rest: they are gone with it

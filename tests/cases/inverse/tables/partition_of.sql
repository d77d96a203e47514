-- setup
CREATE TABLE measures (at date) PARTITION BY RANGE (at);
-- up
CREATE TABLE measures_2024 PARTITION OF measures FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- expect down
DROP TABLE IF EXISTS measures_2024 CASCADE;

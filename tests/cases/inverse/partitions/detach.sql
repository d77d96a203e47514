ALTER TABLE m DETACH PARTITION app.m_1;
-- expect irreversible: 1: the bounds of partition app.m_1: DETACH PARTITION does not keep them

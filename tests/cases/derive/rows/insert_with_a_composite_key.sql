-- before
CREATE TABLE member (team text, player int, since date, PRIMARY KEY (team, player));
-- up
INSERT INTO member (since, player, team) VALUES ('2020-01-01', -7, 'x'), (now(), 8, 'y');
-- expect down
DELETE FROM member WHERE (team, player) IN (('x', -7), ('y', 8));
-- expect how: text

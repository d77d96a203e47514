-- before
CREATE TABLE team (id int PRIMARY KEY, captain int);
CREATE TABLE player (id int PRIMARY KEY, team int NOT NULL REFERENCES team);
ALTER TABLE team ADD CONSTRAINT team_captain FOREIGN KEY (captain) REFERENCES player NOT VALID;
-- up
DROP TABLE team, player;
-- expect down
CREATE TABLE team (
    id integer NOT NULL,
    captain integer,
    PRIMARY KEY (id)
);
CREATE TABLE player (
    id integer NOT NULL,
    team integer NOT NULL,
    PRIMARY KEY (id)
);
ALTER TABLE player ADD CONSTRAINT player_team_fkey FOREIGN KEY (team) REFERENCES team(id);
ALTER TABLE team ADD CONSTRAINT team_captain FOREIGN KEY (captain) REFERENCES player(id) NOT VALID;
-- expect how: statements
-- expect rows: 1: the rows of table team: they are gone with it; the rows of table player: they are gone with it

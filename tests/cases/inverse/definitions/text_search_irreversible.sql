ALTER TEXT SEARCH CONFIGURATION conf ALTER MAPPING FOR word WITH plain;
ALTER TEXT SEARCH DICTIONARY plain (stopwords = english);
-- expect irreversible: 1: the mapping of text search configuration conf before
-- expect irreversible: 2: the options of text search dictionary plain before

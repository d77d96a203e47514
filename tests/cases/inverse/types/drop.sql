DROP TYPE app."Kind";
DROP DOMAIN d CASCADE;
-- expect irreversible: 1: the definition of type app."Kind": DROP TYPE does not keep it
-- expect irreversible: 2: the definition of domain d: DROP DOMAIN does not keep it, nor what CASCADE took with it

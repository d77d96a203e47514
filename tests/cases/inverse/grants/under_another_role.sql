SET ROLE app_owner;
GRANT SELECT ON orders TO bob;
-- expect irreversible: 2: the role to revoke as: SET ROLE above makes another role the grantor

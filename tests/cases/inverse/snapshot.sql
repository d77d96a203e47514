-- The catalog as the inverse's test compares it: what is there, by name and main properties.
SELECT 'relation', c.relnamespace::regnamespace::text, c.relname, c.relkind::text,
       concat(c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,
              c.reloftype::regtype)
  FROM pg_class c WHERE c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
UNION ALL
SELECT 'column', a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod),
       concat(a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid))
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, contypid::regtype::text,
       pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace::regnamespace::text !~ '^(pg_|information_schema)'
UNION ALL
SELECT 'function', pronamespace::regnamespace::text, proname,
       pg_get_function_identity_arguments(oid), prokind::text
  FROM pg_proc WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
UNION ALL
SELECT 'type', typnamespace::regnamespace::text, typname, typtype::text, typnotnull::text
  FROM pg_type WHERE typnamespace::regnamespace::text !~ '^(pg_|information_schema)'
UNION ALL
SELECT 'enum', enumtypid::regtype::text, enumlabel, '', '' FROM pg_enum
UNION ALL
SELECT 'policy', polrelid::regclass::text, polname, '', '' FROM pg_policy
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, tgenabled::text, '' FROM pg_trigger
  WHERE NOT tgisinternal
UNION ALL
SELECT 'rule', ev_class::regclass::text, rulename, ev_enabled::text, '' FROM pg_rewrite
  WHERE rulename <> '_RETURN'
UNION ALL
SELECT 'event trigger', evtname, evtenabled::text, '', '' FROM pg_event_trigger
UNION ALL
SELECT 'inherits', inhrelid::regclass::text, inhparent::regclass::text, '', '' FROM pg_inherits
UNION ALL
SELECT 'schema', nspname, '', '', '' FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'
UNION ALL
SELECT 'extension', extname, extversion, '', '' FROM pg_extension
UNION ALL
SELECT 'dependent', classid::regclass::text, objid::text, refobjid::text, deptype::text
  FROM pg_depend WHERE deptype IN ('e', 'x')
UNION ALL
SELECT 'role', rolname, '', '', '' FROM pg_roles
UNION ALL
SELECT 'member', roleid::regrole::text, member::regrole::text, '', '' FROM pg_auth_members
UNION ALL
SELECT 'database', datname, '', '', '' FROM pg_database
UNION ALL
SELECT 'operator', oprname, oprleft::regtype::text, oprright::regtype::text, '' FROM pg_operator
  WHERE oprnamespace::regnamespace::text !~ '^(pg_|information_schema)'
UNION ALL
SELECT 'operator class', opcname, '', '', '' FROM pg_opclass
UNION ALL
SELECT 'operator family', opfname, (SELECT count(*)::text FROM pg_amop WHERE amopfamily = f.oid),
       (SELECT count(*)::text FROM pg_amproc WHERE amprocfamily = f.oid), '' FROM pg_opfamily f
UNION ALL
SELECT 'cast', castsource::regtype::text, casttarget::regtype::text, '', '' FROM pg_cast
UNION ALL
SELECT 'collation', collname, '', '', '' FROM pg_collation
UNION ALL
SELECT 'conversion', conname, '', '', '' FROM pg_conversion
UNION ALL
SELECT 'configuration', cfgname, (SELECT count(*)::text FROM pg_ts_config_map
       WHERE mapcfg = c.oid), '', '' FROM pg_ts_config c
UNION ALL
SELECT 'dictionary', dictname, '', '', '' FROM pg_ts_dict
UNION ALL
SELECT 'language', lanname, '', '', '' FROM pg_language
UNION ALL
SELECT 'access method', amname, '', '', '' FROM pg_am
UNION ALL
SELECT 'statistics', stxname, '', '', '' FROM pg_statistic_ext
UNION ALL
SELECT 'server', srvname, '', '', '' FROM pg_foreign_server
UNION ALL
SELECT 'wrapper', fdwname, '', '', '' FROM pg_foreign_data_wrapper
UNION ALL
SELECT 'mapping', srvname, usename::text, '', '' FROM pg_user_mappings
UNION ALL
SELECT 'publication', pubname, (SELECT count(*)::text FROM pg_publication_rel
       WHERE prpubid = p.oid), '', '' FROM pg_publication p
UNION ALL
SELECT 'privilege', n, coalesce(a.grantee::regrole::text, ''), a.privilege_type, ''
  FROM (SELECT oid::regclass::text AS n, relacl AS acl FROM pg_class
        UNION ALL SELECT nspname, nspacl FROM pg_namespace
        UNION ALL SELECT oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner))
                  FROM pg_proc
        UNION ALL SELECT srvname, srvacl FROM pg_foreign_server
        UNION ALL SELECT 'default', defaclacl FROM pg_default_acl) AS o,
       aclexplode(o.acl) AS a
  WHERE a.grantee <> a.grantor

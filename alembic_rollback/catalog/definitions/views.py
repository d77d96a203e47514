"""Views and materialized views."""

from __future__ import annotations

from collections.abc import Iterable

from alembic_rollback.catalog.definitions.model import Recipe
from alembic_rollback.catalog.definitions.reader import (
    OIDS,
    Reader,
    Recipes,
    joined,
    options,
    relation,
)

_COLUMNS = (
    "(SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
    "WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)"
)
_VIEWS = (
    f"SELECT c.oid, {relation('c.oid')} AS name, {_COLUMNS} AS columns, "
    f"{options('c.reloptions')} AS options, pg_get_viewdef(c.oid) AS query "
    f"FROM pg_class c WHERE c.oid = {OIDS}"
)
_MATERIALIZED = (
    f"SELECT c.oid, {relation('c.oid')} AS name, {_COLUMNS} AS columns, "
    f"{options('c.reloptions')} AS options, {options('toast.reloptions', 'toast.')} AS toast, "
    "pg_get_viewdef(c.oid) AS query, c.relispopulated AS filled, "
    "(SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = c.reltablespace) AS tablespace, "
    "(SELECT quote_ident(amname) FROM pg_am WHERE oid = c.relam "
    "AND amname <> current_setting('default_table_access_method')) AS method "
    "FROM pg_class c LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid "
    f"WHERE c.oid = {OIDS}"
)

_STORAGE = (
    "CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' "
    "WHEN 'x' THEN 'EXTENDED' END"
)
_COMPRESSION = "CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END"
_COLUMN_SETTINGS = (
    "SELECT a.attrelid AS oid, "
    f"format('ALTER TABLE %s ALTER COLUMN %I %s', {relation('a.attrelid')}, a.attname, "
    "setting.sql) AS statement "
    "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid CROSS JOIN LATERAL (VALUES "
    "(1, CASE WHEN a.attstattarget >= 0 THEN 'SET STATISTICS ' || a.attstattarget END), "
    f"(2, CASE WHEN a.attstorage <> t.typstorage THEN 'SET STORAGE ' || {_STORAGE} END), "
    f"(3, 'SET COMPRESSION ' || {_COMPRESSION}), "
    f"(4, 'SET (' || {options('a.attoptions')} || ')')) AS setting (place, sql) "
    f"WHERE a.attrelid = {OIDS} AND a.attnum > 0 AND NOT a.attisdropped "
    "AND setting.sql IS NOT NULL ORDER BY a.attnum, setting.place"
)


def views(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE VIEW; its triggers and further rules are objects of their own."""
    found = {}
    for row in reader.rows(_VIEWS, oids):
        create = joined(
            f"CREATE VIEW {row.name}",
            _in_brackets(row.columns),
            _with(row.options),
            f"AS {_query(row.query)}",
        )
        found[row.oid] = Recipe((create,), "VIEW", row.name)
    return found


def materialized_views(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE MATERIALIZED VIEW, filled where it was; its indexes are objects of their own."""
    listed = list(oids)
    settings = reader.rows(_COLUMN_SETTINGS, listed)
    found = {}
    for row in reader.rows(_MATERIALIZED, listed):
        create = joined(
            f"CREATE MATERIALIZED VIEW {row.name}",
            _in_brackets(row.columns),
            f"USING {row.method}" if row.method else "",
            _with(", ".join(filter(None, (row.options, row.toast)))),
            f"TABLESPACE {row.tablespace}" if row.tablespace else "",
            f"AS {_query(row.query)}",
            "WITH DATA" if row.filled else "WITH NO DATA",
        )
        after = tuple(one.statement for one in settings if one.oid == row.oid)
        found[row.oid] = Recipe((create,), "MATERIALIZED VIEW", row.name, after)
    return found


def _in_brackets(columns: str | None) -> str:
    return f"({columns})" if columns else ""


def _with(found: str | None) -> str:
    return f"WITH ({found})" if found else ""


def _query(printed: str) -> str:
    return printed.strip().removesuffix(";")

"""Tables: ordinary, partitioned and foreign, with row security and replica identity."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts.families.columns import clause, server_options
from alembic_rollback.catalog.facts.families.constraints import inline
from alembic_rollback.catalog.facts.families.fragments import option_changes, option_list
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA, option, reloptions, renamed
from alembic_rollback.catalog.facts.families.sequences import serials
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot

_SORTED = "(SELECT jsonb_agg(o ORDER BY o) FROM unnest({}) AS o)"

reads(
    "tables",
    f"""
    WITH t AS MATERIALIZED (
        SELECT c.*, n.nspname, CAST(CAST(c.oid AS regclass) AS text) AS shown,
            format('%I.%I', n.nspname, c.relname) AS key
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384 AND {USER_SCHEMA}
            /*among c.oid*/)
    SELECT 1259, CAST(t.oid AS bigint), 0, '', 'table', t.key, t.shown,
        CAST(NULL AS bigint), CAST(NULL AS bigint), 0,
        jsonb_build_object(
            'name', t.relname, 'schema', t.nspname, 'kind', t.relkind,
            'unlogged', nullif(t.relpersistence = 'u', false),
            'method', (SELECT amname FROM pg_am
                WHERE oid = t.relam AND (amname <> 'heap' OR t.relkind = 'p')),
            'of', CASE WHEN t.reloftype <> 0 THEN CAST(CAST(t.reloftype AS regtype) AS text) END,
            'partition by', pg_get_partkeydef(t.oid),
            'options', {_SORTED.format("t.reloptions")},
            'toast', (SELECT {_SORTED.format("toast.reloptions")} FROM pg_class toast
                WHERE toast.oid = t.reltoastrelid),
            'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = t.reltablespace),
            'server', (SELECT s.srvname FROM pg_foreign_table f JOIN pg_foreign_server s
                ON s.oid = f.ftserver WHERE f.ftrelid = t.oid AND t.relkind = 'f'),
            'server options', (SELECT {_SORTED.format("f.ftoptions")} FROM pg_foreign_table f
                WHERE f.ftrelid = t.oid AND t.relkind = 'f'))
    FROM t
    UNION ALL
    SELECT 1259, t.oid, 0, 'row security', 'row security', t.key, t.shown, 1259, t.oid, 0,
        jsonb_build_object('enabled', nullif(t.relrowsecurity, false),
            'forced', nullif(t.relforcerowsecurity, false))
    FROM t WHERE t.relrowsecurity OR t.relforcerowsecurity
    UNION ALL
    SELECT 1259, t.oid, 0, 'replica identity', 'replica identity', t.key, t.shown, 1259, t.oid, 0,
        jsonb_build_object('index', i.relname, 'identity',
            CASE WHEN t.relreplident <> 'i' OR i.oid IS NOT NULL THEN t.relreplident
            ELSE 'n' END)
    FROM t LEFT JOIN (pg_index x JOIN pg_class i
            ON i.oid = x.indexrelid AND x.indisreplident)
        ON x.indrelid = t.oid AND t.relreplident = 'i'
    WHERE t.relreplident <> 'd' AND t.relkind <> 'f'
    UNION ALL
    SELECT 1259, t.oid, 0, 'clustering', 'clustering', t.key, t.shown, 1259, t.oid, 0,
        jsonb_build_object('index', i.relname)
    FROM t JOIN pg_index x ON x.indrelid = t.oid AND x.indisclustered
    JOIN pg_class i ON i.oid = x.indexrelid
    """,
)

_NOUNS = {"r": "TABLE", "p": "TABLE", "f": "FOREIGN TABLE"}
_IDENTITIES = {"d": "DEFAULT", "n": "NOTHING", "f": "FULL"}


def storage_clause(fact: Fact) -> str:
    """` WITH (fillfactor=70)`, with its TOAST table's parameters; empty without any."""
    items = [*fact.details.get("options", ())]
    items += [f"toast.{item}" for item in fact.details.get("toast") or ()]
    listed = ", ".join(
        f"{name}={option(value)}" for name, value in (i.split("=", 1) for i in items)
    )
    return f" WITH ({listed})" if listed else ""


@kind
class Table(Kind):
    """A table, made together with its columns, their defaults and its plain constraints."""

    name, rank = "table", 40

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE TABLE."""
        details = fact.details
        unlogged = "UNLOGGED " if details.get("unlogged") else ""
        parents = list(wanted.children_of(fact, "inheritance"))
        inherits = ", ".join(one.details["parent"] for one in parents)
        lines = [*_columns(fact, wanted), *_constraints(fact, wanted)]
        body = "".join(f"\n    {line}," for line in lines).rstrip(",") + ("\n" if lines else "")
        parts = [
            f"CREATE {unlogged}{_NOUNS[details['kind']]} {fact.name}",
            f"OF {details['of']}" if details.get("of") else "",
            f"({body})" if lines or not details.get("of") else "",
            f"INHERITS ({inherits})" if inherits else "",
            f"PARTITION BY {details['partition by']}" if details.get("partition by") else "",
            f"USING {quote_identifier(details['method'])}" if details.get("method") else "",
            f"SERVER {quote_identifier(details['server'])}" if details.get("server") else "",
            option_list(server_options(details)),
            storage_clause(fact).strip(),
            f"TABLESPACE {quote_identifier(details['tablespace'])}"
            if details.get("tablespace")
            else "",
        ]
        return [" ".join(part for part in parts if part)]

    def absorbs(self, fact: Fact, wanted: Snapshot) -> Iterator[Id]:
        """Columns, defaults, serials and constraints that CREATE TABLE holds."""
        inherits = False
        for parent in wanted.children_of(fact, "inheritance"):
            inherits = True
            yield parent.id
        typed = bool(fact.details.get("of"))
        for column in wanted.children_of(fact, "column"):
            yield column.id
            if not typed:
                yield from (one.id for one in wanted.children_of(column, "default"))
        for sequence in serials(fact, wanted).values():
            yield sequence.id
            yield from (one.id for one in wanted.children_of(sequence, "sequence ownership"))
        for constraint in wanted.children_of(fact, "constraint"):
            if inline(constraint, wanted) or (inherits and constraint.details.get("inherited")):
                yield constraint.id

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP TABLE."""
        return [f"DROP {_NOUNS[fact.details['kind']]} {fact.name}"]

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """RENAME TO, SET SCHEMA."""
        return renamed(_NOUNS[old.details["kind"]], old, new)

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """Storage parameters, persistence, tablespace, access method, type."""
        before, after = old.details, new.details
        fixed = ("kind", "partition by", "server")
        if any(before.get(key) != after.get(key) for key in fixed):
            return None
        noun = _NOUNS[after["kind"]]
        head = f"ALTER {noun} {new.name}"
        found = reloptions(noun, new.name, before.get("options", []), after.get("options", []))
        found += reloptions(
            noun, new.name, before.get("toast") or [], after.get("toast") or [], "toast."
        )
        if before.get("unlogged") != after.get("unlogged"):
            found.append(f"{head} SET {'UNLOGGED' if after.get('unlogged') else 'LOGGED'}")
        if before.get("tablespace") != after.get("tablespace"):
            place = quote_identifier(after.get("tablespace") or "pg_default")
            found.append(f"{head} SET TABLESPACE {place}")
        if before.get("method") != after.get("method"):
            # What is said of a partitioned table is for its new partitions.
            usual = "DEFAULT" if after["kind"] == "p" else "heap"
            method = quote_identifier(after["method"]) if after.get("method") else usual
            found.append(f"{head} SET ACCESS METHOD {method}")
        options = option_changes(server_options(before), server_options(after))
        found += [f"{head} {options}"] if options else []
        if before.get("of") != after.get("of"):
            found.append(f"{head} {'OF ' + after['of'] if after.get('of') else 'NOT OF'}")
        return found


def _columns(table: Fact, wanted: Snapshot) -> Iterator[str]:
    series = serials(table, wanted)
    inherits = any(True for _ in wanted.children_of(table, "inheritance"))
    for column in wanted.children_of(table, "column"):
        if table.details.get("of") or _inherited_only(column, table, wanted):
            continue
        default = next(iter(wanted.children_of(column, "default")), None)
        required = column.details.get("not null") or {}
        if inherits and required.get("inherited") and not required.get("local"):
            column = replace(column, details={**column.details, "not null": None})
        yield clause(column, table, default, serial=column.id in series)


def _inherited_only(column: Fact, table: Fact, wanted: Snapshot) -> bool:
    """Whether INHERITS brings it. A partition is made with all its columns, then attached."""
    inherits = any(True for _ in wanted.children_of(table, "inheritance"))
    return inherits and bool(column.details.get("inherited")) and not column.details.get("local")


def _constraints(table: Fact, wanted: Snapshot) -> Iterator[str]:
    for constraint in wanted.children_of(table, "constraint"):
        text = inline(constraint, wanted)
        if text:
            yield text


class _Aspect(Kind):
    """A setting of a table: made, changed and taken away by ALTER TABLE."""

    @abstractmethod
    def set_to(self, shown: str, details: dict[str, object]) -> list[str]:
        """The statements for these details; for none at all, what is usual."""

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """From what is usual."""
        return self.set_to(fact.name, dict(fact.details))

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """To what is usual."""
        return self.set_to(fact.name, {})

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """To the other."""
        return self.set_to(new.name, dict(new.details))


@kind
class RowSecurity(Kind):
    """ENABLE and FORCE ROW LEVEL SECURITY."""

    name, rank = "row security", 84

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """What is switched on."""
        return self._switched(fact.name, {}, fact.details)

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """All switched off."""
        return self._switched(fact.name, fact.details, {})

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """What differs, switched."""
        return self._switched(new.name, old.details, new.details)

    @staticmethod
    def _switched(shown: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
        words = {"enabled": ("ENABLE", "DISABLE"), "forced": ("FORCE", "NO FORCE")}
        return [
            f"ALTER TABLE {shown} {on if after.get(key) else off} ROW LEVEL SECURITY"
            for key, (on, off) in words.items()
            if bool(before.get(key)) != bool(after.get(key))
        ]


@kind
class ReplicaIdentity(_Aspect):
    """REPLICA IDENTITY."""

    name, rank = "replica identity", 67

    def set_to(self, shown: str, details: dict[str, object]) -> list[str]:
        """REPLICA IDENTITY …"""
        index = details.get("index")
        how = (
            f"USING INDEX {quote_identifier(str(index))}"
            if details.get("identity") == "i" and index
            else _IDENTITIES.get(str(details.get("identity", "d")), "NOTHING")
        )
        return [f"ALTER TABLE {shown} REPLICA IDENTITY {how}"]


@kind
class Clustering(_Aspect):
    """CLUSTER ON."""

    name, rank = "clustering", 67

    def set_to(self, shown: str, details: dict[str, object]) -> list[str]:
        """CLUSTER ON, SET WITHOUT CLUSTER."""
        index = details.get("index")
        how = f"CLUSTER ON {quote_identifier(str(index))}" if index else "SET WITHOUT CLUSTER"
        return [f"ALTER TABLE {shown} {how}"]

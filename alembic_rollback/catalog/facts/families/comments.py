"""Comments, and security labels, which are said of the same objects in the same words."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.owners import RELATION, ROUTINE, ROUTINE_NAME
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier, quote_literal

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

# public is made by initdb, and so is plpgsql. Labels have no index that begins with the oid, but
# nobody has many of them.
_SAID = """
    said (classid, objid, number, text, provider) AS MATERIALIZED (
    SELECT classoid, objoid, objsubid, description, NULL FROM pg_description
    WHERE objoid >= 16384 /*among objoid*/
    UNION ALL
    SELECT classoid, objoid, objsubid, description, NULL FROM pg_description
    WHERE objoid = 2200 AND classoid = 2615 /*among objoid*/
    UNION ALL
    SELECT d.classoid, d.objoid, d.objsubid, d.description, NULL FROM pg_extension e
    JOIN pg_description d ON d.objoid = e.oid AND d.classoid = 3079 WHERE e.oid < 16384
        /*among e.oid*/
    UNION ALL
    SELECT classoid, objoid, objsubid, label, provider FROM pg_seclabel
    WHERE (objoid >= 16384 OR objoid = 2200 AND classoid = 2615) /*among objoid*/)
"""
# An index that a constraint has made goes with that, and an identity's sequence with its column. A
# view's columns go with the view, a composite type's attributes with the type.
_RELATIONS = f"""
    SELECT s.*, {RELATION}, format('%I.%I', n.nspname, c.relname),
        CAST(CAST(c.oid AS regclass) AS text), a.attname,
        coalesce(k.refclassid, CASE c.relkind WHEN 'c' THEN 1247 ELSE 1259 END),
        coalesce(k.refobjid, CASE c.relkind WHEN 'c' THEN c.reltype ELSE c.oid END),
        coalesce(k.refobjsubid, CASE WHEN c.relkind IN ('r', 'p', 'f') THEN s.number ELSE 0 END)
    FROM said s JOIN pg_class c ON c.oid = s.objid AND s.classid = 1259
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.number AND s.number <> 0
    LEFT JOIN pg_depend k ON k.classid = 1259 AND k.objid = c.oid AND k.objsubid = 0
        AND k.refclassid IN (1259, 2606) AND k.deptype = 'i' AND c.relkind IN ('i', 'I', 'S')
"""


_ITSELF = "s.classid, s.objid, 0"


def _part(
    classid: int, noun: str, catalog: str, name: str, relation: str, parent: str = _ITSELF
) -> str:
    return f"""
    SELECT s.*, '{noun}', format('%I on %I.%I', o.{name}, n.nspname, c.relname),
        format('%I ON %s', o.{name}, CAST(c.oid AS regclass)), NULL, {parent}
    FROM said s JOIN {catalog} o ON o.oid = s.objid AND s.classid = {classid}
    JOIN pg_class c ON c.oid = o.{relation} JOIN pg_namespace n ON n.oid = c.relnamespace
    """


# NOT NULL is its column's. A partition's clone of a trigger is no fact: it goes with the partition.
_OF_CONSTRAINT = (
    "CASE o.contype WHEN 'n' THEN 1259 ELSE 2606 END, "
    "CASE o.contype WHEN 'n' THEN c.oid ELSE o.oid END, "
    "CASE o.contype WHEN 'n' THEN o.conkey[1] ELSE 0 END"
)
_OF_TRIGGER = (
    "CASE o.tgparentid WHEN 0 THEN 2620 ELSE 1259 END, "
    "CASE o.tgparentid WHEN 0 THEN o.oid ELSE c.oid END, 0"
)
_DOMAIN_CONSTRAINTS = """
    SELECT s.*, 'CONSTRAINT', format('%I on %I.%I', o.conname, n.nspname, t.typname),
        format('%I ON DOMAIN %s', o.conname, CAST(t.oid AS regtype)), NULL,
        s.classid, s.objid, 0
    FROM said s JOIN pg_constraint o ON o.oid = s.objid AND s.classid = 2606
    JOIN pg_type t ON t.oid = o.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
"""
_ROUTINES = f"""
    SELECT s.*, {ROUTINE},
        format('%I.%I(%s)', n.nspname, o.proname, oidvectortypes(o.proargtypes)),
        {ROUTINE_NAME}, NULL, s.classid, s.objid, 0
    FROM said s JOIN pg_proc o ON o.oid = s.objid AND s.classid = 1255
    JOIN pg_namespace n ON n.oid = o.pronamespace
"""
_TYPES = """
    SELECT s.*, CASE o.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END,
        format('%I.%I', n.nspname, o.typname), CAST(CAST(o.oid AS regtype) AS text), NULL,
        s.classid, s.objid, 0
    FROM said s JOIN pg_type o ON o.oid = s.objid AND s.classid = 1247
    JOIN pg_namespace n ON n.oid = o.typnamespace
"""
# The rest is rare: what PostgreSQL calls the object, and its whole name.
_OTHERS = """
    SELECT s.*, CASE s.classid WHEN 3381 THEN 'STATISTICS' WHEN 2328 THEN 'FOREIGN DATA WRAPPER'
            ELSE upper(i.type) END, i.identity,
        CASE s.classid WHEN 2617 THEN CAST(CAST(s.objid AS regoperator) AS text)
            WHEN 3456 THEN CAST(CAST(s.objid AS regcollation) AS text)
            WHEN 3600 THEN CAST(CAST(s.objid AS regdictionary) AS text)
            WHEN 3602 THEN CAST(CAST(s.objid AS regconfig) AS text)
            WHEN 3576 THEN (SELECT format('FOR %s LANGUAGE %I', CAST(t.trftype AS regtype),
                l.lanname) FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
                WHERE t.oid = s.objid)
            ELSE i.identity END, NULL, s.classid, s.objid, 0
    FROM said s CROSS JOIN LATERAL pg_identify_object(s.classid, s.objid, 0) AS i
    WHERE s.classid NOT IN (1259, 2606, 2620, 2618, 3256, 1255, 1247)
"""
_ARMS = " UNION ALL ".join(
    (
        _RELATIONS,
        _part(2606, "CONSTRAINT", "pg_constraint", "conname", "conrelid", _OF_CONSTRAINT),
        _DOMAIN_CONSTRAINTS,
        _part(2620, "TRIGGER", "pg_trigger", "tgname", "tgrelid", _OF_TRIGGER),
        _part(2618, "RULE", "pg_rewrite", "rulename", "ev_class"),
        _part(3256, "POLICY", "pg_policy", "polname", "polrelid"),
        _ROUTINES,
        _TYPES,
        _OTHERS,
    )
)
reads(
    "comments",
    f"""
    WITH {_SAID}, every (classid, objid, number, text, provider, noun, key, shown, "column",
        parent_class, parent, parent_number) AS ({_ARMS})
    SELECT CAST(e.classid AS bigint), CAST(e.objid AS bigint), e.number,
        coalesce('label ' || e.provider, 'comment'),
        CASE WHEN e.provider IS NULL THEN 'comment' ELSE 'security label' END,
        coalesce(quote_ident(e.provider) || ': ', '') || CASE WHEN e.column IS NULL
            THEN e.noun || ' ' || e.key ELSE format('COLUMN %s.%I', e.key, e.column) END,
        CASE WHEN e.column IS NULL THEN e.noun || ' ' || e.shown
            ELSE format('COLUMN %s.%I', e.shown, e.column) END,
        CAST(e.parent_class AS bigint), CAST(e.parent AS bigint), e.parent_number,
        jsonb_build_object('text', e.text, 'provider', e.provider)
    FROM every e
    """,
    own=True,
)


class _Remark(Kind):
    @abstractmethod
    def verb(self, fact: Fact) -> str:
        """What comes before ON."""

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """… IS 'text'."""
        return [f"{self.verb(fact)} ON {fact.name} IS {quote_literal(fact.details['text'])}"]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """… IS NULL."""
        return [f"{self.verb(fact)} ON {fact.name} IS NULL"]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """… IS 'another text'."""
        return self.create(new, wanted)


@kind
class Comment(_Remark):
    """A comment on an object or a column."""

    name, rank = "comment", 96

    def verb(self, fact: Fact) -> str:
        """COMMENT."""
        return "COMMENT"


@kind
class SecurityLabel(_Remark):
    """What a provider such as selinux labels an object or a column with."""

    name, rank = "security label", 96

    def verb(self, fact: Fact) -> str:
        """SECURITY LABEL FOR its provider."""
        return f"SECURITY LABEL FOR {quote_identifier(fact.details['provider'])}"

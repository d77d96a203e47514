"""DROP: what is dropped is not in the text, unless the file had made it itself."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.altering import end
from alembic_rollback.inverse.registry import Missing, Part, Step, inverts
from alembic_rollback.inverse.targets import Target, named, target
from alembic_rollback.sql.build import enum_name, role_text, roles_text
from alembic_rollback.sql.names import quote_identifier

# What a DROP takes along, where it is more than a definition.
_TAKES = {
    "TABLE": "the definition and the rows of {shown}: DROP TABLE keeps neither",
    "FOREIGN TABLE": "the definition of {shown}: DROP FOREIGN TABLE does not keep it",
    "SCHEMA": "the definition of {shown} and of what was in it: DROP SCHEMA keeps neither",
    "SEQUENCE": "the definition and the value of {shown}: DROP SEQUENCE keeps neither",
    "EXTENSION": "the version and the schema of {shown}: DROP EXTENSION keeps neither",
}


def lost_with(found: Target, missing_ok: bool) -> str:
    """The fact that is missing once the object is gone."""
    known = _TAKES.get(found.words, "the definition of {shown}: DROP {words} does not keep it")
    fact = known.format(shown=found.shown, words=found.words)
    return f"whether it was there, and {fact}" if missing_ok else fact


@inverts("DropStmt")
def drop(step: Step) -> Iterator[Part]:
    """DROP of one or several objects."""
    node = step.node
    cascade = enum_name(node, "behavior") == "DROP_CASCADE"
    for item in node.objects:
        found = target(step.world, enum_name(node, "remove_type"), item)
        if found is None:
            yield Missing("the definition of what was dropped: DROP does not keep it")
        else:
            yield from end(step, found.thing, lost_with(found, node.missing_ok), cascade)


@inverts("DropRoleStmt")
def drop_role(step: Step) -> Iterator[Part]:
    """DROP ROLE: its attributes and memberships go."""
    for item in step.node.roles:
        thing = step.world.find("role", (item.role_spec.rolename,))
        fact = f"the attributes, settings and memberships of role {role_text(item.role_spec)}"
        yield from end(step, thing, f"{fact}: DROP ROLE keeps none of them", cascade=False)


@inverts("DropOwnedStmt")
def drop_owned(step: Step) -> Iterator[Part]:
    """DROP OWNED: what belonged to the role is not in the text."""
    yield Missing(f"what belonged to {roles_text(step.node.roles)}: DROP OWNED does not keep it")


@inverts("DropUserMappingStmt")
def drop_user_mapping(step: Step) -> Iterator[Part]:
    """DROP USER MAPPING: its options go."""
    node = step.node
    text = f"FOR {role_text(node.user)} SERVER {quote_identifier(node.servername)}"
    thing = step.world.find("user mapping", (text,))
    fact = f"the options of user mapping {text}: DROP USER MAPPING does not keep them"
    yield from end(step, thing, fact, cascade=False)


@inverts("DropSubscriptionStmt")
def drop_subscription(step: Step) -> Iterator[Part]:
    """DROP SUBSCRIPTION: its connection goes."""
    found = named(step.world, "OBJECT_SUBSCRIPTION", (step.node.subname,))
    yield from end(step, found.thing, lost_with(found, step.node.missing_ok), cascade=False)


@inverts("DropTableSpaceStmt")
def drop_tablespace(step: Step) -> Iterator[Part]:
    """DROP TABLESPACE: its place goes."""
    found = named(step.world, "OBJECT_TABLESPACE", (step.node.tablespacename,))
    yield from end(step, found.thing, lost_with(found, step.node.missing_ok), cascade=False)


@inverts("DropdbStmt")
def drop_database(step: Step) -> Iterator[Part]:
    """DROP DATABASE: everything in it goes."""
    found = named(step.world, "OBJECT_DATABASE", (step.node.dbname,))
    fact = f"everything in {found.shown}: DROP DATABASE keeps none of it"
    yield from end(step, found.thing, fact, cascade=False)

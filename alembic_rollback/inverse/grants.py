"""Privileges and memberships: GRANT is undone by REVOKE; what a REVOKE took is not in the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic_rollback.inverse.owners import younger_role
from alembic_rollback.inverse.registry import Missing, Part, Step, Undo, inverts
from alembic_rollback.inverse.targets import OBJECTS, Target, target
from alembic_rollback.sql.build import (
    columns_text,
    enum_name,
    options,
    role_text,
    roles_text,
)
from alembic_rollback.sql.names import quote_identifier

_PLURALS = {
    "OBJECT_FUNCTION": "FUNCTIONS",
    "OBJECT_LARGEOBJECT": "LARGE OBJECTS",
    "OBJECT_PROCEDURE": "PROCEDURES",
    "OBJECT_ROUTINE": "ROUTINES",
    "OBJECT_SCHEMA": "SCHEMAS",
    "OBJECT_SEQUENCE": "SEQUENCES",
    "OBJECT_TABLE": "TABLES",
    "OBJECT_TYPE": "TYPES",
}
_PRIVILEGES = {
    "alter system",
    "connect",
    "create",
    "delete",
    "execute",
    "insert",
    "maintain",
    "references",
    "select",
    "set",
    "temp",
    "temporary",
    "trigger",
    "truncate",
    "update",
    "usage",
}
# What PUBLIC may do from the start (Privileges, 5.8 in PostgreSQL's documentation).
_PUBLIC = {
    "OBJECT_DATABASE": {"connect", "temp", "temporary"},
    "OBJECT_DOMAIN": {"usage"},
    "OBJECT_FUNCTION": {"execute"},
    "OBJECT_LANGUAGE": {"usage"},
    "OBJECT_PROCEDURE": {"execute"},
    "OBJECT_ROUTINE": {"execute"},
    "OBJECT_TYPE": {"usage"},
}
_ACTING = "the role to revoke as: SET ROLE above makes another role the grantor"
# These say their kind after FOREIGN in GRANT only.
_GRANT_WORDS = {"OBJECT_FOREIGN_SERVER": "FOREIGN SERVER"}


@inverts("GrantStmt")
def grant(step: Step) -> Iterator[Part]:
    """GRANT p ON x TO r → REVOKE p ON x FROM r, without what the file made itself."""
    node = step.node
    found, objects = _objects(step)
    if not node.is_grant:
        if not found or not all(each.thing.new for each in found):
            fact = f"which of {_privileges(node)} {roles_text(node.grantees)} held on {objects}"
            yield Missing(f"{fact}, and from whom: REVOKE does not keep it")
        return
    if step.world.acting and not node.HasField("grantor"):
        yield Missing(_ACTING)
        return
    kept = [each for each in found if not each.thing.new or _younger(step, each)]
    if found and not kept:
        return
    where = _listed(node, kept) if found else objects
    if _held_by_default(node):
        fact = f"whether PUBLIC held {_privileges(node)} on {where} before"
        yield Missing(f"{fact}: by default it does")
        return
    grantor = f" GRANTED BY {role_text(node.grantor)}" if node.HasField("grantor") else ""
    about = kept[0].thing if len(kept) == 1 else None
    yield Undo(
        f"REVOKE {_privileges(node)} ON {where} FROM {roles_text(node.grantees)}{grantor}", about
    )


def _objects(step: Step) -> tuple[list[Target], str]:
    """The objects that are named; none for ALL … IN SCHEMA. And both as SQL."""
    node = step.node
    object_type = enum_name(node, "objtype")
    if enum_name(node, "targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
        schemas = columns_text(node.objects)
        return [], f"ALL {_PLURALS[object_type]} IN SCHEMA {schemas}"
    found = [target(step.world, object_type, item) for item in node.objects]
    known = [each for each in found if each is not None]
    return known, _listed(node, known)


def _listed(node: Any, objects: list[Target]) -> str:
    object_type = enum_name(node, "objtype")
    names = ", ".join(each.text for each in objects)
    if object_type == "OBJECT_TABLE":
        return names
    return f"{_GRANT_WORDS.get(object_type) or OBJECTS[object_type][0]} {names}"


def _younger(step: Step, found: Target) -> bool:
    """Whether a grantee is younger than the object: its DROP ROLE comes first, and must be free."""
    roles = (item.role_spec for item in step.node.grantees)
    return any(younger_role(step.world, role, found.thing) for role in roles)


def _held_by_default(node: Any) -> bool:
    """A privilege that PUBLIC has on every new object of the kind, unless it was revoked."""
    usual = _PUBLIC.get(enum_name(node, "objtype"), set())
    public = any(role_text(item.role_spec) == "PUBLIC" for item in node.grantees)
    granted = {item.access_priv.priv_name for item in node.privileges}
    return public and bool(usual) and (not granted or bool(granted & usual))


def _privileges(node: Any) -> str:
    written = [_privilege(item.access_priv) for item in node.privileges]
    return ", ".join(written) or "ALL"


def _privilege(privilege: Any) -> str:
    name = privilege.priv_name
    word = "ALL" if not name else name.upper() if name in _PRIVILEGES else quote_identifier(name)
    return f"{word} ({columns_text(privilege.cols)})" if privilege.cols else word


@inverts("GrantRoleStmt")
def grant_role(step: Step) -> Iterator[Part]:
    """GRANT a TO b → REVOKE a FROM b; an option of its own cannot be told from a membership."""
    node = step.node
    roles = ", ".join(quote_identifier(item.access_priv.priv_name) for item in node.granted_roles)
    members = roles_text(node.grantee_roles)
    grantor = f" GRANTED BY {role_text(node.grantor)}" if node.HasField("grantor") else ""
    if node.is_grant:
        yield Undo(f"REVOKE {roles} FROM {members}{grantor}")
    else:
        fact = f"whether {members} had {roles} granted, with which options and from whom"
        yield Missing(f"{fact}: REVOKE does not keep it")


@inverts("AlterDefaultPrivilegesStmt")
def default_privileges(step: Step) -> Iterator[Part]:
    """ALTER DEFAULT PRIVILEGES: GRANT ↔ REVOKE."""
    action = step.node.action
    head = "ALTER DEFAULT PRIVILEGES"
    given = options(step.node.options)
    if "roles" in given:
        head += f" FOR ROLE {roles_text(given['roles'].items)}"
    if "schemas" in given:
        head += f" IN SCHEMA {columns_text(given['schemas'].items)}"
    what = f"{_privileges(action)} ON {_PLURALS[enum_name(action, 'objtype')]}"
    roles = roles_text(action.grantees)
    if step.world.acting and "roles" not in given:
        yield Missing(_ACTING)
    elif action.is_grant:
        yield Undo(f"{head} REVOKE {what} FROM {roles}")
    else:
        option = "GRANT OPTION FOR " if action.grant_option else ""
        tail = " WITH GRANT OPTION" if option else ""
        yield Undo(f"{head} GRANT {what} TO {roles}{tail}")

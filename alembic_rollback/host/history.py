"""The script directory as the planner sees it: revisions, graph, and what an identifier means."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from alembic_rollback.errors import UsageError
from alembic_rollback.host.scripts import pair_of, revision_of
from alembic_rollback.model import Revision, StoredDown
from alembic_rollback.planning import Graph, suggest

if TYPE_CHECKING:
    from alembic.script import Script, ScriptDirectory

    from alembic_rollback.ledger import Ghost


class History(NamedTuple):
    """All revisions with a file, and the graph of them and of those that only the log knows."""

    directory: ScriptDirectory
    revisions: Mapping[str, Revision]
    graph: Graph

    @property
    def has_pairs(self) -> bool:
        """Whether there is any pair: without one, a ledger is a convenience."""
        return any(revision.is_pair for revision in self.revisions.values())

    def script(self, version: str) -> Script:
        """Alembic's object of a revision that has a file."""
        return self.directory.revision_map._revision_map[version]  # type: ignore[return-value]

    def remembering(self, ghosts: Mapping[str, Ghost]) -> History:
        """The same with the revisions that have no file, placed as the log remembers them."""
        unknown = {v: ghost for v, ghost in ghosts.items() if v not in self.revisions}
        if not unknown:
            return self
        parents = dict(self.graph.parents)
        for version, ghost in unknown.items():
            parents[version] = (*ghost.down_revisions, *ghost.depends_on)
        return History(self.directory, self.revisions, Graph(parents))

    def knowing(self, stored: Mapping[str, StoredDown]) -> History:
        """The same with the revisions whose downs are stored, where there is no file."""
        unknown = {v: revision_of(one) for v, one in stored.items() if v not in self.revisions}
        if not unknown:
            return self
        return History(self.directory, {**self.revisions, **unknown}, self.graph)

    def resolve(self, identifier: str, extra: Mapping[str, object] | None = None) -> str:
        """A full version from a prefix, a branch label, `head` or a full version.

        extra: versions without a file, known to the ledger. Raises UsageError where it is unknown
        or ambiguous.
        """
        if identifier in self.revisions or identifier in (extra or {}):
            return identifier
        from alembic.script.revision import MultipleHeads, RevisionError

        try:
            found = self.directory.revision_map.get_revisions(identifier)
        except MultipleHeads as error:
            raise UsageError(
                f"{identifier!r} is ambiguous: the heads are {', '.join(error.heads)}.",
                next_step="Name one of them.",
            ) from None
        except (RevisionError, AssertionError, ValueError) as error:
            raise self._unknown(identifier) from error
        versions = [str(getattr(revision, "revision", "")) for revision in found]
        if len(versions) != 1 or versions[0] not in self.revisions:
            raise self._unknown(identifier)
        return versions[0]

    @property
    def names(self) -> dict[str, str]:
        """What somebody may type for a revision, though only versions count → its version."""
        found: dict[str, str] = {}
        for version, one in self.revisions.items():
            found |= {name: version for name in (one.name, one.title, one.path.name) if name}
        return {**found, **{version: version for version in self.revisions}}

    def _unknown(self, identifier: str) -> UsageError:
        matches = sorted(version for version in self.revisions if version.startswith(identifier))
        if len(matches) > 1:
            return UsageError(
                f"{identifier!r} is ambiguous: {', '.join(matches[:5])}"
                + (" …" if len(matches) > 5 else ".")
            )
        return UsageError(
            f"No revision {identifier!r}.{suggest(identifier, self.names)}",
            next_step="`alembic migration-status` lists them.",
        )


def history_of(directory: ScriptDirectory, *, downs: bool) -> History:
    """Read the script directory. Raises PairError for a bad file, CommandError for the graph.

    downs: read the headers of the down files, too, for `Revision.irreversible`.
    """
    scripts = _scripts(directory)
    revisions = {version: _revision(script, downs) for version, script in scripts.items()}
    parents = {version: revision.parents for version, revision in revisions.items()}
    return History(directory, revisions, Graph(parents))


def checksum_of(revision: Revision) -> str:
    """A pair's checksum, or the same of a `.py` file: sha256 with line ends normalised to LF."""
    if revision.checksum:
        return revision.checksum
    try:
        data = revision.path.read_bytes()
    except OSError:
        return ""
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def _scripts(directory: ScriptDirectory) -> dict[str, Script]:
    with directory._catch_revision_errors():
        entries = directory.revision_map._revision_map
    return {
        script.revision: script  # type: ignore[misc]
        for key, script in entries.items()
        if script is not None and key == script.revision  # labels are keys, too
    }


def _revision(script: Script, downs: bool) -> Revision:
    pair = pair_of(script)
    return Revision(
        version=script.revision,
        name=pair.name if pair else next(iter(script.doc.splitlines()), ""),
        file=pair.file if pair else script.path,
        parents=script._normalized_down_revisions,
        checksum=pair.checksum if pair else "",
        is_pair=pair is not None,
        has_down=pair.has_down if pair else _has_downgrade(script),
        irreversible=pair.irreversible if pair and downs else (),
        down_revisions=script._versioned_down_revisions,
        depends_on=script._resolved_dependencies,
    )


def _has_downgrade(script: Script) -> bool:
    return inspect.isfunction(getattr(script.module, "downgrade", None))

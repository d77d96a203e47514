"""The graph of revisions, what is applied in it, and what a request means. Pure: no connection.

Words: cov(X) is X with all its ancestors, dependencies included; maximal(X) are the revisions of X
that no other one of X stands on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from alembic_rollback.errors import Blocked, NotApplied, PairError, UsageError
from alembic_rollback.model import Revision

if TYPE_CHECKING:
    from alembic_rollback.model import Plan

Versions = frozenset[str]
_NONE: Versions = frozenset()


class Graph:
    """Revisions and what each stands on (down revisions and dependencies)."""

    def __init__(self, parents: Mapping[str, Iterable[str]]) -> None:
        self.parents: dict[str, tuple[str, ...]] = {v: tuple(p) for v, p in parents.items()}
        self.children: dict[str, list[str]] = {version: [] for version in self.parents}
        for version, below in self.parents.items():
            for parent in below:
                self.children.setdefault(parent, []).append(version)

    def __contains__(self, version: str) -> bool:
        return version in self.parents

    def cov(self, versions: Iterable[str]) -> Versions:
        """The versions and all their ancestors. An unknown version stands for itself."""
        return _reach(versions, self.parents)

    def descendants(self, versions: Iterable[str]) -> Versions:
        """The versions and everything that stands on them."""
        return _reach(versions, self.children)

    def maximal(self, versions: Iterable[str]) -> Versions:
        """The versions that no other of them stands on, directly or not."""
        chosen = frozenset(versions)
        below = (parent for version in chosen for parent in self.parents.get(version, ()))
        return chosen - self.cov(below)

    def order(self, versions: Iterable[str], rank: Mapping[str, int] | None = None) -> list[str]:
        """The versions, each after what it stands on; ties by rank (application order), then name.

        Ancestors outside `versions` order them too: a version comes after everything below it.
        """
        chosen = frozenset(versions)
        area = self.cov(chosen)
        waiting = {v: sum(p in area for p in self.parents.get(v, ())) for v in area}
        ready = [self._tie(v, rank) for v, count in waiting.items() if not count]
        heapify(ready)
        ordered: list[str] = []
        while ready:
            *_, version = heappop(ready)
            if version in chosen:
                ordered.append(version)
            for child in self.children.get(version, ()):
                if child in waiting:
                    waiting[child] -= 1
                    if not waiting[child]:
                        heappush(ready, self._tie(child, rank))
        return ordered

    @staticmethod
    def _tie(version: str, rank: Mapping[str, int] | None) -> tuple[int, str]:
        # What is not ranked is not applied and doesn't hold the applied ones back.
        return ((rank or {}).get(version, -1), version)


class Applied:
    """The applied set while it changes; knows at once whether it has a hole."""

    def __init__(self, graph: Graph, versions: Iterable[str]) -> None:
        self.graph = graph
        self.versions = set(versions)
        self._gaps = sum(self._missing_below(version) for version in self.versions)

    @property
    def closed(self) -> bool:
        """Every ancestor of an applied revision is applied: Alembic's own bookkeeping is right."""
        return not self._gaps

    def add(self, version: str) -> None:
        """Mark a revision as applied."""
        if version not in self.versions:
            self._gaps += self._missing_below(version) - self._applied_above(version)
            self.versions.add(version)

    def remove(self, version: str) -> None:
        """Mark a revision as not applied."""
        if version in self.versions:
            self.versions.remove(version)
            self._gaps += self._applied_above(version) - self._missing_below(version)

    def heads(self) -> Versions:
        """What the version table must hold: the maximal applied revisions."""
        return self.graph.maximal(self.versions)

    def _missing_below(self, version: str) -> int:
        return sum(p not in self.versions for p in self.graph.parents.get(version, ()))

    def _applied_above(self, version: str) -> int:
        return sum(c in self.versions for c in self.graph.children.get(version, ()))


class Reconciled(NamedTuple):
    """What the ledger and the version table become, and what that adds and removes."""

    applied: Versions
    added: Versions
    """Applied by plain Alembic in between, or there before the ledger: `adopted`."""
    removed: Versions
    """Downgraded by plain Alembic in between: `forgotten`."""
    heads: Versions | None
    """New rows for the version table; None where the old ones say the same."""


def reconcile(
    graph: Graph, ledger: Versions, heads: Versions, *, adopting: bool = False
) -> Reconciled:
    """Bring the ledger L and the version table's rows av together.

    L' = (L ∪ (cov(av) − cov(L))) − (cov(L) − cov(av)). Tested on cov, never on the rows, because
    Alembic can leave rows that are not maximal.

    adopting: there is no log yet, so nothing of ours has ever run. Then an empty version table
    does not mean that everything was downgraded: the ledger of an older script fills it.
    """
    below_ledger, below_heads = graph.cov(ledger), graph.cov(heads)
    if adopting and not heads:
        applied, removed = ledger, _NONE
    else:
        removed = ledger & (below_ledger - below_heads)
        applied = (ledger | (below_heads - below_ledger)) - removed
    # A revision that neither a file nor the log knows cannot become a row of the version table:
    # every command of Alembic would fail on it.
    known = frozenset(v for v in applied if v in graph or v in heads)
    wanted = graph.maximal(known)
    same = graph.cov(wanted) == below_heads
    return Reconciled(applied, applied - ledger, removed, None if same else wanted)


def steps_up(graph: Graph, targets: Iterable[str], applied: Versions) -> list[str]:
    """What an upgrade to the targets runs, in order: their ancestors that are not applied."""
    return graph.order(graph.cov(targets) - applied)


def holes(graph: Graph, applied: Versions) -> Versions:
    """What is not applied, though something that stands on it is: pending, and out of order."""
    return graph.cov(applied) - applied


@dataclass(frozen=True)
class Request:
    """What to roll back: exactly one of the forms."""

    versions: tuple[str, ...] = ()
    to: str | None = None
    """A version to go back to, or `base`."""
    last: int | None = None
    everything: bool = False
    last_run: bool = False
    """What the last upgrade applied."""
    to_tag: str | None = None
    """Back to what was applied when a run with this tag ended."""

    def __post_init__(self) -> None:
        optional = (self.to, self.last, self.to_tag)
        given = [bool(self.versions), self.everything, self.last_run]
        given += [one is not None for one in optional]
        if sum(given) != 1:
            problem = "several were given" if sum(given) else "none was given"
            raise UsageError(
                "Say what to roll back, in one form: VERSION…, --to VERSION, --last N, --last-run, "
                f"--to-tag TAG or --all; {problem}.",
                next_step="`alembic migration-status` shows what is applied.",
            )
        if self.last is not None and self.last < 1:
            raise UsageError(f"--last takes a number from 1, not {self.last}.")


def plan_rollback(
    graph: Graph,
    revisions: Mapping[str, Revision],
    applied: Mapping[str, int],
    request: Request,
    *,
    irreversible: bool = False,
    stored: bool = False,
) -> Plan:
    """Decide which revisions a request takes back, in reverse graph order.

    applied: the applied versions with their rank in the order of application. irreversible: take
    those, too, that say of themselves that they aren't. stored: their downs come from the log, so
    their files don't count. Raises UsageError or PairError where a
    version is unknown, not applied, or cannot be rolled back.
    """
    chosen = list(_chosen(graph, revisions, applied, request))
    order = graph.order(chosen, applied)[::-1]
    steps = tuple(
        _revision(revisions, version) if stored else _revertible(revisions, version, irreversible)
        for version in order
    )
    from alembic_rollback.model import Plan

    return Plan(steps, later_than(graph, revisions, applied, chosen))


def later_than(
    graph: Graph,
    revisions: Mapping[str, Revision],
    applied: Mapping[str, int],
    chosen: Iterable[str],
) -> tuple[Revision, ...]:
    """The applied revisions that stand on the chosen ones without being among them."""
    chosen = list(chosen)
    above = (graph.descendants(chosen) - set(chosen)) & applied.keys()
    return tuple(
        revisions.get(version) or Revision(version, "", "")  # no file: it is only named
        for version in graph.order(above, applied)
    )


def _chosen(
    graph: Graph,
    revisions: Mapping[str, Revision],
    applied: Mapping[str, int],
    request: Request,
) -> Iterator[str]:
    if request.everything or request.to == "base":
        yield from applied
    elif request.last is not None:
        if request.last > len(applied):
            raise UsageError(
                f"--last {request.last}: only {counted(len(applied), 'revision')} applied.",
                next_step="--all takes all of them." if applied else None,
            )
        yield from graph.order(applied, applied)[-request.last :]
    elif request.to is not None:
        _require_applied(revisions, applied, request.to)
        yield from (graph.descendants([request.to]) - {request.to}) & applied.keys()
    else:
        for version in dict.fromkeys(request.versions):
            _require_applied(revisions, applied, version)
            yield version


def _require_applied(
    revisions: Mapping[str, Revision], applied: Mapping[str, int], version: str
) -> None:
    if version not in applied:
        title = revisions[version].title if version in revisions else version
        raise NotApplied(
            f"{title} is not applied, so there is nothing to roll back.",
            state="Nothing was changed.",
            next_step="`alembic migration-status` shows what is applied.",
        )


def _revision(revisions: Mapping[str, Revision], version: str) -> Revision:
    found = revisions.get(version)
    if found is None:
        raise PairError(
            f"{version} is applied, but no file of this release has it, and no down script of it "
            "is stored in the log.",
            state="Nothing was changed.",
            next_step="Check out the release that has its file and run it from there.",
        )
    return found


def _revertible(revisions: Mapping[str, Revision], version: str, irreversible: bool) -> Revision:
    revision = _revision(revisions, version)
    if revision.irreversible and not irreversible:
        raise Blocked(
            f"{revision.title} is marked irreversible: {'; '.join(revision.irreversible)}.",
            where=revision.path,
            state="Nothing was changed.",
            next_step="Complete the down script and remove the `-- Irreversible:` line, or restore "
            "a backup.",
        )
    if not revision.has_down:
        advice = f"`alembic generate-down {revision.path.name}` writes what can be derived."
        raise PairError(
            f"{revision.title} has no down script.",
            where=revision.path,
            state="Nothing was changed.",
            next_step=advice if revision.is_pair else "Write its downgrade() function.",
        )
    return revision


def counted(number: int, noun: str) -> str:
    """`1 revision is`, `3 revisions are`."""
    return f"{number} {noun} is" if number == 1 else f"{number} {noun}s are"


def suggest(typed: str, known: Iterable[str] | Mapping[str, str]) -> str:
    """` Did you mean 20260112_001?`, or nothing. known: of a mapping, the value is meant."""
    from difflib import get_close_matches

    near = get_close_matches(typed, list(known), n=1, cutoff=0.75)
    if not near:
        return ""
    meant = known[near[0]] if isinstance(known, Mapping) else near[0]
    return f" Did you mean {meant}?"


def _reach(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> Versions:
    seen = set(start)
    waiting = list(seen)
    while waiting:
        for version in edges.get(waiting.pop(), ()):
            if version not in seen:
                seen.add(version)
                waiting.append(version)
    return frozenset(seen)

"""What the figures are to be, beside what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from measuring import Sample
from peers import FLOOR, OURS, PLAIN

Key = tuple[str, int, str]
"""What was done, with how many migrations, by whom."""
Samples = Mapping[Key, Sequence[Sample]]


class Missing(Exception):
    """A figure that this run did not measure."""


@dataclass(frozen=True)
class Figures:
    """Medians of what was measured, in seconds and MB."""

    samples: Samples
    small: int
    large: int

    def wall(self, what: str, number: int, who: str = OURS) -> float:
        """Seconds, start to end."""
        return median(sample.wall for sample in self._of(what, number, who))

    def cpu(self, what: str, number: int, who: str = OURS) -> float:
        """Seconds of the client's processor time."""
        return median(sample.cpu for sample in self._of(what, number, who))

    def memory(self, what: str, number: int, who: str = OURS) -> float:
        """MB at the largest."""
        return median(sample.memory for sample in self._of(what, number, who)) / 1024

    @property
    def start(self) -> float:
        """Alembic's own `current` in an empty project: interpreter, Alembic, driver, connection."""
        return self.wall("start", 0, PLAIN)

    def _of(self, what: str, number: int, who: str) -> Sequence[Sample]:
        found = self.samples.get((what, number, who))
        if not found:
            raise Missing
        return found


@dataclass(frozen=True)
class Goal:
    """One line of the table."""

    what: str
    unit: str
    figure: Callable[[Figures], float]
    most: Callable[[Figures], float]
    """The figure is to be no more than that."""
    said: str
    """The goal in words, with {small} and {large} for the numbers of migrations."""


def _per(figures: Figures, what: str) -> float:
    """Milliseconds a migration, from a run of one and a run of many."""
    ((many, _),) = [(n, who) for w, n, who in figures.samples if w == what and n > 1]
    return (figures.wall(what, many) - figures.wall(what, 1)) / (many - 1) * 1000


GOALS = (
    Goal(
        "import alembic",
        "x",
        lambda f: f.cpu("import", 0) / f.cpu("import", 0, PLAIN),
        lambda f: 1.05,
        "1.05 x without the plugin (CPU)",
    ),
    Goal(
        "upgrade head, {small}",
        "s",
        lambda f: f.wall("upgrade", f.small),
        lambda f: 0.7 * f.wall("upgrade", f.small, PLAIN),
        "0.7 x plain Alembic",
    ),
    Goal(
        "upgrade head, {small}",
        "s",
        lambda f: f.wall("upgrade", f.small),
        lambda f: 1.1 * f.wall("upgrade", f.small, FLOOR) + f.start,
        "1.1 x psql with a ledger + process start",
    ),
    Goal(
        "upgrade head, {small}, client CPU",
        "s",
        lambda f: f.cpu("upgrade", f.small),
        lambda f: 0.8 * f.cpu("upgrade", f.small, PLAIN),
        "0.8 x plain Alembic",
    ),
    Goal(
        "upgrade head, {large}",
        "s",
        lambda f: f.wall("upgrade", f.large),
        lambda f: 1.1 * f.wall("upgrade", f.large, "dbmate"),
        "1.1 x dbmate",
    ),
    Goal(
        "one more, {large}",
        "s",
        lambda f: f.wall("one more", f.large),
        lambda f: 0.6 * f.wall("one more", f.large, PLAIN),
        "0.6 x plain Alembic",
    ),
    Goal(
        "migration-status, {small}",
        "s",
        lambda f: f.wall("status", f.small),
        lambda f: f.start + 0.1,
        "process start + 0.1 s",
    ),
    Goal(
        "migration-status, {large}",
        "s",
        lambda f: f.wall("status", f.large),
        lambda f: f.start + 0.5,
        "process start + 0.5 s",
    ),
    Goal(
        "alembic current, {large}",
        "s",
        lambda f: f.wall("current", f.large),
        lambda f: 0.1 * f.wall("current", f.large, PLAIN),
        "without the quadratic walk (0.1 x plain)",
    ),
    Goal(
        "downgrade base, {large}",
        "s",
        lambda f: f.wall("downgrade base", f.large),
        lambda f: f.wall("downgrade base", f.large, PLAIN),
        "without the quadratic walk (1 x plain)",
    ),
    Goal(
        "rollback-db --all, {small}",
        "s",
        lambda f: f.wall("rollback all", f.small),
        lambda f: 1.2 * f.wall("rollback all", f.small, FLOOR) + f.start,
        "1.2 x psql with a ledger + process start",
    ),
    Goal(
        "rollback-db --last 100",
        "s",
        lambda f: f.wall("last 100", f.small),
        lambda f: 0.2 * f.wall("last 100", f.small, "dbmate"),
        "0.2 x dbmate",
    ),
    Goal(
        "dry run of one, {small} tables",
        "s",
        lambda f: f.wall("dry run", f.small),
        lambda f: f.start + 0.15,
        "process start + 0.15 s",
    ),
    Goal(
        "generate-down with proof, a migration",
        "ms",
        lambda f: _per(f, "generate, proven"),
        lambda f: 150,
        "150 ms",
    ),
    Goal(
        "generate-down, text only, a migration",
        "ms",
        lambda f: _per(f, "generate, text"),
        lambda f: 2,
        "2 ms",
    ),
    Goal(
        "peak memory of upgrade, {large}",
        "MB",
        lambda f: f.memory("upgrade", f.large),
        lambda f: f.memory("upgrade", f.large, PLAIN),
        "plain Alembic's",
    ),
)


@dataclass(frozen=True)
class Verdict:
    """A goal with its figure; None where this run has not measured what it needs."""

    goal: str
    said: str
    unit: str
    figure: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the figure is as it is to be."""
        if self.figure is None or self.most is None:
            return None
        return self.figure <= self.most


def judge(figures: Figures) -> Iterator[Verdict]:
    """Each goal with what was measured."""
    for goal in GOALS:
        what = goal.what.format(small=figures.small, large=figures.large)
        try:
            figure, most = goal.figure(figures), goal.most(figures)
        except (Missing, ValueError):
            yield Verdict(what, goal.said, goal.unit)
        else:
            yield Verdict(what, goal.said, goal.unit, figure, most)

"""What the tests of one session share: the project, the server, one walk over the history."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pytest

from alembic_rollback.errors import DatabaseError, RollbackError, UsageError
from alembic_rollback.scratch import ScratchServer, scratch_server
from alembic_rollback.testing.project import MigrationProject, read_project
from alembic_rollback.testing.scratch import ScratchProject
from alembic_rollback.verification import Verifier

Option = Callable[[pytest.Config, str], Any]


class Tests:
    """Everything is made when the first test needs it.

    option: the plugin's reading of an option or setting.
    """

    __test__ = False  # for whoever collects what its name begins with

    def __init__(self, config: pytest.Config, option: Option) -> None:
        self._config = config
        self._option: Callable[[str], Any] = partial(option, config)
        self._stack = ExitStack()
        self._unavailable: DatabaseError | None = None

    # What is configured

    def read(self) -> None:
        """Read the project and all options. Raises pytest.UsageError for what is wrong."""
        try:
            _ = self._project, self.skipped, self.rows, self.below
        except RollbackError as error:
            raise pytest.UsageError(f"alembic-rollback: {error}") from None

    @property
    def project(self) -> MigrationProject:
        """The project; what is wrong with it fails the test that asks."""
        try:
            return self._project
        except RollbackError as error:
            told = str(error)
        pytest.fail(f"alembic-rollback: {told}", pytrace=False)

    @cached_property
    def _project(self) -> MigrationProject:
        config = self._config
        return read_project(
            self._configuration(),
            self._option("name") or "alembic",
            (config.invocation_params.dir, config.rootpath),
            metadata=[spec.strip() for spec in self._option("metadata") if spec.strip()],
            models=self._option("models"),
            options=self._option("options"),
        )

    def _configuration(self) -> Path | None:
        """The command line's path is relative to where pytest was started, the ini file's to it."""
        given = self._option("config")
        if not given:
            return None
        typed = self._config.option.alembic_rollback_config is not None
        place = self._config.invocation_params.dir if typed else self._config.rootpath
        path: Path = place / given
        if not path.is_file():
            raise UsageError(f"There is no file {given}.")
        return path

    @property
    def strict(self) -> bool:
        """Whether another order of columns and lost rows fail, too."""
        return bool(self._option("strict"))

    @cached_property
    def rows(self) -> int:
        """How many rows each table gets before an up."""
        given = self._option("rows") or "3"
        if not given.isdecimal():
            raise UsageError(f"alembic_rollback_rows = {given!r} is not a number of rows.")
        return int(given)

    @cached_property
    def below(self) -> frozenset[str]:
        """The versions that aren't tested, because they are old."""
        above = self._option("above")
        if not above:
            return frozenset()
        return self._project.history.graph.cov([self._project.resolve(above)])

    @cached_property
    def skipped(self) -> Mapping[str, str]:
        """Versions and names of tests that are to be skipped, with the reasons."""
        from alembic_rollback.testing.checks import CHECKS

        found = {}
        for line in filter(None, (line.strip() for line in self._option("skip"))):
            name, _, reason = line.partition(" ")
            if not reason.strip():
                raise UsageError(f"alembic_rollback_skip: {line!r} has no reason.")
            found[name if name in CHECKS else self._project.resolve(name)] = reason.strip()
        return found

    # What is made

    @cached_property
    def server(self) -> ScratchServer:
        """The server. Raises DatabaseError where there is none."""
        url = self._option("scratch_url") or self.project.scratch_url
        return self._stack.enter_context(scratch_server(url))

    def verifier(self, wanted: Collection[str]) -> Verifier:
        """The walk. wanted: the versions of all the tests that this process runs.

        Raises DatabaseError where there is no server: once, then it skips.
        """
        if self._unavailable is not None:
            pytest.skip(f"there is no scratch database: {self._unavailable.what}")
        try:
            return self._verifier(frozenset(wanted))
        except DatabaseError as error:
            self._unavailable = error
            raise

    def _verifier(self, wanted: frozenset[str]) -> Verifier:
        if "_made" not in self.__dict__:
            project = self.project
            self._made = Verifier(
                project.config,
                project.history,
                self.server,
                rows=self.rows,
                opts=project.opts,
                wanted=wanted,
            )
        return self._made

    @contextmanager
    def scratch(self) -> Iterator[ScratchProject]:
        """A database for the fixture."""
        try:
            database, told = self.server.create(), ""
        except DatabaseError as error:
            database, told = None, str(error)
        if database is None:
            pytest.fail(f"alembic-rollback: {told}", pytrace=False)
        with database, database.engine() as engine:
            yield ScratchProject(self.project, self.server, database, engine)

    def close(self) -> None:
        """Remove what was made."""
        made = self.__dict__.pop("_made", None)
        if made is not None:
            with suppress(Exception):  # the server is lost, or goes now
                made.close()
        self._stack.close()
        self.__dict__.pop("server", None)

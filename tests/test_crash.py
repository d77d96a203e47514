"""Some of the crash harness's cases: the same ones each time, spread over every scenario.

`make crash` runs all of them; what they are is in `tests/crash`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.scenarios import SCENARIOS

CASES_OF_EACH = 4


@pytest.mark.skipif(sys.platform == "win32", reason="the harness forks")
def test_what_a_kill_leaves_is_whole_or_said_to_be_partial(
    record_property: Callable[[str, object], None],
) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.crash", "--quick", "--limit", str(CASES_OF_EACH), "-j", "2"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    record_property("counts", f"crash harness: {answer.stdout.splitlines()[-1]}")


def test_scenarios_have_names_of_their_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len(set(names))

"""Pages whose console blocks are run, word for word, in a real shell.

A console block is commands after `$ ` and what they print. A block with `title="FILE"` is a file,
written as it is shown. `<!-- run: COMMAND -->` and `<!-- file: FILE`, with its text up to `-->`,
are what a reader has already. Of what is printed only what cannot be the same twice is not
compared: see `plain`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import ndiff
from pathlib import Path

from sqlalchemy.engine import URL

from docs.generated import expanded

_BLOCK = re.compile(
    r"^```console\n(?P<console>\$ .*?)^```$"
    r'|^```\w+ title="(?P<file>[^"]+)"\n(?P<text>.*?)^```$'
    r"|^<!-- file: (?P<given>\S+)\n(?P<content>.*?)^-->$"
    r"|^<!-- run: (?P<hidden>.+?) -->$",
    re.DOTALL | re.MULTILINE,
)
_PROMPT = re.compile(r"^Type '\w+' to confirm: (\w+)$", re.MULTILINE)
SECONDS = 300
"""After which a command is taken to hang."""
ROOT = Path(__file__).parent.parent


def page(name: str) -> str:
    """A page of docs/ as its readers see it, with what it takes from the code."""
    return expanded((ROOT / "docs" / name).read_text())


@dataclass(frozen=True)
class Command:
    """A line that is typed, and what it prints; None where that isn't shown."""

    line: str
    printed: str | None


@dataclass(frozen=True)
class File:
    """A file to be written."""

    path: str
    text: str


def steps(page: str) -> list[Command | File]:
    """What a reader of the page does, in order."""
    found: list[Command | File] = []
    for block in _BLOCK.finditer(page):
        if block["file"]:
            found.append(File(block["file"], block["text"]))
        elif block["given"]:
            found.append(File(block["given"], block["content"]))
        elif block["hidden"]:
            found.append(Command(block["hidden"], None))
        else:
            found += _commands(block["console"])
    return found


def _commands(block: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        # A line that ends in \ goes on in the next one, as in a shell.
        typed = re.match(r"(?:.*\\\n)*.*", part)
        assert typed is not None
        yield Command(typed[0], part[typed.end() + 1 :])


def play(page: Path, folder: Path, url: URL, *first: Path) -> None:
    """Do what the page says in a folder, with DATABASE_URL; fail where it prints something else.

    first: where commands are looked for before the environment's own directory.
    """
    env = environment(url)
    env["PATH"] = os.pathsep.join([*map(str, first), env["PATH"]])
    code = 0
    for step in steps(page.read_text()):
        if isinstance(step, File):
            path = folder / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text)
            continue
        # `$?` is that of the command before, as it is for who types this.
        code, printed = _run(f"(exit {code})\n{step.line}", step.printed or "", folder, env)
        if step.printed is None:
            assert code == 0, printed
        else:
            shown = plain(printed.replace(f"{folder}{os.sep}", ""))
            differs = list(ndiff(plain(step.printed).splitlines(), shown.splitlines()))
            assert plain(step.printed) == shown, "\n".join([f"$ {step.line}", *differs])


def environment(url: URL) -> dict[str, str]:
    """That of somebody who has installed the package into an environment and activated it."""
    left_out = ("NO_COLOR", "FORCE_COLOR", "ALEMBIC_CONFIG", "CI")
    inherited = {key: value for key, value in os.environ.items() if key not in left_out}
    shown = url.render_as_string(hide_password=False).replace("%2F", "/")
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}"
    more = {"DATABASE_URL": shown, "PATH": path, "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}
    return {**inherited, **more}


def _run(line: str, expected: str, folder: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """Run a line in bash; on a terminal, and answering, where the page shows a prompt."""
    answers = _PROMPT.findall(expected)
    if answers:
        return _talk(line, answers, folder, env)
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=SECONDS,
    )
    return done.returncode, done.stdout


def _talk(line: str, answers: list[str], folder: Path, env: Mapping[str, str]) -> tuple[int, str]:
    import pexpect

    child = pexpect.spawn(
        "bash",
        ["-c", line],
        cwd=str(folder),
        env={**env, "TERM": "xterm", "NO_COLOR": "1"},  # type: ignore[arg-type]
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(50, 200),
    )
    said = ""
    for answer in answers:
        child.expect("to confirm: ")
        said += child.before + child.after
        child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, (said + child.before).replace("\r\n", "\n")


def plain(printed: str) -> str:
    """Without what differs from run to run: hashes, versions, times, today's date, who runs it."""
    for pattern, shown in (
        (r"\b[0-9a-f]{64}\b", "HASH"),
        (r"PostgreSQL \d+\.\d+", "PostgreSQL 18.6"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?", "TIME"),
        (r"\b\d+(\.\d+)? (ms|s)\b", "TIME"),
        (r"applied \d+ (second|minute)s? ago", "applied just now"),
        (rf"\b{datetime.now():%Y%m%d}_", "20260113_"),
        (rf"(?m)^-- Created: {datetime.now():%Y-%m-%d}$", "-- Created: 2026-01-13"),
        (r"(?m)^-- Author: .+$", "-- Author: you"),
    ):
        printed = re.sub(pattern, shown, printed)
    return printed

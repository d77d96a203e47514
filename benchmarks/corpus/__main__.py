"""Does generate-down give downs that restore the schema? Measured on other people's migrations.

    python -m benchmarks.corpus DIR... [--state none] [--human [--verify]] [--judge facts]
    python -m benchmarks.corpus DIR... --state replay --state none --verify

A folder holds one project's migrations in order: `NNNN_name.up.sql`, `NNNN_name.down.sql` (what
the project itself wrote, read with --human only), and perhaps `NNNN_name.aux.sql`, which is
applied in its place and not judged. Every up is judged with the true history behind it: its down is
derived on a database that stands right before it, then run on a copy that stands right after it,
and pg_dump says whether the schema is what it was. Exit code 1 when a down was wrong.

`course` leads a folder's files through a database, `claims` are the downs to be judged, `judges`
(`dumps`) say what became of the schema, `verifying` asks verify-down, `report` prints.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from alembic_rollback.pairs import UP
from benchmarks.corpus.course import measure
from benchmarks.corpus.model import HUMAN, NONE, REPLAY, Wish
from benchmarks.corpus.report import report


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.corpus",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument(
        "--state", choices=(REPLAY, NONE), action="append",
        help="derive with the database right before the up, or from the text alone; or both",
    )  # fmt: skip
    parser.add_argument(
        "--judge", choices=("auto", "dump", "facts"), default="auto",
        help="pg_dump, or our own catalog facts; auto: pg_dump where there is one",
    )  # fmt: skip
    parser.add_argument("--human", action="store_true", help="judge the folders' own downs, too")
    parser.add_argument(
        "--verify", action="store_true", help="with --human: does verify-down say the same?"
    )
    parser.add_argument(
        "--rows", type=int, default=0, metavar="N",
        help="with --verify: rows in each table (default: none, as the judge has it)",
    )  # fmt: skip
    parser.add_argument("--only", action="append", metavar="GLOB", help="judge only these ups")
    parser.add_argument("--url", default="", help="a server to use; else embedded ones")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="folders at once")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, too")
    parser.add_argument("--show", action="store_true", help="print every verdict with its down")
    found = parser.parse_args()
    for folder in found.folders:
        if not any(folder.glob(f"*{UP}")):
            parser.error(f"{folder} holds no *{UP}")
    return found


def main() -> int:
    given = options()
    human = (HUMAN,) if given.human or given.verify else ()
    states = tuple(dict.fromkeys(given.state or (() if human else (REPLAY,))))
    only = tuple(given.only or ())
    wish = Wish((*states, *human), given.judge, given.verify, only, given.url, given.rows)
    work = partial(measure, wish=wish)
    if given.jobs > 1:
        # The longest first; told in the order of the command line.
        order = sorted(given.folders, key=lambda one: -len(list(one.glob(f"*{UP}"))))
        with ProcessPoolExecutor(given.jobs) as pool:
            done = dict(zip(order, pool.map(work, order), strict=True))
        folders = [done[one] for one in given.folders]
    else:
        folders = [work(one) for one in given.folders]
    found = report(folders, wish, show=given.show)
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(any(one.at_fault for one in folders))


if __name__ == "__main__":
    sys.exit(main())

"""What the reference takes from the code, wherever a page says `<!-- generated: NAME -->`.

MkDocs calls `on_page_markdown` for each page; the tests call `expanded`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import griffe

from alembic_rollback import cli, errors
from alembic_rollback.settings import DEFAULT_LEVELS

_MARK = re.compile(r"^<!-- generated: (\S+)(?: (\S+))? -->$", re.MULTILINE)
_GAP = re.compile(r"(.*?)(?:( {2,})(\S.*))?$")
_PACKAGE = Path(cli.__file__).parent.parent


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs' event: a page's Markdown before it is rendered."""
    return expanded(markdown)


def expanded(markdown: str) -> str:
    """The page with everything in it that comes from the code. KeyError for an unknown mark."""
    return _MARK.sub(lambda mark: _MAKERS[mark[1]](*filter(None, [mark[2]])), markdown)


def command(name: str) -> str:
    """Usage, examples and options of a subcommand, as click has them."""
    found = cli.find(name)
    context = click.Context(found, info_name=f"alembic {name}")
    usage = found.get_usage(context).removeprefix("Usage: ")
    options = (one for one in found.params if isinstance(one, click.Option))
    records = (option.get_help_record(context) for option in options)
    rows = [(f"`{names}`", text) for names, text in filter(None, records)]
    examples = "\n".join(_examples(found))
    return f"```text\n{usage}\n```\n\n```sh\n{examples}\n```\n\n{_table(('option', ''), rows)}"


def _examples(found: click.Command) -> Iterable[str]:
    r"""The lines of the paragraph that begins with \b: click prints them as they stand."""
    for paragraph in inspect.cleandoc(found.help or "").split("\n\n"):
        mark, _, lines = paragraph.partition("\n")
        if mark == "\b":
            for line in lines.splitlines():
                typed, gap, note = _GAP.match(line).groups()  # type: ignore[union-attr]
                yield f"{typed}{gap}# {note}" if note else typed


def settings() -> str:
    """Every field of Settings: its default and its docstring."""
    rows = []
    for attribute in _attributes("settings", "Settings"):
        default = str(attribute.value)
        if default.startswith("field("):
            default = "{}" if "factory" in default else '""'
        shown = f"`{_bare(default)}`" if _bare(default) else "none"
        rows.append((f"`{attribute.name}`", shown, _docstring(attribute)))
    return _table(("key", "default", "meaning"), rows)


def checks() -> str:
    """Every built-in check: its level, and what its module says of it."""
    rows = []
    for name, level in sorted(DEFAULT_LEVELS.items()):
        module = import_module(f"alembic_rollback.checks.rules.{name}")
        rows.append((f"`{name}`", f"`{level}`", _line(module.__doc__)))
    return _table(("check", "default", "finds"), rows)


def exceptions() -> str:
    """Every class of alembic_rollback.errors: what it is a kind of, its exit code, its meaning."""
    rows = []
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, errors.RollbackError):
            base = value.__base__
            kind = f"`{base.__name__}`" if base else ""
            rows.append((f"`{name}`", kind, str(value.exit_code), _line(value.__doc__)))
    return _table(("class", "is a", "exit code", "meaning"), rows)


_MAKERS: dict[str, Callable[..., str]] = {
    "checks": checks,
    "command": command,
    "exceptions": exceptions,
    "settings": settings,
}


def _attributes(module: str, name: str) -> Iterable[griffe.Attribute]:
    """The fields of a class, with the docstrings under them, which Python itself drops."""
    loaded = griffe.load("alembic_rollback", search_paths=[_PACKAGE.parent], submodules=True)
    members = loaded[f"{module}.{name}"].members.values()
    return [one for one in members if isinstance(one, griffe.Attribute)]


def _docstring(attribute: griffe.Attribute) -> str:
    if attribute.docstring is None:
        raise ValueError(f"{attribute.path} has no docstring.")
    return _line(attribute.docstring.value)


def _bare(default: str) -> str:
    """A default as one writes it in alembic.ini."""
    text = default.strip("\"'")
    return text.replace("_", "") if text.replace("_", "").isdigit() else text


def _line(text: str | None) -> str:
    """The first paragraph, on one line."""
    return " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

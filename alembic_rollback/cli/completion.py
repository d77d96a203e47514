"""What the shell completes for `alembic-rollback`: versions, from the files alone."""

from __future__ import annotations

from collections.abc import Callable

from click import Context, Parameter
from click.shell_completion import CompletionItem

Complete = Callable[[Context, Parameter, str], list[CompletionItem]]


def versions(*words: str, or_file: bool = False) -> Complete:
    """Completes versions and some words; or_file: paths, where none of these fits."""

    def complete(context: Context, _: Parameter, incomplete: str) -> list[CompletionItem]:
        known = {**dict.fromkeys(words, ""), **_versions(context)}
        given = {
            one for value in context.params.values() if isinstance(value, tuple) for one in value
        }
        found = [
            CompletionItem(version, help=name or None)
            for version, name in sorted(known.items())
            if version.startswith(incomplete) and version not in given
        ]
        return found or ([CompletionItem(incomplete, type="file")] if or_file else [])

    return complete


def _versions(context: Context) -> dict[str, str]:
    from alembic_rollback.host.listing import listed

    options = context.find_root().params
    try:
        return listed(options.get("files") or (), options.get("section") or "alembic")
    except Exception:  # a shell that completes has no place for an error
        return {}

"""Warnings of migrations are not what is tested here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Let no warning of a revision become an error, as `filterwarnings = error` would have it.

    Which test it would come up in depends on which revisions were run for it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

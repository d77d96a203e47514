"""Ctrl-C while a statement runs.

A driver that waits for the server in C (psycopg2) lets Python handle a signal only afterwards,
which may be hours away. So a thread listens for it and asks the server to cancel the statement.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_ACTIVE = 1
"""PQTRANS_ACTIVE: a statement is running."""


@contextmanager
def interruptible(connection: Connection) -> Iterator[None]:
    """Until the end of the block, Ctrl-C cancels what runs on the connection."""
    driver: Any = connection.connection.dbapi_connection
    if not _can(driver):
        yield
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=_listen, args=(ours, driver), daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        theirs.close()
        thread.join()
        ours.close()


def _can(driver: Any) -> bool:
    """Whether signals come to this thread as usual, and the driver can cancel."""
    return (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        and hasattr(driver, "cancel")
        and hasattr(driver, "info")
    )


def _listen(signals: socket.socket, driver: Any) -> None:
    while numbers := signals.recv(16):
        # Between statements there is nothing to cancel; Python raises KeyboardInterrupt itself.
        if signal.SIGINT in numbers and driver.info.transaction_status == _ACTIVE:
            with suppress(Exception):
                driver.cancel()

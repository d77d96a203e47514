"""What a server says about itself in its data directory."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from alembic_rollback.embedded import watcher as watching

NAME = "postmaster.pid"
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # the shortest question that a server answers


@dataclass(frozen=True)
class Pidfile:
    """What a server wrote into its data directory's postmaster.pid."""

    pid: int
    port: int
    socket_dir: Path
    ready: bool

    def answers(self) -> bool:
        """Return whether a server answers on the socket.

        Connecting isn't enough: the kernel accepts for a server that is just being killed.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5.0)
            try:
                connection.connect(str(self.socket_dir / f".s.PGSQL.{self.port}"))
                connection.sendall(_SSL_REQUEST)
                return connection.recv(1) != b""
            except OSError:
                return False


def read_pidfile(data: Path) -> Pidfile | None:
    """Return the contents of the pid file; None when it is missing, empty or half written."""
    try:
        lines = (data / NAME).read_text(errors="replace").splitlines()
        last = lines[7] if len(lines) > 7 else ""
        return Pidfile(int(lines[0]), int(lines[3]), Path(lines[4]), last.strip() == "ready")
    except (OSError, ValueError, IndexError):
        return None


def may_be_server(pid: int, data: Path) -> bool:
    """Return whether process `pid` may be the server of `data`, when nothing else tells.

    After a power cut or in a restarted container, the recorded id often belongs to a stranger,
    even to another server. In doubt the answer is yes; PostgreSQL then decides itself.
    """
    if not watching.alive(pid):
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return True
    if Path(command[0]).name not in ("postgres", "postmaster"):
        return False  # a server's own children are called "postgres: …"
    return "-D" not in command or str(data) in command

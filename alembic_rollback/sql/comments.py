"""White space and comments, by PostgreSQL's lexical rules (SQL Syntax, 4.1.5); no parser needed."""

from __future__ import annotations

SPACE = " \t\n\r\f\v"
_SPACES = SPACE.encode()


def skip_space_and_comments(source: bytes, start: int, end: int) -> int:
    """Where the first thing that is neither begins."""
    while start < end:
        if source[start] in _SPACES:
            start += 1
            continue
        comment_end = _comment_end(source, start, end)
        if comment_end == start:
            break
        start = comment_end
    return start


def leading_line_comments(text: str) -> list[str]:
    """The `--` comments before the first statement, without their line ends."""
    if not text.lstrip(SPACE).startswith(("--", "/*")):
        return []
    source, start, found = text.encode(), 0, []
    while start < len(source):
        comment_end = _comment_end(source, start, len(source))
        if source.startswith(b"--", start):
            found.append(source[start:comment_end].decode().strip())
            start = comment_end
        elif comment_end > start:
            start = comment_end
        elif source[start] in _SPACES:
            start += 1
        else:
            break
    return found


def _comment_end(source: bytes, start: int, end: int) -> int:
    """Where the comment at `start` ends; `start` itself where there is none."""
    if source.startswith(b"--", start):
        ends = (source.find(line_end, start, end) for line_end in (b"\n", b"\r"))
        return min((found + 1 for found in ends if found >= 0), default=end)
    if source.startswith(b"/*", start):
        return _block_end(source, start, end)
    return start


def _block_end(source: bytes, start: int, end: int) -> int:
    depth = 0
    while start < end:
        if source.startswith(b"/*", start):
            depth, start = depth + 1, start + 2
        elif source.startswith(b"*/", start):
            depth, start = depth - 1, start + 2
            if not depth:
                return start
        else:
            start += 1
    return end

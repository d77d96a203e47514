"""Texts that a regular expression matches: for checks such as `code ~ '^[A-Z]{3}$'`.

Only what people write in checks: characters, classes, groups, alternatives, repetitions. A text
that doesn't match after all is sorted out by the server.
"""

from __future__ import annotations

_CLASSES = {
    "D": "abcdefghijklmnopqrstuvwxyz",
    "S": "abcdefghijklmnopqrstuvwxyz0123456789",
    "W": " -.",
    "d": "0123456789",
    "s": " ",
    "w": "abcdefghijklmnopqrstuvwxyz0123456789",
}
_NAMED = {
    "alpha": "abcdefghijklmnopqrstuvwxyz",
    "alnum": "abcdefghijklmnopqrstuvwxyz0123456789",
    "digit": "0123456789",
    "lower": "abcdefghijklmnopqrstuvwxyz",
    "space": " ",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "xdigit": "0123456789abcdef",
}
_ANY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_.,:/@"
_REPEATED = {"*": (0, 3), "+": (1, 4), "?": (0, 1)}


class _NotRead(ValueError):
    """The pattern has something that is not known here."""


def samples(pattern: str, count: int) -> list[str]:
    """Up to `count` different texts for a pattern; none for what is no pattern or not known."""
    if not any(sign in pattern for sign in "^$[\\"):
        return []
    found: dict[str, None] = {}
    for number in range(count):
        try:
            found[_Sample(pattern, number).whole()] = None
        except (_NotRead, IndexError, ValueError):
            break
    return list(found)


class _Sample:
    """Reads the pattern once and writes one text; the number makes the choices."""

    def __init__(self, pattern: str, number: int) -> None:
        self.pattern, self.number, self.place = pattern, number, 0
        self.left = number

    def whole(self) -> str:
        text = self.alternatives()
        if self.place < len(self.pattern):
            raise _NotRead
        return text

    def alternatives(self) -> str:
        found = [self.sequence()]
        while self.peek() == "|":
            self.place += 1
            found.append(self.sequence())
        return self.choose(found)

    def sequence(self) -> str:
        text = ""
        while self.place < len(self.pattern) and self.peek() not in "|)":
            text += self.repeated()
        return text

    def repeated(self) -> str:
        start = self.place
        piece = self.piece()
        least, most = self.bounds()
        after = self.place
        if most == 0:
            return ""
        pieces = [piece] if max(least, min(most, 1)) else []
        for _ in range(1, max(least, min(most, 3))):
            self.place = start
            pieces.append(self.piece())
        self.place = after
        return "".join(pieces)

    def bounds(self) -> tuple[int, int]:
        sign = self.peek()
        if sign in _REPEATED:
            found = _REPEATED[sign]
            self.place += 1
        elif sign == "{":
            end = self.pattern.index("}", self.place)
            least, comma, most = self.pattern[self.place + 1 : end].partition(",")
            self.place = end + 1
            found = int(least), int(most) if most else int(least) + (3 if comma else 0)
        else:
            return 1, 1
        if self.peek() == "?":
            self.place += 1
        return found

    def piece(self) -> str:
        sign = self.take()
        if sign in "^$":
            return ""
        if sign == "(":
            return self.group()
        if sign == "[":
            return self.choose(self.members())
        if sign == "\\":
            return self.escaped()
        return self.choose(_ANY) if sign == "." else sign

    def group(self) -> str:
        if self.peek() == "?":
            if self.pattern[self.place : self.place + 2] != "?:":
                raise _NotRead
            self.place += 2
        text = self.alternatives()
        if self.take() != ")":
            raise _NotRead
        return text

    def escaped(self) -> str:
        sign = self.take()
        if sign in _CLASSES:
            return self.choose(_CLASSES[sign])
        if sign in "AZmMyY":
            return ""
        if sign.isalnum():
            raise _NotRead
        return sign

    def members(self) -> str:
        """The characters of a class; after ^ those of the usual ones that are not in it."""
        negated = self.peek() == "^"
        self.place += negated
        found = ""
        while self.peek() != "]" or not found:
            found += self.member()
        self.place += 1
        return "".join(one for one in _ANY if one not in found) if negated else found

    def member(self) -> str:
        sign = self.take()
        if sign == "[" and self.peek() == ":":
            end = self.pattern.index(":]", self.place)
            name = self.pattern[self.place + 1 : end]
            self.place = end + 2
            return _NAMED.get(name) or self.refuse()
        if sign == "\\":
            sign = self.take()
            if sign in _CLASSES:
                return _CLASSES[sign]
        if self.peek() == "-" and self.pattern[self.place + 1] != "]":
            self.place += 1
            return "".join(map(chr, range(ord(sign), ord(self.take()) + 1)))
        return sign

    def choose(self, among: str | list[str]) -> str:
        if len(among) == 1:
            return among[0]
        self.left, digit = divmod(self.left, len(among))
        return among[digit]

    def peek(self) -> str:
        return self.pattern[self.place] if self.place < len(self.pattern) else "\0"

    def take(self) -> str:
        sign = self.pattern[self.place]
        self.place += 1
        return sign

    def refuse(self) -> str:
        raise _NotRead

"""The words of a text that need not be SQL that parses: the body of a function."""

from __future__ import annotations


def identifiers(text: str) -> frozenset[str]:
    """The identifiers in a text, by PostgreSQL's own scanner; comments and strings left out.

    Empty for what the scanner cannot read. Folded to lower case unless quoted.
    """
    from postgast import PgQueryError, pg_query_pb2, scan

    try:
        tokens = scan(text).tokens
    except PgQueryError:
        return frozenset()
    source = text.encode()
    found = set()
    for token in tokens:
        if token.token in (pg_query_pb2.SQL_COMMENT, pg_query_pb2.C_COMMENT, pg_query_pb2.SCONST):
            continue
        word = source[token.start : token.end].decode(errors="replace")
        quoted = word.startswith('"')
        found.add(word[1:-1].replace('""', '"') if quoted else word.lower())
    return frozenset(found)

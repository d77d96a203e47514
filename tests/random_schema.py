"""Random schemas and random downs for them: everything that hangs on something else."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

NAMES = ["orders", "Items", "user data", "größe", "line-no", "t%x", 'quo"te', "select", "x:y", "a"]
COLUMNS = ["id", "code", "Total", "note text", "ref", "who", "status", "amount"]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclass
class Table:
    name: str
    """As it is written, quoted and with its schema."""
    columns: dict[str, str]
    kind: str = "table"
    """`table`, `partitioned`, `partition` or `child`."""
    constraints: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    triggers: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)
    identity: str = ""
    parent: Table | None = None
    schema: str = "public"
    secured: bool = False


class RandomSchema:
    """Makes one schema; remembers what there is, so that downs name real things."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.statements: list[str] = []
        self.tables: list[Table] = []
        self.views: list[str] = []
        self.matviews: list[str] = []
        self.types: list[str] = []
        self.functions: list[str] = []
        self.sequences: list[str] = []
        self.collations: list[str] = []
        self.statistics: list[str] = []
        self.domains: list[list[str]] = []
        """Each with the name of its constraint."""
        self.app = "App"
        """What the schema beside public is called by now."""
        self.publications: list[tuple[str, Table]] = []
        self.schemas = ["public"]
        self.number = 0

    # What there is

    def create(self) -> list[str]:
        rng = self.rng
        if rng.random() < 0.6:
            self.schemas.append("App")
            self.add('CREATE SCHEMA "App"')
        for _ in range(rng.randint(0, 2)):
            self.new_type()
        for _ in range(rng.randint(0, 1)):
            self.new_sequence()
        if rng.random() < 0.2:
            self.new_collation()
        for _ in range(rng.randint(1, 5)):
            self.new_table()
        makers = [
            (self.new_foreign_key, 3),
            (self.new_view, 4),
            (self.new_index, 2),
            (self.new_policy, 2),
            (self.new_function, 2),
            (self.new_trigger, 1),
            (self.new_publication, 1),
            (self.new_statistics, 1),
            (self.new_check, 1),
            (self.new_default, 1),
            (self.new_rule, 1),
        ]
        for make in rng.choices(
            [one for one, _ in makers], [weight for _, weight in makers], k=rng.randint(2, 12)
        ):
            make()
        return self.statements

    def add(self, sql: str) -> None:
        self.statements.append(sql)

    def name(self, kind: str) -> str:
        self.number += 1
        return quoted(f"{self.rng.choice(NAMES)}_{kind}{self.number}")

    def placed(self, kind: str) -> tuple[str, str]:
        schema = self.rng.choice(self.schemas)
        name = self.name(kind)
        if schema == "public" and self.rng.random() < 0.5:
            return name, schema
        return f"{quoted(schema)}.{name}", schema

    def new_type(self) -> None:
        name, _ = self.placed("type")
        kind = self.rng.choice(["enum", "domain", "composite"])
        constraint = self.name("chk")
        body = {
            "enum": "TYPE {} AS ENUM ('new', 'done')",
            "domain": f"DOMAIN {{}} AS int CONSTRAINT {constraint} CHECK (VALUE > 0)",
            "composite": "TYPE {} AS (a int, b text)",
        }[kind]
        self.add("CREATE " + body.format(name))
        self.types.append(name)
        if kind == "domain":
            self.domains.append([name, constraint])

    def new_collation(self) -> None:
        name, _ = self.placed("coll")
        self.add(f'CREATE COLLATION {name} FROM "C"')
        self.collations.append(name)

    def new_sequence(self) -> None:
        name, _ = self.placed("seq")
        self.add(f"CREATE SEQUENCE {name}")
        self.sequences.append(name)

    def new_table(self) -> None:
        rng = self.rng
        plain = [t for t in self.tables if t.kind in ("table", "child")]
        parts = [t for t in self.tables if t.kind == "partitioned"]
        if parts and rng.random() < 0.5:
            self.new_partition(rng.choice(parts))
            return
        name, schema = self.placed("t")
        columns = self.new_columns()
        if plain and rng.random() < 0.25:
            parent = rng.choice(plain)
            own = {c: t for c, t in columns.items() if c not in parent.columns}
            listed = ", ".join(f"{quoted(c)} {t}" for c, t in own.items())
            self.add(f"CREATE TABLE {name} ({listed}) INHERITS ({parent.name})")
            child = Table(name, {**parent.columns, **own}, "child", parent=parent, schema=schema)
            self.tables.append(child)
            return
        table = Table(name, columns, schema=schema)
        listed_ = [f"{quoted(c)} {t}" for c, t in columns.items()]
        if rng.random() < 0.25:
            table.kind = "partitioned"
            self.add(f"CREATE TABLE {name} ({', '.join(listed_)}) PARTITION BY RANGE (id)")
            self.tables.append(table)
            for _ in range(rng.randint(0, 2)):
                self.new_partition(table)
            return
        if rng.random() < 0.3:
            listed_[0] = "id int GENERATED ALWAYS AS IDENTITY"
            table.identity = "id"
        elif rng.random() < 0.3:
            listed_[0] = "id serial"
        if rng.random() < 0.3:
            listed_.append("twice int GENERATED ALWAYS AS (id * 2) STORED")
            table.columns["twice"] = "int"
        if rng.random() < 0.7:
            constraint = self.name("key")
            listed_.append(f"CONSTRAINT {constraint} PRIMARY KEY (id)")
            table.constraints.append(constraint)
        self.add(f"CREATE TABLE {name} ({', '.join(listed_)})")
        self.tables.append(table)

    def new_columns(self) -> dict[str, str]:
        chosen = self.rng.sample(COLUMNS[1:], self.rng.randint(1, 4))
        kinds = ["int", "text", "numeric", *self.types]
        kinds += [f"text COLLATE {name}" for name in self.collations]
        return {"id": "int", **{c: self.rng.choice(kinds) for c in chosen}}

    def new_partition(self, parent: Table) -> None:
        name, schema = self.placed("part")
        self.number += 1
        bounds = f"FROM ({self.number * 10}) TO ({self.number * 10 + 10})"
        self.add(f"CREATE TABLE {name} PARTITION OF {parent.name} FOR VALUES {bounds}")
        self.tables.append(
            Table(name, dict(parent.columns), "partition", parent=parent, schema=schema)
        )

    def some(self, *kinds: str) -> Table | None:
        found = [t for t in self.tables if not kinds or t.kind in kinds]
        return self.rng.choice(found) if found else None

    def new_foreign_key(self) -> None:
        target = self.rng.choice(self.tables)
        table = self.some("table", "partitioned")
        if table is None or target.kind in ("partitioned", "partition", "child"):
            return
        if not target.constraints or "PRIMARY" not in "".join(self.statements):
            return
        column = self.rng.choice([c for c, t in table.columns.items() if t == "int"])
        if column == "twice" or not any(
            "PRIMARY KEY (id)" in s and s.startswith(f"CREATE TABLE {target.name} ")
            for s in self.statements
        ):
            return
        name = self.name("fk")
        more = self.rng.choice(["", " ON DELETE CASCADE"])
        self.add(
            f"ALTER TABLE {table.name} ADD CONSTRAINT {name} FOREIGN KEY ({quoted(column)}) "
            f"REFERENCES {target.name} (id){more}"
        )
        table.constraints.append(name)

    def new_view(self) -> None:
        name, _ = self.placed("view")
        sources = [t.name for t in self.tables]
        if self.views and self.rng.random() < 0.4:
            source, columns = self.rng.choice(self.views), "*"
        else:
            table = self.rng.choice(self.tables)
            source = table.name
            chosen = self.rng.sample(list(table.columns), self.rng.randint(1, len(table.columns)))
            columns = ", ".join(quoted(c) for c in chosen)
        more = ""
        if self.rng.random() < 0.2:
            more = f" WHERE EXISTS (SELECT 1 FROM {self.rng.choice(sources)})"
        if self.rng.random() < 0.25:
            self.add(f"CREATE MATERIALIZED VIEW {name} AS SELECT {columns} FROM {source}{more}")
            self.matviews.append(name)
        else:
            self.add(f"CREATE VIEW {name} AS SELECT {columns} FROM {source}{more}")
            self.views.append(name)

    def new_index(self) -> None:
        table = self.rng.choice(self.tables)
        name = self.name("idx")
        columns = [c for c, t in table.columns.items() if t in ("int", "text", "numeric")]
        column = self.rng.choice(columns)
        expression = quoted(column)
        if self.rng.random() < 0.2:
            expression = (
                f"(({quoted(column)})::text)" if table.columns[column] == "int" else expression
            )
        self.add(f"CREATE INDEX {name} ON {table.name} ({expression})")
        table.indexes.append(name if table.schema == "public" else f"{quoted(table.schema)}.{name}")

    def new_policy(self) -> None:
        table = self.rng.choice(self.tables)
        name = self.name("policy")
        columns = [c for c, t in table.columns.items() if t == "int"]
        column = quoted(self.rng.choice(columns))
        test = f"{column} > 0"
        if self.rng.random() < 0.3:
            test = f"{column} IN (SELECT id FROM {self.rng.choice(self.tables).name})"
        self.add(f"CREATE POLICY {name} ON {table.name} USING ({test})")
        table.policies.append(name)

    def new_function(self) -> None:
        name, _ = self.placed("fn")
        table = self.rng.choice(self.tables)
        kind = self.rng.choice(["row", "body", "string", "type"])
        if kind == "row":
            arguments = f"r {table.name}"
            body = "RETURNS int LANGUAGE sql AS 'SELECT 1'"
            shown = f"{name}({table.name})"
        elif kind == "body":
            arguments, shown = "", f"{name}()"
            column = quoted(self.rng.choice(list(table.columns)))
            body = (
                f"RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count({column}) "
                f"FROM {table.name}; END"
            )
        elif kind == "type" and self.types:
            arguments = f"v {self.rng.choice(self.types)}"
            shown = f"{name}({arguments[2:]})"
            body = "RETURNS int LANGUAGE sql AS 'SELECT 1'"
        else:
            arguments, shown = "a int, b text", f"{name}(int, text)"
            body = "RETURNS int LANGUAGE sql AS 'SELECT 1'"
        self.add(f"CREATE FUNCTION {name}({arguments}) {body}")
        self.functions.append(shown)

    def new_trigger(self) -> None:
        table = self.rng.choice(self.tables)
        function, _ = self.placed("tf")
        name = self.name("trg")
        self.add(
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
            "AS 'BEGIN RETURN NULL; END'"
        )
        of = ""
        if self.rng.random() < 0.4:
            of = f" OF {quoted(self.rng.choice(list(table.columns)))}"
        self.add(
            f"CREATE TRIGGER {name} AFTER UPDATE{of} ON {table.name} FOR EACH ROW "
            f"EXECUTE FUNCTION {function}()"
        )
        self.functions.append(f"{function}()")
        table.triggers.append(name)

    def new_publication(self) -> None:
        table = self.some("table")
        if table is None:
            return
        name = self.name("pub")
        self.add(f"CREATE PUBLICATION {name} FOR TABLE {table.name}")
        self.publications.append((name, table))

    def new_statistics(self) -> None:
        table = self.some("table")
        columns = [c for c, t in table.columns.items() if t in ("int", "text")] if table else []
        columns = [c for c in columns if c != "twice"]
        if table is None or len(columns) < 2:
            return
        name, _ = self.placed("stat")
        self.add(
            f"CREATE STATISTICS {name} ON {quoted(columns[0])}, {quoted(columns[1])} "
            f"FROM {table.name}"
        )
        self.statistics.append(name)

    def new_check(self) -> None:
        table = self.some("table", "partitioned")
        if table is None:
            return
        name = self.name("chk")
        self.add(f"ALTER TABLE {table.name} ADD CONSTRAINT {name} CHECK (id > 0)")
        table.constraints.append(name)

    def new_default(self) -> None:
        table = self.some("table", "partitioned")
        if table is None or table.identity:
            return
        columns = [c for c, t in table.columns.items() if t == "int" and c not in ("id", "twice")]
        if not columns:
            return
        column = self.rng.choice(columns)
        if self.sequences and self.rng.random() < 0.5:
            inner = self.rng.choice(self.sequences).replace("'", "''")
            default = f"nextval('{inner}')"
        else:
            function, _ = self.placed("df")
            self.add(f"CREATE FUNCTION {function}() RETURNS int LANGUAGE sql AS 'SELECT 1'")
            default = f"{function}()"
            self.functions.append(default)
        self.add(f"ALTER TABLE {table.name} ALTER {quoted(column)} SET DEFAULT {default}")
        table.defaults.append(column)

    def new_rule(self) -> None:
        table = self.some("table")
        if table is None:
            return
        name = self.name("rule")
        self.add(f"CREATE RULE {name} AS ON DELETE TO {table.name} DO INSTEAD NOTHING")

    # What is taken back

    def downs(self) -> list[str]:
        steps = []
        for _ in range(self.rng.randint(1, 3)):
            statements = [self.down() for _ in range(self.rng.randint(1, 3))]
            steps.append("\n".join(f"{s};" for s in statements if s) or "SELECT 1;")
        return steps

    def cascade(self) -> str:
        return self.rng.choice(["", " CASCADE", " CASCADE", " CASCADE"])

    def maybe(self) -> str:
        return self.rng.choice(["", "IF EXISTS ", "IF EXISTS "])

    def down(self) -> str:
        makers = [
            (self.drop_table, 6),
            (self.drop_view, 3),
            (self.drop_type, 3),
            (self.drop_function, 2),
            (self.drop_sequence, 1),
            (self.drop_schema, 1),
            (self.drop_column, 4),
            (self.drop_constraint, 3),
            (self.drop_index, 2),
            (self.drop_part, 2),
            (self.change_type, 2),
            (self.change_default, 1),
            (self.rename, 2),
            (self.move, 1),
            (self.recreate, 2),
            (self.add_something, 2),
            (self.detach, 1),
            (self.drop_identity, 1),
            (self.leave_publication, 1),
            (self.security, 1),
            (self.rename_schema, 1),
            (self.change_domain, 1),
            (self.drop_statistics, 1),
            (self.drop_collation, 1),
            (self.rename_constraint, 1),
            (self.refer, 2),
        ]
        names = [one for one, _ in makers]
        (make,) = self.rng.choices(names, [weight for _, weight in makers])
        return make()

    def drop_table(self) -> str:
        several = self.rng.sample(self.tables, min(len(self.tables), self.rng.choice([1, 1, 2])))
        return f"DROP TABLE {self.maybe()}{', '.join(t.name for t in several)}{self.cascade()}"

    def drop_view(self) -> str:
        if self.matviews and self.rng.random() < 0.3:
            name = self.rng.choice(self.matviews)
            return f"DROP MATERIALIZED VIEW {self.maybe()}{name}{self.cascade()}"
        if not self.views:
            return ""
        return f"DROP VIEW {self.maybe()}{self.rng.choice(self.views)}{self.cascade()}"

    def drop_type(self) -> str:
        if not self.types:
            return ""
        return f"DROP TYPE {self.maybe()}{self.rng.choice(self.types)}{self.cascade()}"

    def drop_function(self) -> str:
        if not self.functions:
            return ""
        return f"DROP FUNCTION {self.maybe()}{self.rng.choice(self.functions)}{self.cascade()}"

    def drop_sequence(self) -> str:
        if not self.sequences:
            return ""
        return f"DROP SEQUENCE {self.maybe()}{self.rng.choice(self.sequences)}{self.cascade()}"

    def drop_schema(self) -> str:
        return f"DROP SCHEMA IF EXISTS {quoted(self.app)}{self.cascade()}"

    def drop_column(self) -> str:
        table = self.rng.choice(self.tables)
        column = quoted(self.rng.choice(list(table.columns)))
        maybe = self.rng.choice(["", "IF EXISTS "])
        return f"ALTER TABLE {self.maybe()}{table.name} DROP COLUMN {maybe}{column}{self.cascade()}"

    def drop_constraint(self) -> str:
        tables = [t for t in self.tables if t.constraints]
        if not tables:
            return ""
        table = self.rng.choice(tables)
        name = self.rng.choice(table.constraints)
        return f"ALTER TABLE {self.maybe()}{table.name} DROP CONSTRAINT {name}{self.cascade()}"

    def drop_index(self) -> str:
        indexes = [name for t in self.tables for name in t.indexes]
        return f"DROP INDEX {self.maybe()}{self.rng.choice(indexes)}" if indexes else ""

    def drop_part(self) -> str:
        parts = [("POLICY", p, t) for t in self.tables for p in t.policies]
        parts += [("TRIGGER", p, t) for t in self.tables for p in t.triggers]
        if not parts:
            return ""
        kind, name, table = self.rng.choice(parts)
        return f"DROP {kind} {self.maybe()}{name} ON {table.name}"

    def change_type(self) -> str:
        table = self.some("table")
        if table is None:
            return ""
        columns = [c for c, t in table.columns.items() if c not in ("id", "twice", *table.defaults)]
        columns = [c for c in columns if table.columns[c] not in ("numeric",)]
        if not columns or any(t.parent is table for t in self.tables):
            return ""
        name = self.rng.choice(columns)
        column, target = quoted(name), "varchar(80)" if table.columns[name] == "text" else "text"
        table.columns[name] = "numeric"  # not again
        return f"ALTER TABLE {table.name} ALTER {column} TYPE {target} USING {column}::text"

    def change_default(self) -> str:
        if self.rng.random() < 0.2:
            return self.set_default()
        tables = [t for t in self.tables if t.defaults]
        if not tables:
            return ""
        table = self.rng.choice(tables)
        return f"ALTER TABLE {table.name} ALTER {quoted(table.defaults.pop())} DROP DEFAULT"

    def set_default(self) -> str:
        table = self.rng.choice(self.tables)
        columns = [c for c, t in table.columns.items() if t == "int" and c != "id"]
        if table.identity and self.rng.random() < 0.5:
            return f"ALTER TABLE {table.name} ALTER id DROP DEFAULT"
        if not columns:
            return ""
        return f"ALTER TABLE {table.name} ALTER {quoted(self.rng.choice(columns))} SET DEFAULT 7"

    def rename_schema(self) -> str:
        if len(self.schemas) < 2:
            return ""
        old, self.app = self.app, self.name("App")[1:-1].replace('""', '"')
        sql = f"ALTER SCHEMA {quoted(old)} RENAME TO {quoted(self.app)}"
        if self.rng.random() < 0.2:
            return sql  # what follows names what is not there
        self.schemas = ["public", self.app]
        before, after = f"{quoted(old)}.", f"{quoted(self.app)}."
        for table in self.tables:
            table.name = table.name.replace(before, after)
            table.indexes = [name.replace(before, after) for name in table.indexes]
            if table.schema == old:
                table.schema = self.app
        names = (self.views, self.matviews, self.types, self.functions, self.sequences)
        for every in (*names, self.collations, self.statistics, *self.domains):
            every[:] = [name.replace(before, after) for name in every]
        return sql

    def change_domain(self) -> str:
        if not self.domains:
            return ""
        domain = self.rng.choice(self.domains)
        if self.rng.random() < 0.3:
            old, domain[1] = domain[1], self.name("renamed")
            return f"ALTER DOMAIN {domain[0]} RENAME CONSTRAINT {old} TO {domain[1]}"
        return f"ALTER DOMAIN {domain[0]} DROP CONSTRAINT {self.maybe()}{domain[1]}"

    def drop_statistics(self) -> str:
        if not self.statistics:
            return ""
        return f"DROP STATISTICS {self.maybe()}{self.rng.choice(self.statistics)}"

    def drop_collation(self) -> str:
        if not self.collations:
            return ""
        return f"DROP COLLATION {self.maybe()}{self.rng.choice(self.collations)}{self.cascade()}"

    def rename_constraint(self) -> str:
        tables = [t for t in self.tables if t.constraints]
        if not tables:
            return ""
        table = self.rng.choice(tables)
        old, new = table.constraints.pop(), self.name("renamed")
        table.constraints.append(new)
        return f"ALTER TABLE {self.maybe()}{table.name} RENAME CONSTRAINT {old} TO {new}"

    def refer(self) -> str:
        targets = [t for t in self.tables if t.kind == "table" and t.constraints]
        tables = [t for t in self.tables if t.kind in ("table", "partitioned")]
        if not targets or not tables:
            return ""
        target, table = self.rng.choice(targets), self.rng.choice(tables)
        columns = [c for c, t in table.columns.items() if t == "int" and c != "twice"]
        if not columns:
            return ""
        sql = (
            f"ALTER TABLE {table.name} ADD CONSTRAINT {self.name('fk')} "
            f"FOREIGN KEY ({quoted(self.rng.choice(columns))}) REFERENCES {target.name} (id)"
        )
        if self.rng.random() < 0.5:
            sql += f";\nDROP TABLE {target.name}{self.rng.choice(['', '', ' CASCADE'])}"
        return sql

    def rename(self) -> str:
        table = self.rng.choice(self.tables)
        new = self.name("renamed")
        if self.rng.random() < 0.4 and table.parent is None:
            column = self.rng.choice(list(table.columns))
            table.columns[new[1:-1].replace('""', '"')] = table.columns[column]
            return f"ALTER TABLE {table.name} RENAME COLUMN {quoted(column)} TO {new}"
        old, table.name = table.name, f"{quoted(table.schema)}.{new}"
        return f"ALTER TABLE {self.maybe()}{old} RENAME TO {new}"

    def move(self) -> str:
        if len(self.schemas) < 2:
            return ""
        table = self.rng.choice(self.tables)
        target = "public" if table.schema == self.app else self.app
        old = table.name
        table.name, table.schema = f"{quoted(target)}.{old.split('.')[-1]}", target
        return f"ALTER TABLE {old} SET SCHEMA {quoted(target)}"

    def recreate(self) -> str:
        if self.views and self.rng.random() < 0.5:
            name = self.rng.choice(self.views)
            return f"DROP VIEW IF EXISTS {name} CASCADE;\nCREATE VIEW {name} AS SELECT 1 AS one"
        if self.types and self.rng.random() < 0.3:
            name = self.rng.choice(self.types)
            return f"DROP TYPE IF EXISTS {name} CASCADE;\nCREATE TYPE {name} AS ENUM ('x')"
        table = self.rng.choice(self.tables)
        return f"DROP TABLE IF EXISTS {table.name} CASCADE;\nCREATE TABLE {table.name} (zzz int)"

    def add_something(self) -> str:
        table = self.some("table", "partitioned")
        if table is None:
            return ""
        kind = self.rng.choice(["column", "index", "view", "reference"])
        if kind == "column":
            column = self.name("new")
            return f"ALTER TABLE {table.name} ADD COLUMN {column} int DEFAULT 3"
        if kind == "index":
            return f"CREATE INDEX {self.name('new')} ON {table.name} (id)"
        if kind == "view":
            name = f"public.{self.name('new')}"
            self.views.append(name)
            return f"CREATE VIEW {name} AS SELECT * FROM {table.name}"
        name = f"public.{self.name('new')}"
        column = quoted(self.rng.choice(list(table.columns)))
        return f"CREATE MATERIALIZED VIEW {name} AS SELECT {column} FROM {table.name}"

    def detach(self) -> str:
        parts = [t for t in self.tables if t.kind == "partition"]
        if parts:
            part = self.rng.choice(parts)
            assert part.parent
            part.kind = "detached"
            return f"ALTER TABLE {part.parent.name} DETACH PARTITION {part.name}"
        children = [t for t in self.tables if t.kind == "child"]
        if not children:
            return ""
        child = self.rng.choice(children)
        assert child.parent
        child.kind = "detached"
        return f"ALTER TABLE {child.name} NO INHERIT {child.parent.name}"

    def drop_identity(self) -> str:
        tables = [t for t in self.tables if t.identity]
        if not tables:
            return ""
        table = self.rng.choice(tables)
        table.identity = ""
        return f"ALTER TABLE {table.name} ALTER id DROP IDENTITY IF EXISTS"

    def leave_publication(self) -> str:
        if not self.publications:
            return ""
        name, table = self.rng.choice(self.publications)
        return f"ALTER PUBLICATION {name} DROP TABLE {table.name}"

    def security(self) -> str:
        tables = [t for t in self.tables if not t.secured]
        if not tables:
            return ""
        table = self.rng.choice(tables)
        table.secured = True
        return f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY"

"""The graph, the applied set, plans and the reconcile rule, against naive definitions of them."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alembic_rollback.errors import Blocked, NotApplied, PairError, RollbackError, UsageError
from alembic_rollback.model import Revision
from alembic_rollback.planning import (
    Applied,
    Graph,
    Request,
    holes,
    plan_rollback,
    reconcile,
    steps_up,
    suggest,
)

check = settings(database=None, derandomize=True, deadline=None, max_examples=150)
Parents = dict[str, tuple[str, ...]]


@st.composite
def graphs(draw) -> Parents:
    """A random acyclic graph whose names say nothing about its order; parents may be doubled."""
    size = draw(st.integers(0, 9))
    names = draw(st.permutations([f"r{i}" for i in range(size)]))
    return {
        name: tuple(draw(st.lists(st.sampled_from(names[:i]), max_size=3))) if i else ()
        for i, name in enumerate(names)
    }


@st.composite
def graphs_with_sets(draw, sets: int):
    parents = draw(graphs())
    chosen = st.frozensets(st.sampled_from(sorted(parents))) if parents else st.just(frozenset())
    return parents, *(draw(chosen) for _ in range(sets))


# Naive definitions


def stands_on(parents: Parents, above: str, below: str) -> bool:
    """Whether there is a path of at least one edge from `above` down to `below`."""
    return any(p == below or stands_on(parents, p, below) for p in parents.get(above, ()))


def naive_cov(parents: Parents, versions: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(versions)
    return chosen | {v for v in parents if any(stands_on(parents, c, v) for c in chosen)}


def naive_maximal(parents: Parents, versions: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(versions)
    return frozenset(v for v in chosen if not any(stands_on(parents, c, v) for c in chosen))


def naive_descendants(parents: Parents, versions: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(versions)
    return chosen | {v for v in parents if any(stands_on(parents, v, c) for c in chosen)}


def naive_order(parents: Parents, versions: frozenset[str], rank: dict[str, int]) -> list[str]:
    """Take the smallest (rank, name) of what has nothing left below it, again and again."""
    left, taken = set(naive_cov(parents, versions)), []
    while left:
        ready = [v for v in left if not any(stands_on(parents, v, other) for other in left)]
        taken.append(min(ready, key=lambda v: (rank.get(v, -1), v)))
        left.remove(taken[-1])
    return [v for v in taken if v in versions]


# Graph


@given(graphs_with_sets(1))
@check
def test_cov_is_the_versions_with_all_their_ancestors(case):
    parents, chosen = case
    assert Graph(parents).cov(chosen) == naive_cov(parents, chosen)


@given(graphs_with_sets(1))
@check
def test_maximal_are_the_versions_that_no_other_one_stands_on(case):
    parents, chosen = case
    assert Graph(parents).maximal(chosen) == naive_maximal(parents, chosen)


@given(graphs_with_sets(1))
@check
def test_descendants_are_the_versions_and_all_that_stands_on_them(case):
    parents, chosen = case
    assert Graph(parents).descendants(chosen) == naive_descendants(parents, chosen)


@given(graphs_with_sets(1), st.randoms(use_true_random=False))
@check
def test_order_is_bottom_up_with_ties_by_rank_then_name(case, chance):
    parents, chosen = case
    rank = {version: chance.randint(1, 4) for version in chosen if chance.random() < 0.7}
    assert Graph(parents).order(chosen, rank) == naive_order(parents, chosen, rank)


def test_order_without_ranks_breaks_ties_by_name():
    assert Graph({"b": (), "a": (), "c": ()}).order("cab") == ["a", "b", "c"]


def test_order_follows_the_order_of_application_where_the_graph_says_nothing():
    assert Graph({"b": (), "a": (), "c": ()}).order("cab", {"c": 1, "a": 2, "b": 3}) == list("cab")


def test_order_keeps_to_ancestors_that_are_not_asked_for():
    graph = Graph({"z": (), "m": ("z",), "a": ("m",)})
    assert graph.order(["a", "z"]) == ["z", "a"]


def test_what_is_not_applied_does_not_hold_the_applied_ones_back():
    graph = Graph({"hole": (), "first": ("hole",), "second": ()})
    assert graph.order(["first", "second"], {"first": 1, "second": 2}) == ["first", "second"]


def test_a_version_without_a_file_stands_for_itself():
    graph = Graph({"a": ("ghost",)})
    assert graph.cov(["x"]) == {"x"}
    assert graph.maximal(["x", "a"]) == {"x", "a"}
    assert graph.order(["x", "a"]) == ["a", "x"]


def test_an_unknown_parent_is_an_ancestor_and_has_children():
    graph = Graph({"a": ("ghost",)})
    assert graph.cov(["a"]) == {"a", "ghost"}
    assert graph.descendants(["ghost"]) == {"a", "ghost"}


def test_a_graph_contains_its_revisions_only():
    graph = Graph({"a": ("ghost",)})
    assert "a" in graph
    assert "ghost" not in graph


class Counted(tuple):
    """Parents that count how often they are looked through."""

    looks = 0

    def __iter__(self):
        type(self).looks += 1
        return super().__iter__()


def chain(length: int) -> Graph:
    graph = Graph({str(i): (str(i - 1),) if i else () for i in range(length)})
    graph.parents = {version: Counted(below) for version, below in graph.parents.items()}
    graph.children = {version: Counted(above) for version, above in graph.children.items()}
    Counted.looks = 0
    return graph


@pytest.mark.parametrize("length", [1_000, 10_000])
@pytest.mark.parametrize(
    "work",
    [
        lambda graph, n: graph.cov([str(n - 1)]),
        lambda graph, n: graph.descendants(["0"]),
        lambda graph, n: graph.maximal(graph.parents),
        lambda graph, n: graph.order(graph.parents),
        lambda graph, n: reconcile(graph, frozenset(), frozenset([str(n - 1)])),
        lambda graph, n: steps_up(graph, [str(n - 1)], frozenset()),
        lambda graph, n: [Applied(graph, ()).add(str(i)) for i in range(n)],
        lambda graph, n: plan_rollback(
            graph,
            {v: Revision(v, "", "x") for v in graph.parents},
            {v: int(v) for v in graph.parents},
            Request(to="0"),
        ),
    ],
    ids=["cov", "descendants", "maximal", "order", "reconcile", "steps_up", "add", "plan"],
)
def test_a_long_chain_is_looked_through_a_fixed_number_of_times(work, length):
    graph = chain(length)
    work(graph, length)
    assert 0 < Counted.looks <= 12 * length


# Applied


@given(graphs_with_sets(1), st.randoms(use_true_random=False))
@check
def test_the_applied_set_knows_whether_it_has_a_hole(case, chance):
    parents, start = case
    applied, reference = Applied(Graph(parents), start), set(start)
    for _ in range(12 if parents else 0):
        version = chance.choice(sorted(parents))
        if chance.random() < 0.5:
            applied.add(version)
            reference.add(version)
        else:
            applied.remove(version)
            reference.discard(version)
        assert applied.versions == reference
        assert applied.closed == (naive_cov(parents, reference) == reference)
        assert applied.heads() == naive_maximal(parents, reference)


# Reconcile


def rule(parents: Parents, ledger: frozenset[str], heads: frozenset[str]) -> frozenset[str]:
    """L' = (L ∪ (cov(av) − cov(L))) − (cov(L) − cov(av)), as the design says."""
    below_ledger, below_heads = naive_cov(parents, ledger), naive_cov(parents, heads)
    return (ledger | (below_heads - below_ledger)) - (below_ledger - below_heads)


@given(graphs_with_sets(2))
@check
def test_the_ledger_becomes_what_the_rule_says(case):
    parents, ledger, heads = case
    found = reconcile(Graph(parents), ledger, heads)
    assert found.applied == rule(parents, ledger, heads)
    assert (found.added, found.removed) == (found.applied - ledger, ledger - found.applied)


@given(graphs_with_sets(2))
@check
def test_the_version_rows_change_only_where_they_cover_something_else(case):
    parents, ledger, heads = case
    after = rule(parents, ledger, heads)
    wanted = naive_maximal(parents, after)
    same = naive_cov(parents, wanted) == naive_cov(parents, heads)
    assert reconcile(Graph(parents), ledger, heads).heads == (None if same else wanted)


@given(graphs_with_sets(2))
@check
def test_reconciling_twice_changes_nothing_more(case):
    parents, ledger, heads = case
    graph = Graph(parents)
    first = reconcile(graph, ledger, heads)
    rows = heads if first.heads is None else first.heads
    second = reconcile(graph, first.applied, rows)
    assert (second.applied, second.heads) == (first.applied, None)


@given(graphs_with_sets(1))
@check
def test_adopting_with_an_empty_version_table_keeps_the_ledger_and_fills_the_table(case):
    parents, ledger = case
    found = reconcile(Graph(parents), ledger, frozenset(), adopting=True)
    assert (found.applied, found.added, found.removed) == (ledger, frozenset(), frozenset())
    assert found.heads == (naive_maximal(parents, ledger) or None)


@given(graphs_with_sets(2))
@check
def test_adopting_with_version_rows_is_the_ordinary_rule(case):
    parents, ledger, heads = case
    if heads:
        graph = Graph(parents)
        assert reconcile(graph, ledger, heads, adopting=True) == reconcile(graph, ledger, heads)


def test_an_empty_version_table_means_that_all_was_downgraded():
    found = reconcile(Graph({"a": (), "b": ("a",)}), frozenset("ab"), frozenset())
    assert (found.applied, found.removed, found.heads) == (frozenset(), frozenset("ab"), None)


def test_a_hole_survives():
    graph = Graph({"a": (), "b": ("a",), "c": ("b",)})
    found = reconcile(graph, frozenset("ac"), frozenset("c"))
    assert (found.applied, found.heads) == (frozenset("ac"), None)


def test_a_pair_merged_late_with_an_older_version_is_pending():
    graph = Graph({"1": (), "2": ("1",), "3": ("2",)})
    found = reconcile(graph, frozenset("13"), frozenset("3"))
    assert "2" not in found.applied


def test_what_only_an_old_ledger_knows_never_becomes_a_version_row():
    found = reconcile(Graph({"a": ()}), frozenset(["a", "ghost"]), frozenset(), adopting=True)
    assert (found.applied, found.heads) == ({"a", "ghost"}, {"a"})


# Upgrades


@given(graphs_with_sets(2))
@check
def test_an_upgrade_runs_the_ancestors_of_its_targets_that_are_not_applied(case):
    parents, targets, applied = case
    found = steps_up(Graph(parents), targets, applied)
    assert set(found) == naive_cov(parents, targets) - applied
    assert not any(stands_on(parents, a, b) for i, a in enumerate(found) for b in found[i + 1 :])


@given(graphs_with_sets(1))
@check
def test_a_hole_is_what_lies_below_something_applied(case):
    parents, applied = case
    below = {v for v in parents if any(stands_on(parents, one, v) for one in applied)}
    assert holes(Graph(parents), applied) == below - applied


# Requests


FORMS = (
    "Say what to roll back, in one form: VERSION…, --to VERSION, --last N, --last-run, "
    "--to-tag TAG or --all."
)


@pytest.mark.parametrize(
    "forms",
    [
        {},
        {"versions": ("a",), "to": "b"},
        {"versions": ("a",), "last": 1},
        {"versions": ("a",), "everything": True},
        {"to": "a", "last": 1},
        {"to": "a", "everything": True},
        {"last": 1, "everything": True},
        {"last": 0, "everything": True},
    ],
)
def test_a_request_has_exactly_one_form(forms):
    with pytest.raises(UsageError) as caught:
        Request(**forms)
    given = "several were given" if forms else "none was given"
    assert caught.value.what == f"{FORMS.removesuffix('.')}; {given}."


@pytest.mark.parametrize("number", [0, -1])
def test_last_takes_a_number_from_one(number):
    with pytest.raises(UsageError) as caught:
        Request(last=number)
    assert str(caught.value) == f"--last takes a number from 1, not {number}."


# Rollbacks

# base ── a ── b ── merge ── top      other stands alone, user depends on other.
#          └── c ──┘
BRANCHES: Parents = {
    "base": (),
    "a": ("base",),
    "b": ("a",),
    "c": ("a",),
    "merge": ("b", "c"),
    "top": ("merge",),
    "other": (),
    "user": ("other",),
}
APPLIED = {v: i for i, v in enumerate(["base", "other", "a", "c", "user", "b", "merge", "top"], 1)}


def revision(version: str, **more) -> Revision:
    return Revision(version, f"name_of_{version}", f"/x/{version}.up.sql", **more)


REVISIONS = {version: revision(version, is_pair=True) for version in BRANCHES}


def plan(request: Request, applied=APPLIED, revisions=REVISIONS, parents=BRANCHES):
    found = plan_rollback(Graph(parents), revisions, applied, request)
    return [step.version for step in found.steps], [step.version for step in found.later]


def test_the_named_versions_are_taken_in_reverse_order():
    assert plan(Request(versions=("merge", "top"))) == (["top", "merge"], [])


def test_a_version_named_twice_is_taken_once():
    assert plan(Request(versions=("top", "top"))) == (["top"], [])


def test_from_the_middle_what_stands_above_is_later():
    assert plan(Request(versions=("a",))) == (["a"], ["c", "b", "merge", "top"])


def test_what_depends_on_a_version_is_later():
    assert plan(Request(versions=("other",))) == (["other"], ["user"])


def test_several_from_the_middle_leave_what_is_between_them_as_later():
    assert plan(Request(versions=("a", "merge"))) == (["merge", "a"], ["c", "b", "top"])


def test_one_branch_is_taken_without_the_other():
    assert plan(Request(versions=("b",))) == (["b"], ["merge", "top"])


def test_going_back_to_a_version_takes_what_stands_on_it():
    assert plan(Request(to="a")) == (["top", "merge", "b", "c"], [])


def test_going_back_to_a_branch_keeps_the_other_branch():
    assert plan(Request(to="c")) == (["top", "merge"], [])


def test_going_back_to_a_dependency_takes_what_depends_on_it():
    assert plan(Request(to="other")) == (["user"], [])


def test_going_back_to_where_one_is_takes_nothing():
    assert plan(Request(to="top")) == ([], [])


ALL = ["top", "merge", "b", "user", "c", "a", "other", "base"]


def test_going_back_to_base_takes_everything():
    assert plan(Request(to="base"), parents={**BRANCHES}) == (ALL, [])


def test_everything_is_every_applied_version_in_reverse_order():
    assert plan(Request(everything=True)) == (ALL, [])


def test_everything_of_nothing_is_an_empty_plan():
    assert plan(Request(everything=True), applied={}) == ([], [])


@pytest.mark.parametrize("number", range(1, 9))
def test_the_last_ones_are_the_top_in_graph_order(number):
    assert plan(Request(last=number)) == (ALL[:number], [])


def test_the_last_ones_follow_the_order_of_application_between_branches():
    swapped = {**APPLIED, "b": APPLIED["c"], "c": APPLIED["b"]}
    assert plan(Request(last=4), applied=swapped)[0] == ["top", "merge", "c", "user"]


def test_over_a_hole_what_stands_above_it_can_be_taken():
    applied = {v: i for v, i in APPLIED.items() if v not in ("a", "b")}
    assert plan(Request(to="base"), applied=applied)[0] == [
        "top",
        "merge",
        "user",
        "c",
        "other",
        "base",
    ]


@given(graphs_with_sets(2))
@check
def test_any_plan_takes_what_was_asked_for_top_down(case):
    parents, applied, asked = case
    asked &= applied
    if not asked:
        return
    revisions = {version: revision(version) for version in parents}
    rank = {version: i for i, version in enumerate(sorted(applied), 1)}
    found = plan_rollback(Graph(parents), revisions, rank, Request(versions=tuple(asked)))
    steps = [step.version for step in found.steps]
    assert sorted(steps) == sorted(asked)
    assert not any(stands_on(parents, b, a) for i, a in enumerate(steps) for b in steps[i + 1 :])
    above = naive_descendants(parents, asked) - asked
    assert {step.version for step in found.later} == above & applied


def told(error: type[RollbackError], request: Request, **world) -> str:
    with pytest.raises(error) as caught:
        plan(request, **world)
    assert type(caught.value) is error
    return str(caught.value)


def test_more_than_are_applied_cannot_be_the_last_ones():
    assert told(UsageError, Request(last=9)) == (
        "--last 9: only 8 revisions are applied. --all takes all of them."
    )


def test_a_single_applied_revision_is_counted_in_the_singular():
    text = told(UsageError, Request(last=2), applied={"base": 1})
    assert text == "--last 2: only 1 revision is applied. --all takes all of them."


@pytest.mark.parametrize("request_", [Request(versions=("b",)), Request(to="b")])
def test_what_is_not_applied_cannot_be_rolled_back(request_):
    assert told(NotApplied, request_, applied={"base": 1}) == (
        "b_name_of_b is not applied, so there is nothing to roll back. Nothing was changed. "
        "`alembic migration-status` shows what is applied."
    )


def test_what_has_no_file_cannot_be_rolled_back():
    text = told(PairError, Request(versions=("ghost",)), applied={"ghost": 1})
    assert text == (
        "ghost is applied, but no file of this release has it, and no down script of it is stored "
        "in the log. Nothing was changed. "
        "Check out the release that has its file and run it from there."
    )


def test_what_has_no_down_cannot_be_rolled_back():
    revisions = {**REVISIONS, "b": revision("b", is_pair=True, has_down=False)}
    assert told(PairError, Request(versions=("b",)), revisions=revisions) == (
        "/x/b.up.sql: b_name_of_b has no down script. Nothing was changed. "
        "`alembic generate-down b.up.sql` writes what can be derived."
    )


def test_a_python_revision_without_a_downgrade_cannot_be_rolled_back():
    revisions = {**REVISIONS, "b": revision("b", has_down=False)}
    assert told(PairError, Request(versions=("b",)), revisions=revisions) == (
        "/x/b.up.sql: b name_of_b has no down script. Nothing was changed. "
        "Write its downgrade() function."
    )


def test_what_is_irreversible_cannot_be_rolled_back():
    revisions = {**REVISIONS, "b": revision("b", is_pair=True, irreversible=("one", "two"))}
    assert told(Blocked, Request(versions=("b",)), revisions=revisions) == (
        "/x/b.up.sql: b_name_of_b is marked irreversible: one; two. Nothing was changed. Complete "
        "the down script and remove the `-- Irreversible:` line, or restore a backup."
    )


def test_irreversible_is_told_before_a_missing_down():
    both = revision("b", is_pair=True, has_down=False, irreversible=("one",))
    told(Blocked, Request(versions=("b",)), revisions={**REVISIONS, "b": both})


def test_what_cannot_be_rolled_back_does_not_matter_above_the_plan():
    revisions = {**REVISIONS, "b": revision("b", has_down=False, irreversible=("one",))}
    assert plan(Request(versions=("c",)), revisions=revisions) == (["c"], ["merge", "top"])


def test_a_version_without_a_file_above_the_plan_does_not_hinder_it():
    parents, applied = {**BRANCHES, "ghost": ("top",)}, {**APPLIED, "ghost": 9}
    assert plan(Request(versions=("top",)), parents=parents, applied=applied)[0] == ["top"]


def test_a_near_version_is_suggested():
    assert suggest("20260112_01", ["20260112_001", "x"]) == " Did you mean 20260112_001?"


def test_no_version_is_suggested_that_is_not_near():
    assert suggest("abc", ["20260112_001"]) == ""


def test_ties_do_not_depend_on_the_order_of_the_arguments():
    chance = random.Random(7)
    versions = list(BRANCHES)
    orders = set()
    for _ in range(20):
        chance.shuffle(versions)
        orders.add(tuple(Graph({v: BRANCHES[v] for v in versions}).order(versions, APPLIED)))
    assert len(orders) == 1

"""Orders are random, a reader's own, and keep the same vertebra apart."""

from hypothesis import given
from hypothesis import strategies as st

from spinexplain.study.orders import Planned, reader_plan

REAL = [Planned(f"r{k}", f"c{k}") for k in range(20)]
FOILS = [Planned(f"f{k}", f"c{k}", extra=True) for k in range(10)]
REPEATS = [Planned(f"s{k}", f"c{k}", base=f"r{k}", extra=True) for k in range(4)]
ARMS = [Planned(f"{arm}{k}", f"c{k}", arm=arm) for k in range(20) for arm in ("x", "y")]
BARE = [Planned(f"u{k}", f"c{k}", "unaided") for k in range(20)]


@given(st.integers(0, 1000), st.integers(1, 5))
def test_everything_once_and_repeats_well_after(seed, reader):
    items = REAL + FOILS + REPEATS
    (order,) = reader_plan(items, "evidence", reader, seed).sessions
    assert sorted(order) == sorted(item.id for item in items)
    for repeat in REPEATS:
        gap = order.index(repeat.id) - order.index(repeat.base)
        assert gap >= 10 or order.index(repeat.id) >= len(order) - len(REPEATS)
    main = [name for name in order if not name.startswith("s")]
    place = {name: k for k, name in enumerate(main)}
    near = [f for f in FOILS if abs(place[f.id] - place["r" + f.id[1:]]) <= 5]
    assert not near


def test_readers_have_orders_of_their_own():
    plans = [reader_plan(REAL, "evidence", reader, 1).sessions for reader in (1, 2, 1)]
    assert plans[0] == plans[2] != plans[1]


def test_unaided_comes_right_before_aided():
    (order,) = reader_plan(REAL + FOILS + BARE, "sequential", 1, 1).sessions
    assert all(order.index(f"r{k}") == order.index(f"u{k}") + 1 for k in range(20))
    assert all(name.startswith("f") for name in order[40:])


def test_a_crossover_reads_each_vertebra_once_a_session():
    for reader in (1, 2):
        first, second = reader_plan(REAL + FOILS + BARE, "crossover", reader, 1).sessions
        early = {name for name in first}
        assert all((f"r{k}" in early) != (f"u{k}" in early) for k in range(20))
        assert sum(name.startswith("r") for name in first) == 10
        assert sorted([*first, *second]) == sorted(i.id for i in REAL + FOILS + BARE)
        assert not [name for name in first if name.startswith("f")]


def test_several_arms_rotate_through_the_sessions():
    """Two arms and none: three sessions, each vertebra in each, each way once (a Latin square)."""
    plans = [reader_plan(ARMS + BARE, "crossover", reader, 1).sessions for reader in (1, 2, 3)]
    for sessions in plans:
        for one in sessions:
            assert sorted(name[1:] for name in one) == sorted(map(str, range(20)))
        assert sorted(name for one in sessions for name in one) == sorted(
            item.id for item in ARMS + BARE
        )
    first = ["".join(name[0] for name in sorted(one[0], key=lambda n: n[1:])) for one in plans]
    assert all({one[k] for one in first} == set("xyu") for k in range(20))
    assert all(6 <= one.count(way) <= 7 for one in first for way in "xyu")


def test_in_a_sequential_study_each_vertebra_has_one_arm_that_changes_with_the_reader():
    repeats = [Planned(f"s{k}", f"c{k}", base=f"x{k}", extra=True, arm="x") for k in range(20)]
    shown = []
    for reader in (1, 2):
        (order,) = reader_plan(ARMS + BARE + repeats, "sequential", reader, 1).sessions
        main, extra = order[:40], order[40:]
        assert all(main[k][1:] == main[k + 1][1:] for k in range(0, 40, 2))
        assert all(name[0] == "u" for name in main[::2])
        shown.append(set(main[1::2]))
        assert {"x" + name[1:] for name in extra} == {n for n in shown[-1] if n[0] == "x"}
    assert not shown[0] & shown[1]
    assert len(shown[0] | shown[1]) == 40

from hypothesis import given
from hypothesis import strategies as st

from cluster.report.flame_tree import Frame, layout
from cluster.report.frames import Kind

names = st.sampled_from(["a", "b", "c", "main", "entry_SYSCALL_64", "tcp_send", "[unknown]"])
stacks = st.dictionaries(
    st.lists(names, min_size=1, max_size=6).map(";".join), st.integers(1, 10_000), max_size=40
)


def test_frames_stand_beside_each_other_by_name_above_their_caller() -> None:
    frames = layout({"t;b": 30, "t;a": 60, "t": 10})

    assert frames == (
        Frame("all", Kind.THREAD, 0, 0, 100, 0),
        Frame("t", Kind.THREAD, 1, 0, 100, 10),
        Frame("a", Kind.USER, 2, 0, 60, 60),
        Frame("b", Kind.USER, 2, 60, 30, 30),
    )


def test_no_stacks_make_no_frames() -> None:
    assert () == layout({})
    assert () == layout({"a;b": 0})


def test_what_the_kernel_entry_calls_is_kernel_code() -> None:
    frames = layout({"t;answer;entry_SYSCALL_64;tcp_sendmsg;my_copy": 1})

    kinds = {frame.name: frame.kind for frame in frames}
    assert Kind.USER == kinds["answer"]
    assert Kind.SYSCALL == kinds["entry_SYSCALL_64"]
    assert Kind.KERNEL == kinds["tcp_sendmsg"]
    assert Kind.KERNEL == kinds["my_copy"]


def test_tiny_siblings_become_one_box_and_totals_stay_exact() -> None:
    folded = {f"t;f{i}": 1 for i in range(1_000)} | {"t;large": 9_000_000}

    frames = layout(folded)

    assert ["all", "t", "large", "[1000 small frames]"] == [frame.name for frame in frames]
    assert 1_000 == frames[-1].total
    assert 0 == frames[1].own


def test_a_hundred_thousand_stacks_make_few_frames() -> None:
    folded = {f"t;main;f{i % 300};g{i % 7_000};h{i}": 1 + i % 3 for i in range(100_000)}

    assert len(layout(folded)) < 5_000


def test_a_stack_deeper_than_pythons_recursion_is_laid_out() -> None:
    assert 5_001 == len(layout({";".join(["f"] * 5_000): 1}))


@given(stacks)
def test_children_fit_in_their_parent_and_nothing_is_lost(folded: dict[str, int]) -> None:
    frames = layout(folded)

    assert sum(folded.values()) == sum(frame.own for frame in frames)
    callers: list[Frame] = []
    for frame in frames:
        del callers[frame.depth :]
        if callers:
            caller = callers[-1]
            assert caller.start <= frame.start
            assert frame.start + frame.total <= caller.start + caller.total
        callers.append(frame)

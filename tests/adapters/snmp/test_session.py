"""Distribution of objects to messages: each once, beside its key and the head."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.snmp.session import ObjectGroup, pack_objects

HEAD = ((1,),)


@st.composite
def groups(draw: st.DrawFn) -> list[ObjectGroup]:
    """Interfaces with a key each, and facts without one."""
    sizes = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 25)), max_size=12))
    return [
        ObjectGroup(((2, n),) if keyed else (), tuple((3, n, member) for member in range(size)))
        for n, (keyed, size) in enumerate(sizes)
    ]


@given(groups(), st.integers(3, 25))
def test_every_object_is_read_once_beside_its_key_and_the_head(
    drawn: list[ObjectGroup], limit: int
) -> None:
    messages = pack_objects(HEAD, drawn, limit)
    members = [oid for message in messages for oid in message if oid[0] == 3]
    assert sorted(members) == sorted(oid for group in drawn for oid in group.members)
    for message in messages:
        assert len(message) <= limit
        assert len(set(message)) == len(message)
        assert message[:1] == HEAD
        for group in drawn:
            if any(oid in message for oid in group.members):
                assert set(group.key) <= set(message)


@given(groups(), st.integers(3, 25))
def test_a_group_that_fits_into_a_message_is_not_split(
    drawn: list[ObjectGroup], limit: int
) -> None:
    messages = pack_objects(HEAD, drawn, limit)
    for group in drawn:
        if 1 + len(group.key) + len(group.members) <= limit:
            holding = [m for m in messages if any(oid in m for oid in group.members)]
            assert len(holding) == 1


def test_without_groups_only_the_head_is_read() -> None:
    assert pack_objects(HEAD, [], 20) == [HEAD]


def test_two_interfaces_of_nine_objects_fit_into_one_message() -> None:
    """An office's router takes one message for its counters."""
    interfaces = [ObjectGroup(((2, n),), tuple((3, n, m) for m in range(8))) for n in range(2)]
    assert [len(message) for message in pack_objects(HEAD, interfaces, 20)] == [19]

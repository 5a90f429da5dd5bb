"""How objects are put into messages: all of them, once, in company of what they need."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.adapters.snmp.session import Group, pack

HEAD = ((1,),)


@st.composite
def groups(draw: st.DrawFn) -> list[Group]:
    """Ports with a key each, and facts without one."""
    sizes = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 25)), max_size=12))
    return [
        Group(((2, n),) if keyed else (), tuple((3, n, member) for member in range(size)))
        for n, (keyed, size) in enumerate(sizes)
    ]


@settings(deadline=None)
@given(groups(), st.integers(3, 25))
def test_every_object_is_asked_once_beside_its_key_and_the_head(
    made: list[Group], limit: int
) -> None:
    messages = pack(HEAD, made, limit)
    members = [oid for message in messages for oid in message if oid[0] == 3]
    assert sorted(members) == sorted(oid for group in made for oid in group.members)
    for message in messages:
        assert len(message) <= limit
        assert len(set(message)) == len(message)
        assert message[:1] == HEAD
        for group in made:
            if any(oid in message for oid in group.members):
                assert set(group.key) <= set(message)


@settings(deadline=None)
@given(groups(), st.integers(3, 25))
def test_a_group_that_fits_into_a_message_is_not_split(made: list[Group], limit: int) -> None:
    messages = pack(HEAD, made, limit)
    for group in made:
        if 1 + len(group.key) + len(group.members) <= limit:
            holding = [m for m in messages if any(oid in m for oid in group.members)]
            assert len(holding) == 1


def test_with_nothing_to_ask_the_head_alone_is_asked() -> None:
    assert pack(HEAD, [], 20) == [HEAD]


def test_two_ports_of_nine_objects_fill_one_message() -> None:
    """What a kecamatan's router costs: one message for its counters."""
    ports = [Group(((2, n),), tuple((3, n, m) for m in range(8))) for n in range(2)]
    assert [len(message) for message in pack(HEAD, ports, 20)] == [19]

"""The hub between two awaits: who comes, goes or fails while a page of events is written."""

import asyncio
from collections.abc import Collection, Iterable, Sequence

import pytest

from microblog.core.events import Kind, LoggedEvent
from microblog.queries.events import EXPLORE, HOME, Delivery
from microblog.realtime import hub as hubs
from microblog.realtime.hub import Hub
from microblog.realtime.listeners import Channel, Listener
from tests.realtime.made import post, published


class Recorder:
    """A channel that writes down whom it was to write what."""

    def __init__(self) -> None:
        self.pushed: list[tuple[Listener, list[int]]] = []

    def push(
        self, chosen: Sequence[Delivery], cursor: int, listeners: Iterable[Listener]
    ) -> Collection[Listener]:
        for listener in listeners:
            self.pushed.append((listener, [one.event.id for one in chosen]))
            listener.cursor, listener.behind = cursor, False
        return ()

    def ids(self, listener: Listener) -> list[int]:
        return [event_id for one, page in self.pushed if one is listener for event_id in page]


class Broken:
    """A channel whose frames cannot be made."""

    def push(
        self, chosen: Sequence[Delivery], cursor: int, listeners: Iterable[Listener]
    ) -> Collection[Listener]:
        raise RuntimeError("a template is wrong")


class End:
    """The other end of a listener; counts how often it was told to catch up."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.woken = 0

    def catch_up(self) -> None:
        self.woken += 1

    def beat(self, now: float) -> None:
        return None

    def close(self, code: int, reason: str) -> None:
        return None


def post_event(event_id: int, author: int = 1, homes: frozenset[int] = frozenset()) -> Delivery:
    return published(post(event_id, author), EXPLORE, homes=homes)


def profile_event(event_id: int, user_id: int = 1) -> Delivery:
    event = LoggedEvent(event_id, Kind.USER_CHANGED, user_id, None, user_id)
    return Delivery(event, frozenset([f"user:{user_id}"]))


def relations_event(event_id: int, user_id: int) -> Delivery:
    return Delivery(LoggedEvent(event_id, Kind.RELATIONS_CHANGED, user_id, user_id, None))


def explorers(hub: Hub, *channels: Channel) -> list[Listener]:
    """Let one listener for each channel join, and let it in."""
    made = [Listener(None, [EXPLORE], hub.head, connection=End(one)) for one in channels]
    for listener in made:
        hub.join(listener)
    hub.admit(made, {})
    return made


def woken(listener: Listener) -> bool:
    """Tell whether a listener is behind and on its way to catch up."""
    end = listener.connection
    return listener.behind and isinstance(end, End) and end.woken > 0


def to_catch_up(hub: Hub, listener: Listener) -> list[int]:
    """Return what a listener that is woken will find in the ring."""
    newer = hub.ring.after(listener.cursor) or iter(())
    return [one.event.id for one in newer if one.concerns(listener.viewer_id, listener.topics)]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub that writes to one listener at a time, so that everything may come between."""
    monkeypatch.setattr(hubs, "WRITTEN_AT_ONCE", 1)
    made = Hub()
    made.start("epoch", 0)
    return made


async def publish_half(hub: Hub, page: Sequence[Delivery]) -> "asyncio.Task[None]":
    """Begin to publish; return once the first listener has been written to."""
    task = asyncio.create_task(hub.publish(page))
    await asyncio.sleep(0)
    assert not task.done()
    return task


# --- While a page is written ---------------------------------------------------------------------


async def test_topic_that_comes_in_while_a_page_is_written_loses_nothing(hub: Hub) -> None:
    channel = Recorder()
    both = explorers(hub, channel, channel)
    writing = await publish_half(hub, [post_event(1), profile_event(2)])
    (late,) = [one for one in both if one.behind]
    assert hub.subscribe(late, "user:1") == 0
    await writing
    assert channel.ids(late) == []
    assert woken(late)
    assert to_catch_up(hub, late) == [1, 2]


async def test_topic_that_comes_in_after_the_page_was_written_starts_behind_it(hub: Hub) -> None:
    channel = Recorder()
    both = explorers(hub, channel, channel)
    writing = await publish_half(hub, [post_event(1), profile_event(2)])
    (early,) = [one for one in both if not one.behind]
    assert hub.subscribe(early, "user:1") == 2
    await writing
    assert [channel.ids(one) for one in both] == [[1], [1]]
    await hub.publish([profile_event(3)])
    assert channel.ids(early) == [1, 3]


async def test_listener_that_leaves_while_a_page_is_written_is_not_written_to(hub: Hub) -> None:
    channel = Recorder()
    both = explorers(hub, channel, channel)
    writing = await publish_half(hub, [post_event(1)])
    (late,) = [one for one in both if one.behind]
    hub.leave(late)
    await writing
    assert len(channel.pushed) == 1
    assert channel.ids(late) == []


async def test_listener_that_comes_while_a_page_is_written_finds_it_in_the_ring(hub: Hub) -> None:
    channel = Recorder()
    explorers(hub, channel, channel)
    newcomer = Listener(None, [EXPLORE], 0, connection=End(channel))
    writing = await publish_half(hub, [post_event(1)])
    hub.join(newcomer)
    hub.admit([newcomer], {})
    await writing
    assert channel.ids(newcomer) == []
    assert woken(newcomer)
    assert to_catch_up(hub, newcomer) == [1]


# --- One that fails ------------------------------------------------------------------------------


@pytest.mark.parametrize("broken_first", [True, False])
async def test_fault_of_one_channel_holds_up_nobody_else(hub: Hub, broken_first: bool) -> None:
    well = Recorder()
    order: list[Channel] = [Broken(), well] if broken_first else [well, Broken()]
    listeners = explorers(hub, *order * 3)
    fine = [one for one in listeners if isinstance(one.connection, End)]
    fine = [one for one in fine if one.connection is not None and one.connection.channel is well]
    await hub.publish([post_event(1)])
    await hub.publish([post_event(2)])
    assert [well.ids(one) for one in fine] == [[1, 2]] * 3
    stuck = [one for one in listeners if one not in fine]
    assert [woken(one) for one in stuck] == [True] * 3
    assert [to_catch_up(hub, one) for one in stuck] == [[1, 2]] * 3


# --- Homes ---------------------------------------------------------------------------------------


def sets_of_readers(hub: Hub) -> list[int]:
    """Return how many different sets the ring keeps, by identity."""
    return [*{id(one.homes) for one in hub.ring.after(0) or () if one.homes}]


async def test_readers_of_an_author_are_one_set_however_many_come(hub: Hub) -> None:
    authors, waves = range(1, 5), range(20)
    await hub.publish([post_event(n, author=1 + n % 4) for n in range(1, 201)])
    expected: set[int] = set()
    for wave in waves:
        arrived = {100 * wave + number for number in range(50)}
        expected |= arrived
        newcomers = [Listener(one, [HOME], hub.head) for one in arrived]
        for listener in newcomers:
            hub.join(listener)
        hub.admit(newcomers, dict.fromkeys(authors, arrived))
    assert [one.homes == expected for one in hub.ring.after(0) or ()] == [True] * 200
    assert len(sets_of_readers(hub)) == len(authors)


async def test_further_posts_of_an_author_share_the_set_of_readers(hub: Hub) -> None:
    for number in range(1, 11):
        await hub.publish([post_event(number, homes=frozenset([5, 6]))])
    assert len(sets_of_readers(hub)) == 1


async def test_set_of_readers_is_made_anew_when_somebody_no_longer_follows(hub: Hub) -> None:
    follower, left = (Listener(one, [HOME], 0, connection=End(Recorder())) for one in (5, 6))
    for listener in (follower, left):
        hub.join(listener)
    hub.admit([follower, left], {})
    await hub.publish([post_event(1, homes=frozenset([5, 6]))])
    await hub.publish([relations_event(2, 6), post_event(3, homes=frozenset([5]))])
    found = {one.event.id: one.homes for one in hub.ring.after(0) or ()}
    assert (found[1], found[3]) == ({5, 6}, {5})

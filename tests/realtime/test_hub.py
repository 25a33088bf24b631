"""The hub: who is woken by what, and what the ring still holds."""

from microblog.core.events import Kind, LoggedEvent
from microblog.queries.events import EXPLORE, HOME, Delivery
from microblog.realtime.hub import Hub
from microblog.realtime.listeners import Listener
from microblog.realtime.ring import RING_EVENTS
from tests.realtime.made import post, published


def post_event(event_id: int, *topics: str, homes: set[int] | None = None) -> Delivery:
    return published(post(event_id), *topics, homes=homes or set())


def own_event(event_id: int, user_id: int, kind: Kind = Kind.NOTIFIED) -> Delivery:
    return Delivery(LoggedEvent(event_id, kind, 1, user_id, 7))


def started(head: int = 0) -> Hub:
    hub = Hub()
    hub.start("epoch", head)
    return hub


def come_in(hub: Hub, *newcomers: Listener, homes: dict[int, set[int]] | None = None) -> None:
    """Let listeners join, as the tail does."""
    for listener in newcomers:
        hub.join(listener)
    hub.admit(newcomers, homes or {})


def ids(hub: Hub, listener: Listener) -> list[int] | None:
    newer = hub.ring.after(listener.cursor)
    if newer is None:
        return None
    return [d.event.id for d in newer if d.concerns(listener.viewer_id, listener.topics)]


async def test_only_listeners_of_the_topic_are_woken() -> None:
    hub = started()
    explorer, tagged = Listener(None, [EXPLORE], 0), Listener(None, ["tag:python"], 0)
    come_in(hub, explorer, tagged)
    await hub.publish([post_event(1, EXPLORE)])
    assert (explorer.behind, tagged.behind) == (True, False)
    assert hub.position(tagged) == 1


async def test_home_is_for_those_who_follow() -> None:
    hub = started()
    follower, stranger = Listener(5, [HOME], 0), Listener(6, [HOME], 0)
    come_in(hub, follower, stranger)
    await hub.publish([post_event(1, EXPLORE, homes={5})])
    assert (follower.behind, stranger.behind) == (True, False)


async def test_what_concerns_one_person_reaches_all_their_connections_and_nobody_else() -> None:
    hub = started()
    mine = [Listener(5, [], 0), Listener(5, [EXPLORE], 0)]
    others = [Listener(6, [EXPLORE, HOME], 0), Listener(None, [EXPLORE], 0)]
    come_in(hub, *mine, *others)
    await hub.publish([own_event(1, 5)])
    assert [x.behind for x in mine] == [True, True]
    assert [x.behind for x in others] == [False, False]


async def test_changed_relations_concern_home_listeners_only() -> None:
    hub = started()
    home, profile = Listener(5, [HOME], 0), Listener(5, ["user:9"], 0)
    come_in(hub, home, profile)
    await hub.publish([own_event(1, 5, Kind.RELATIONS_CHANGED)])
    assert (home.behind, profile.behind) == (True, False)


async def test_woken_listener_starts_where_it_had_all_before() -> None:
    hub = started(10)
    listener = Listener(None, [EXPLORE], 10)
    come_in(hub, listener)
    await hub.publish([post_event(11, "tag:x"), post_event(12, "tag:x")])
    await hub.publish([post_event(13, EXPLORE)])
    assert listener.cursor == 12
    assert ids(hub, listener) == [13]


async def test_listener_that_is_ahead_of_this_process_is_not_told_twice() -> None:
    """Another process was quicker: the page it made lies beyond this one's head."""
    hub = started(10)
    listener = Listener(None, [EXPLORE], 12)
    come_in(hub, listener)
    assert not listener.behind
    await hub.publish([post_event(11, EXPLORE), post_event(12, EXPLORE), post_event(13, EXPLORE)])
    assert ids(hub, listener) == [13]


async def test_newcomer_hears_nothing_before_the_tail_has_asked_what_concerns_it() -> None:
    hub = started(10)
    listener = Listener(5, [HOME, EXPLORE], 10)
    hub.join(listener)
    await hub.publish([post_event(11, EXPLORE)])
    assert not listener.behind
    assert hub.position(listener) == 10
    hub.admit([listener], {})
    assert listener.behind
    assert ids(hub, listener) == [11]


async def test_newcomers_find_in_the_ring_what_they_follow() -> None:
    hub = started()
    await hub.publish([post_event(1, "tag:x"), post_event(2, "tag:x")])
    follower, stranger = Listener(5, [HOME], 0), Listener(6, [HOME], 0)
    come_in(hub, follower, stranger, homes={1: {5}})
    assert ids(hub, follower) == [1, 2]
    assert ids(hub, stranger) == []


async def test_newcomer_reads_itself_what_was_told_to_it_alone_and_what_the_ring_lacks() -> None:
    hub = started(10)
    await hub.publish([own_event(11, 5), post_event(12, EXPLORE)])
    told, late = Listener(5, [EXPLORE], 10), Listener(None, [EXPLORE], 3)
    come_in(hub, told, late)
    assert told.read_to == 11
    assert late.read_to == 12


async def test_ring_is_filled_up_from_behind() -> None:
    hub = started(10)
    await hub.publish([post_event(11, EXPLORE)])
    hub.ring.refill([post_event(5, EXPLORE), post_event(9, EXPLORE)], 4)
    late = Listener(None, [EXPLORE], 4)
    come_in(hub, late)
    assert ids(hub, late) == [5, 9, 11]
    assert late.read_to == 0


async def test_post_that_was_deleted_is_told_to_nobody_who_is_late() -> None:
    hub = started()
    await hub.publish([post_event(1, EXPLORE)])
    gone = Delivery(LoggedEvent(2, Kind.POST_DELETED, 1, None, 1), frozenset([EXPLORE]))
    (told,) = hub.ring.after(0) or ()
    told.encoded["form", "en"] = "what it said"
    await hub.publish([gone])
    assert told.subject is None
    assert told.encoded == {}


async def test_another_history_empties_the_ring() -> None:
    hub = started()
    await hub.publish([post_event(1, EXPLORE)])
    hub.start("another", 40)
    assert (hub.epoch, hub.head, hub.ring.after(39), list(hub.ring.after(40) or ())) == (
        "another",
        40,
        None,
        [],
    )


async def test_ring_says_so_when_it_begins_later() -> None:
    hub = started()
    for number in range(1, RING_EVENTS + 2):
        await hub.publish([post_event(number, EXPLORE)])
    assert hub.ring.after(0) is None
    newer = hub.ring.after(1)
    assert newer is not None
    assert next(iter(newer)).event.id == 2


async def test_nothing_is_left_of_a_listener_that_went() -> None:
    hub = started()
    listener = Listener(5, [EXPLORE, "tag:x"], 0)
    come_in(hub, listener)
    hub.subscribe(listener, "post:3")
    hub.leave(listener)
    assert not hub.listeners
    assert hub.viewers() == frozenset()
    await hub.publish([post_event(1, EXPLORE, "tag:x", "post:3")])
    assert not listener.behind


async def test_subscribing_later_starts_at_the_present_position() -> None:
    hub = started(10)
    listener = Listener(None, [], 10)
    come_in(hub, listener)
    await hub.publish([post_event(11, EXPLORE)])
    assert hub.subscribe(listener, EXPLORE) == 11
    await hub.publish([post_event(12, EXPLORE)])
    assert ids(hub, listener) == [12]


async def test_newcomers_find_in_the_ring_the_replies_of_which_they_follow_both_sides() -> None:
    hub = started()
    reply = published(post(2, author=1, answers=(1, 9)), "post:1")
    await hub.publish([reply])
    both, one, writer = (Listener(n, [HOME], 0) for n in (5, 6, 1))
    come_in(hub, both, one, writer, homes={1: {1, 5, 6}, 9: {5}})
    assert [ids(hub, listener) for listener in (both, one, writer)] == [[2], [], [2]]

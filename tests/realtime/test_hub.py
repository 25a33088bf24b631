"""The hub: who is woken by what, and what the ring still holds."""

from microblog.core.events import Kind, LoggedEvent
from microblog.queries.events import EXPLORE, HOME, Delivery
from microblog.realtime.hub import RING_EVENTS, Hub, Listener


def post_event(event_id: int, *topics: str, homes: set[int] | None = None) -> Delivery:
    event = LoggedEvent(event_id, Kind.POST_PUBLISHED, 1, None, event_id)
    return Delivery(event, frozenset(topics), homes or set())


def own_event(event_id: int, user_id: int, kind: Kind = Kind.NOTIFIED) -> Delivery:
    return Delivery(LoggedEvent(event_id, kind, 1, user_id, 7))


def started(head: int = 0) -> Hub:
    hub = Hub()
    hub.start("epoch", head)
    return hub


def ids(hub: Hub, listener: Listener) -> list[int] | None:
    newer = hub.after(listener.cursor)
    if newer is None:
        return None
    return [d.event.id for d in newer if d.concerns(listener.viewer_id, listener.topics)]


def test_only_listeners_of_the_topic_are_woken() -> None:
    hub = started()
    explorer, tagged = Listener(None, [EXPLORE], 0), Listener(None, ["tag:python"], 0)
    hub.join(explorer)
    hub.join(tagged)
    hub.publish([post_event(1, EXPLORE)])
    assert (explorer.behind, tagged.behind) == (True, False)
    assert hub.position(tagged) == 1


def test_home_is_for_those_who_follow() -> None:
    hub = started()
    follower, stranger = Listener(5, [HOME], 0), Listener(6, [HOME], 0)
    hub.join(follower)
    hub.join(stranger)
    hub.publish([post_event(1, EXPLORE, homes={5})])
    assert (follower.behind, stranger.behind) == (True, False)


def test_what_concerns_one_person_reaches_all_their_connections_and_nobody_else() -> None:
    hub = started()
    mine = [Listener(5, [], 0), Listener(5, [EXPLORE], 0)]
    others = [Listener(6, [EXPLORE, HOME], 0), Listener(None, [EXPLORE], 0)]
    for listener in mine + others:
        hub.join(listener)
    hub.publish([own_event(1, 5)])
    assert [x.behind for x in mine] == [True, True]
    assert [x.behind for x in others] == [False, False]


def test_changed_relations_concern_home_listeners_only() -> None:
    hub = started()
    home, profile = Listener(5, [HOME], 0), Listener(5, ["user:9"], 0)
    hub.join(home)
    hub.join(profile)
    hub.publish([own_event(1, 5, Kind.RELATIONS_CHANGED)])
    assert (home.behind, profile.behind) == (True, False)


def test_woken_listener_starts_where_it_had_all_before() -> None:
    hub = started(10)
    listener = Listener(None, [EXPLORE], 10)
    hub.join(listener)
    hub.publish([post_event(11, "tag:x"), post_event(12, "tag:x")])
    hub.publish([post_event(13, EXPLORE)])
    assert listener.cursor == 12
    assert ids(hub, listener) == [13]


def test_listener_that_is_ahead_of_this_process_is_not_told_twice() -> None:
    """Another process was quicker: the page it made lies beyond this one's head."""
    hub = started(10)
    listener = Listener(None, [EXPLORE], 12)
    hub.join(listener)
    assert not listener.behind
    hub.publish([post_event(11, EXPLORE), post_event(12, EXPLORE), post_event(13, EXPLORE)])
    assert ids(hub, listener) == [13]


def test_newcomer_reads_itself_what_is_being_asked_for_others() -> None:
    hub = started(10)
    hub.reading_to = 15
    listener = Listener(5, [HOME], 10)
    hub.join(listener)
    assert listener.behind
    assert listener.read_to == 15


def test_ring_says_so_when_it_begins_later() -> None:
    hub = started()
    for number in range(1, RING_EVENTS + 2):
        hub.publish([post_event(number, EXPLORE)])
    assert hub.after(0) is None
    newer = hub.after(1)
    assert newer is not None
    assert next(iter(newer)).event.id == 2


def test_nothing_is_left_of_a_listener_that_went() -> None:
    hub = started()
    listener = Listener(5, [EXPLORE, "tag:x"], 0)
    hub.join(listener)
    hub.subscribe(listener, "post:3")
    hub.leave(listener)
    assert not hub.listeners
    assert hub.viewers() == frozenset()
    hub.publish([post_event(1, EXPLORE, "tag:x", "post:3")])
    assert not listener.behind


def test_subscribing_later_starts_at_the_present_position() -> None:
    hub = started(10)
    listener = Listener(None, [], 10)
    hub.join(listener)
    hub.publish([post_event(11, EXPLORE)])
    assert hub.subscribe(listener, EXPLORE) == 11
    hub.publish([post_event(12, EXPLORE)])
    assert ids(hub, listener) == [12]

"""The limiter of quick things: evenly, with a burst, and without a memory for what is over."""

import pytest

from microblog.core.errors import TooManyTries
from microblog.edge.limits import RateLimiter


def test_burst_is_let_through_and_then_one_a_step() -> None:
    limiter = RateLimiter(3, 60)
    assert [limiter.take("mina", 0).remaining for _ in range(3)] == [2, 1, 0]
    with pytest.raises(TooManyTries) as refused:
        limiter.take("mina", 1)
    assert refused.value.retry_after_seconds == 19
    assert limiter.take("june", 1).remaining == 2
    assert limiter.take("mina", 20).remaining == 0
    assert limiter.take("mina", 200).remaining == 2


def test_who_has_all_of_their_limit_back_is_forgotten() -> None:
    limiter = RateLimiter(3, 60)
    for number in range(1000):
        limiter.take(str(number), 0)
    assert len(limiter) == 1000
    limiter.take("mina", 1)  # nobody's limit is back yet
    assert len(limiter) == 1001
    for second in range(500):
        limiter.take("june", 100 + 20 * second)
    assert len(limiter) <= 2


def test_who_is_at_the_limit_is_not_forgotten_while_others_come() -> None:
    limiter = RateLimiter(3, 60)
    for _ in range(3):
        limiter.take("mina", 0)
    for number in range(100):
        limiter.take(str(number), 19)
    with pytest.raises(TooManyTries):
        limiter.take("mina", 19)

"""One machine at a time is at a host of a shared database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from storage.store import Store

A, B = "www.yunling.gov.cn", "file.yunling.gov.cn"


@pytest.fixture
def shared(postgres_url: str) -> Iterator[Store]:
    with Store(postgres_url) as made:
        yield made


def over(store: Store) -> None:
    """Every lease and gap has ended."""
    with store._note() as session:
        session.connection().execute(text("UPDATE host SET rests_until = now() - interval '1 second'"))


def test_a_host_has_one_visitor_and_then_its_gap(shared: Store) -> None:
    token = shared.claim_host(A)
    assert token is not None
    assert shared.claim_host(A) is None
    assert shared.claim_host(B) is not None
    shared.leave_host(A, token, 60)
    assert shared.claim_host(A) is None, "the gap after the last request is kept by all"
    over(shared)
    again = shared.claim_host(A)
    assert again is not None and again != token
    shared.leave_host(A, again, 0)
    assert shared.claim_host(A) is not None


def test_who_was_away_until_its_lease_ended_is_not_there_any_more(shared: Store) -> None:
    late, kept = shared.claim_host(A), shared.claim_host(B)
    assert late is not None and kept is not None
    with shared._note() as session:
        session.connection().execute(text("UPDATE host SET rests_until = now() WHERE host = :a"), {"a": A})
    taken = shared.claim_host(A)
    renewed: Any = shared.renew_hosts({A: late, B: kept})
    assert list(renewed) == [B] and renewed[B] > kept
    assert shared.renew_hosts({B: kept}) == {}, "a token is good until the next one"
    shared.leave_host(A, late, 0)
    assert shared.claim_host(A) is None, "and it cannot end what is another's"
    assert taken is not None and shared.renew_hosts({A: taken})

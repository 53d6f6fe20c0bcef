"""That somebody cannot open the page is told once, and its end once."""

from dashboard.browsers import QUIET_LOOKS, Crowding
from dashboard.server.turned_away import Bound, TurnedAway


def test_it_is_told_once_and_ends_after_a_quiet_minute() -> None:
    turned_away = TurnedAway()
    crowding = Crowding(turned_away)
    assert crowding.look() is None
    turned_away.add(Bound.PAGES)
    assert crowding.look() == "too_many_pages"
    turned_away.add(Bound.CONNECTIONS)
    assert [crowding.look() for _ in range(QUIET_LOOKS)] == [None] * QUIET_LOOKS
    assert crowding.look() == ""
    assert crowding.look() is None
    turned_away.add(Bound.CONNECTIONS)
    assert crowding.look() == "too_many_connections"


def test_a_page_that_did_not_keep_up_comes_back_by_itself() -> None:
    turned_away = TurnedAway()
    crowding = Crowding(turned_away)
    turned_away.add(Bound.PAGE_QUEUE)
    assert crowding.look() is None


def test_what_a_process_before_has_told_is_taken_back() -> None:
    crowding = Crowding(TurnedAway(), told=True)
    assert [crowding.look() for _ in range(QUIET_LOOKS)] == [None] * (QUIET_LOOKS - 1) + [""]

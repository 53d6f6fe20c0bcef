"""The audit's lines and the tokens, on both kinds of store."""

from dataclasses import replace

from gateway.store.audit import KEPT_MS, STRANGERS_KEPT_MS, SWEPT_EACH_MS, Asked, Audited, Sort
from gateway.store.sql import Store
from gateway.store.tokens import Token

LINE = Audited(1_760_000_000_000, "wang", "127.0.0.1", "acknowledge", "A000001", "done")


async def test_lines_come_by_pages_newest_first(store: Store) -> None:
    for n in range(5):
        await store.audit.add(replace(LINE, at=LINE.at + n, who="wang" if n % 2 else ""))
    first = await store.audit.page(limit=3)
    assert [line.at - LINE.at for _, line in first] == [4, 3, 2]
    rest = await store.audit.page(before=first[-1][0], limit=3)
    assert [line.at - LINE.at for _, line in rest] == [1, 0]
    assert [line.at - LINE.at for _, line in await store.audit.page(Asked(who="wang"))] == [3, 1]
    assert (await store.audit.page(Asked(who="nobody"))) == []


async def test_lines_are_narrowed(store: Store) -> None:
    made = [
        LINE,
        replace(LINE, what="user.change", about="li viewer disabled"),
        replace(LINE, who="", what="login", about="", outcome="bad_login"),
        replace(LINE, what="/api/v1/alarms", about="", outcome="look"),
        replace(LINE, about="A0000012"),
    ]
    for n, line in enumerate(made):
        await store.audit.add(replace(line, at=n))
    for asked, wanted in (
        (Asked(), [0, 1, 2, 3, 4]),
        (Asked(about="A000001"), [0]),
        (Asked(about="li"), [1]),
        (Asked(about="disabled"), [1]),
        # Not a pattern of the store's, nor a part of an id.
        (Asked(about="A00000_"), []),
        (Asked(about="%"), []),
        (Asked(sort=Sort.WRITE), [0, 1, 4]),
        (Asked(sort=Sort.LOOK), [3]),
        (Asked(sort=Sort.REFUSED), [2]),
        (Asked(since=1, until=3), [1, 2]),
        (Asked(who="wang", sort=Sort.WRITE, since=1), [1, 4]),
        (Asked(who=""), [2]),
    ):
        assert [line.at for _, line in await store.audit.page(asked)] == sorted(wanted, reverse=True), asked


async def test_old_lines_go_and_those_of_strangers_sooner(store: Store) -> None:
    await store.audit.add(LINE)
    await store.audit.add(replace(LINE, who="", outcome="login_needed"))
    await store.audit.add(replace(LINE, at=LINE.at + STRANGERS_KEPT_MS, what="a"))
    assert len(await store.audit.page()) == 3, "as long as they are kept, and not a moment less"
    await store.audit.add(replace(LINE, at=LINE.at + STRANGERS_KEPT_MS + SWEPT_EACH_MS, what="b"))
    assert [line.what for _, line in await store.audit.page()] == ["b", "a", "acknowledge"]
    await store.audit.add(replace(LINE, at=LINE.at + KEPT_MS + SWEPT_EACH_MS, what="c"))
    assert [line.what for _, line in await store.audit.page()] == ["c", "b", "a"]


async def test_a_token_opens_until_it_ends(store: Store) -> None:
    token = Token("t1", "h1", "grafana", "viewer", 10, "wang", expires=100)
    await store.tokens.add(token)
    await store.tokens.add(Token("t2", "h2", "backup", "admin", 20, "wang"))
    assert [one.id for one in await store.tokens.all()] == ["t2", "t1"]
    assert await store.tokens.valid("h1", 99) == token
    assert await store.tokens.valid("h1", 100) is None
    assert await store.tokens.valid("h2", 2**50) is not None, "without an end"
    assert await store.tokens.valid("h3", 10) is None
    await store.tokens.use("t1", 50)
    assert (await store.tokens.all())[1] == replace(token, used=50)
    assert await store.tokens.revoke("t1", 60)
    assert not await store.tokens.revoke("t1", 70)
    assert not await store.tokens.revoke("t9", 70)
    assert await store.tokens.valid("h1", 61) is None
    assert (await store.tokens.all())[1].revoked == 60

"""Users and sessions: an expired session or a disabled user opens nothing."""

import dataclasses

import pytest

from gateway.store.accounts import Session, User
from gateway.store.errors import StoreError
from gateway.store.sql import Store

USER = User("li", "hash", "operator", 5, person="p1")


async def test_a_session_ends_by_time_by_logout_and_with_its_user(store: Store) -> None:
    accounts = store.accounts
    await accounts.add_user(USER)
    await accounts.add_user(User("wang", "hash", "admin", 6))
    assert [one.name for one in await accounts.users()] == ["li", "wang"]
    session = Session("t1", "li", "c1", 10, 100)
    await accounts.add_session(session)
    assert await accounts.session("t1", 99) == (session, USER)
    assert await accounts.session("t1", 100) is None
    assert await accounts.session("t2", 10) is None
    await accounts.extend_session("t1", 200)
    assert await accounts.session("t1", 199) is not None
    await accounts.end_session("t1")
    assert await accounts.session("t1", 50) is None

    await accounts.add_session(Session("t3", "li", "c", 300, 400))
    changed = dataclasses.replace(USER, password="other", disabled=True)
    assert await accounts.change_user(changed)
    assert await accounts.session("t3", 301) is None
    assert await accounts.user("li") == changed
    await accounts.add_session(Session("t4", "li", "c", 300, 400))
    assert await accounts.session("t4", 301) is None
    assert await accounts.remove_user("li")
    assert not await accounts.remove_user("li")
    assert not await accounts.change_user(USER)


@pytest.mark.parametrize("name", ["li\x00", "\ud800", "li\n", "\x00"])
async def test_nobody_is_called_what_a_store_cannot_be_asked_for(store: Store, name: str) -> None:
    await store.accounts.add_user(USER)
    assert await store.accounts.user(name) is None
    assert not await store.tokens.revoke(name, 5)


async def test_a_name_is_taken_once(store: Store) -> None:
    await store.accounts.add_user(USER)
    with pytest.raises(StoreError) as caught:
        await store.accounts.add_user(USER)
    assert not caught.value.transient


async def test_a_secret_is_made_once(store: Store) -> None:
    first = await store.records.secret("salt")
    assert len(first) == 32
    assert await store.records.secret("salt") == first
    assert await store.records.secret("other") != first


async def test_the_last_of_a_role_is_kept(store: Store) -> None:
    accounts, admin = store.accounts, User("wang", "hash", "admin", 6)
    await accounts.add_user(admin)
    await accounts.add_user(USER)
    for change in (dataclasses.replace(admin, disabled=True), dataclasses.replace(admin, role="staff")):
        assert not await accounts.change_user(change, keeping="admin")
        assert await accounts.user("wang") == admin
    assert await accounts.change_user(dataclasses.replace(admin, password="other"), keeping="admin")
    assert await accounts.change_user(dataclasses.replace(USER, disabled=True), keeping="admin")


async def test_the_first_user_is_made_where_there_is_none(store: Store) -> None:
    assert await store.accounts.add_first(USER)
    assert not await store.accounts.add_first(User("wang", "hash", "admin", 6))
    assert [one.name for one in await store.accounts.users()] == ["li"]

"""Who is behind the Unix socket: its rights keep others out, and if they ever do not, the peer's id does."""

import os
import socket
import struct
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request

from dashboard.server.guard import _local_user
from dashboard.server.problem import ProblemError


def _peer(uid: int, family: socket.AddressFamily = socket.AF_UNIX) -> Mock:
    connection = Mock(family=family)
    connection.getsockopt.return_value = struct.pack("3i", 4711, uid, uid)
    transport = Mock()
    transport.get_extra_info.side_effect = {"socket": connection}.get
    return transport


@pytest.mark.parametrize("uid", [os.getuid(), 0])
def test_who_runs_us_and_root_are_trusted(uid: int) -> None:
    assert _local_user(make_mocked_request("POST", "/api/v1/actions", transport=_peer(uid)))


def test_another_user_of_the_machine_is_not() -> None:
    with pytest.raises(ProblemError, match="other_user"):
        _local_user(make_mocked_request("POST", "/api/v1/actions", transport=_peer(os.getuid() + 4242)))


def test_nobody_on_tcp_is_local() -> None:
    request = make_mocked_request("POST", "/api/v1/actions", transport=_peer(0, socket.AF_INET))
    assert _local_user(request) is None

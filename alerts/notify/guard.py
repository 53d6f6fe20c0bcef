"""The guard at a webhook's socket: a name may lead anywhere, so the address itself is judged when it is connected.

Judging the name before would pass a name that answers differently the second time (DNS rebinding).
Addresses: IANA special-purpose registries, as `ipaddress.is_global` knows them; RFC 6052 for NAT64.
"""

import errno
import ipaddress
import socket
from collections.abc import Callable

AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[str | int, ...]]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class PrivateAddressError(PermissionError):
    """The name leads to an address inside (private, loopback, link-local, multicast), which the site does not allow."""

    def __init__(self) -> None:
        # One sentence for every address: several refusals of one name then count as one.
        super().__init__(errno.EACCES, "the address is not a public one")


def is_public(host: str) -> bool:
    """True for an address of the public internet; an IPv4 address inside an IPv6 one is judged by itself."""
    address = ipaddress.ip_address(host.split("%", 1)[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is None and address.teredo is not None:
            return False
        address = inner or address
    return address.is_global and not address.is_multicast


def public_socket(info: AddrInfo) -> socket.socket:
    """Make the socket for one resolved address; raises `PrivateAddressError`."""
    family, kind, protocol, _, where = info
    if family not in (socket.AF_INET, socket.AF_INET6) or not is_public(str(where[0])):
        raise PrivateAddressError
    return socket.socket(family, kind, protocol)


def socket_factory(*, allow_private: bool) -> Callable[[AddrInfo], socket.socket] | None:
    """The guard for aiohttp's connector, or None where the site allows addresses inside."""
    return None if allow_private else public_socket

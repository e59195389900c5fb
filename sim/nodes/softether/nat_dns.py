"""SecureNAT and names: DNS is relayed as it comes, LLMNR is answered. Virtual.c, RFC 1035, 4795.

No cache, no DNS over TCP. LLMNR asks the server's resolver, and says what it said for 1200 s.
"""

from typing import NamedTuple

from sim.nodes.outside import question, record
from virtualtap.units import MS, Duration

DNS, LLMNR = 53, 5355
NAT_DNS_QUERY_TIMEOUT: Duration = 512 * MS  # Virtual.h: for the resolver's answer
NAT_DNS_RESPONSE_TTL = 1200  # seconds; Virtual.h
_A, _PTR = 1, 12
_QUERY, _RESPONSE = b"\x01\x00", b"\x80\x00"  # RFC 1035 4.1.1: recursion desired; RFC 4795 2.1.1
_COUNTS = 8  # bytes of four counts


class Llmnr(NamedTuple):
    """A question that the resolver is asked on behalf of a client."""

    query: bytes  # as the client sent it
    end: int  # of its question


def read_llmnr(query: bytes) -> Llmnr | None:
    """A question for A or PTR, class IN; None for anything else."""
    asked = question(query)
    if asked is None or asked[1] not in (_A, _PTR):
        return None
    return Llmnr(query, asked[2])


def to_resolver(asked: Llmnr) -> bytes:
    """The DNS query that the server's own resolver makes of it."""
    counts = b"\0\1" + bytes(_COUNTS - 2)
    return asked.query[:2] + _QUERY + counts + asked.query[12 : asked.end]


def to_client(asked: Llmnr, answer: bytes) -> bytes | None:
    """The LLMNR response with the first record of the answer; None where it has none.

    Only answers whose record names the question by a pointer are read, as resolvers write it.
    """
    at, kind = asked.end, asked.query[asked.end - 4 : asked.end - 2]
    if int.from_bytes(answer[6:8]) < 1 or answer[at : at + 4] != b"\xc0\x0c" + kind:
        return None
    length = int.from_bytes(answer[at + 10 : at + 12])
    data = answer[at + 12 : at + 12 + length]
    head = asked.query[:2] + _RESPONSE + b"\0\1\0\1" + bytes(4)
    made = record(int.from_bytes(kind), data, NAT_DNS_RESPONSE_TTL)
    return head + asked.query[12 : asked.end] + made

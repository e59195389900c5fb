"""A cascade: the link of two hubs, a session at both ends. Link.c.

The local end is a session of the user "link" with the link's policy; it dials. The remote end is a
client in bridge mode. Each hub deals with what comes as with any session's frames: nothing keeps a
loop of cascades from looping.
"""

from sim.nodes.softether.constants import Constants
from sim.nodes.softether.policy import Kind
from virtualtap.units import SECOND, Duration, Instant

RETRY_INTERVAL: Duration = 10 * SECOND  # without end; Link.c:NewLink


def queue_of(kind: Kind, constants: Constants) -> int:
    """How many frames wait for a session's connection: a cascade has a queue of its own behind."""
    queues = 2 if kind is Kind.CASCADE else 1
    return queues * constants.MAX_STORED_QUEUE_NUM


def next_try(ended: Instant, now: Instant, every: Duration) -> Instant:
    """The next of the tries that come each `every` since a session ended."""
    return ended + -(-(now - ended) // every) * every

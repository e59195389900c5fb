"""The real side of bouts: one server and one client, a hub for each bout, all played at once."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector

from sim.live.bout import Bout, Heard, Played, Say
from sim.live.namespace import Namespace
from sim.live.nat_bouts import ANYBODY
from sim.live.packet_socket import PacketSocket
from sim.live.softether import SERVER_IP, Program, established, password, until, wire
from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire.address import Mac, mac

_MTU = "9000"  # of the devices: more than the product carries, so that it is the product that cuts
_AFTERWARDS: Duration = 600 * MS  # what is still listened to after the last word


@dataclass(slots=True)
class _Place:
    """A port of a bout on the stage."""

    bout: int
    letter: str
    device: str
    namespace: Namespace
    socket: PacketSocket | None = None


class Stage:
    """A server with the hubs of some bouts, and a client with their sessions."""

    def __init__(self, bouts: Sequence[Bout], server: Program, client: Program) -> None:
        self._bouts = bouts
        self.server, self.client = server, client
        self._places = [
            _Place(i, letter, *self._device(i, letter))
            for i, bout in enumerate(bouts)
            for letter in bout.ports
        ]
        self.nat_macs: dict[int, Mac] = {}

    def build(self) -> None:
        """Hubs, users, bridges, sessions: until all are there."""
        words = {f"{i}{a}": password() for i, bout in enumerate(self._bouts) for a in bout.ports}
        self.server.command("KeepDisable", *self._server_lines(words))
        if any(place.letter.islower() for place in self._places):
            self.client.command(*self._client_lines(words))
        for place in self._places:
            namespace, device = place.namespace, place.device
            until(lambda n=namespace, d=device: _is_there(n, d), f"there is no {device}")  # type: ignore[misc]  # bound now
            namespace.ip("link", "set", device, "mtu", _MTU, "up")
        self._settle()

    def open(self, stack: ExitStack) -> None:
        """A packet socket on every device."""
        for place in self._places:
            place.socket = PacketSocket(place.namespace, place.device)
            stack.callback(place.socket.close)

    def play(self) -> list[Played]:
        """Play all bouts at once: what was said and heard in each."""
        script = sorted(
            (say.at, i, n, say)
            for i, bout in enumerate(self._bouts)
            for n, say in enumerate(bout.script)
        )
        sockets = {(place.bout, place.letter): place.socket for place in self._places}
        said: list[list[Say]] = [[] for _ in self._bouts]
        heard: list[list[Heard]] = [[] for _ in self._bouts]
        with DefaultSelector() as selector:
            for place in self._places:
                assert place.socket is not None
                place.socket.receive()  # what came before
                selector.register(place.socket, EVENT_READ, place)
            start = time.time_ns() + 50 * MS
            for at, i, _, say in script:
                _listen(selector, start, start + at, heard)
                frame = self._addressed(i, say.frame)
                said[i].append(say._replace(at=time.time_ns() - start, frame=frame))
                speaker = sockets[i, say.port]
                assert speaker is not None
                if say.frame:
                    speaker.send(said[i][-1].frame)
            _listen(selector, start, time.time_ns() + _AFTERWARDS, heard)
        return [Played(*both) for both in zip(said, heard, strict=True)]

    def _addressed(self, bout: int, frame: bytes) -> bytes:
        """With SecureNAT's MAC, which is drawn when it begins."""
        return self.nat_macs[bout] + frame[6:] if frame[:6] == ANYBODY else frame

    def _device(self, bout: int, letter: str) -> tuple[str, Namespace]:
        if letter.isupper():
            return f"tap_b{bout}{letter.lower()}", self.server.namespace
        return f"vpn_c{bout}{letter}", self.client.namespace

    def _server_lines(self, words: dict[str, str]) -> Iterator[str]:
        for i, bout in enumerate(self._bouts):
            yield f"HubCreate H{i} /PASSWORD:{password()}"
            for letter in bout.bridges:
                yield f"BridgeCreate H{i} /DEVICE:b{i}{letter.lower()} /TAP:yes"
            yield f"Hub H{i}"
            if bout.threshold:
                yield f"ExtOptionSet BroadcastStormDetectionThreshold /VALUE:{bout.threshold}"
            if bout.nat:
                yield "SecureNatEnable"
            for letter in bout.clients:
                yield f"UserCreate u{i}{letter} /GROUP:none /REALNAME:none /NOTE:none"
                yield f"UserPasswordSet u{i}{letter} /PASSWORD:{words[f'{i}{letter}']}"

    def _client_lines(self, words: dict[str, str]) -> Iterator[str]:
        for place in self._places:
            name = f"c{place.bout}{place.letter}"
            if place.letter.islower():
                where = f"/SERVER:{SERVER_IP}:5555 /HUB:H{place.bout}"
                yield f"NicCreate {name}"
                yield f"AccountCreate {name} {where} /USERNAME:u{name[1:]} /NICNAME:{name}"
                yield f"AccountPasswordSet {name} /PASSWORD:{words[name[1:]]} /TYPE:standard"
                yield f"AccountConnect {name}"

    def _settle(self) -> None:
        """Wait for the sessions and the machines inside."""
        sessions = sum(place.letter.islower() for place in self._places)
        if sessions:
            until(
                lambda: established(self.client) >= sessions,
                f"not all of {sessions} sessions are established",
            )
        for i, bout in enumerate(self._bouts):
            if bout.nat:
                said = self.server.command(f"Hub H{i}", "SecureNatHostGet")
                line = next(line for line in said.splitlines() if line.startswith("MAC Address"))
                self.nat_macs[i] = mac(line.partition("|")[2].strip().replace("-", ":"))


@contextmanager
def staged(bouts: Sequence[Bout]) -> Iterator[Stage]:
    """A stage for these bouts, ready to play, and gone afterwards. Missing where it cannot be."""
    with ExitStack() as stack:
        spaces = [stack.enter_context(Namespace(role)) for role in ("server", "client")]
        wire(*spaces)
        programs = [
            stack.enter_context(Program(kind, space))
            for kind, space in zip(("vpnserver", "vpnclient"), spaces, strict=True)
        ]
        for program in programs:
            program.start()
        stage = Stage(bouts, *programs)
        stage.build()
        stage.open(stack)
        yield stage


def _is_there(namespace: Namespace, device: str) -> bool:
    with namespace.entered():
        return any(name == device for _, name in socket.if_nameindex())


def _listen(
    selector: DefaultSelector, start: Instant, until_then: Instant, heard: list[list[Heard]]
) -> None:
    """Keep what comes until then."""
    while (left := until_then - time.time_ns()) > 0:
        for key, _ in selector.select(left / SECOND):
            place: _Place = key.data
            assert place.socket is not None
            heard[place.bout] += [
                Heard(at - start, place.letter, frame) for at, frame in place.socket.receive()
            ]

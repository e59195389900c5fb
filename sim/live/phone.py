"""A phone: a namespace with only a TUN, and the engine between it and a session of a real hub."""

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from subprocess import CalledProcessError

from sim.live.dhcp_peers import dhclient
from sim.live.fidelity import Row, Section
from sim.live.kernel import open_in
from sim.live.namespace import Namespace, die_with_parent
from sim.live.packages import unpack
from sim.live.packet_socket import PacketSocket
from sim.live.softether import SERVER_IP, Program, established, password, until, wire
from virtualtap.config import TapConfig
from virtualtap.drivers.descriptor import Descriptor, carry
from virtualtap.drivers.log import LoggedTap
from virtualtap.tap import VirtualTap
from virtualtap.wire.address import ip, ip_text, mac

GATEWAY, PEER, SUBNET = "192.168.30.1", "192.168.30.99", "192.168.30.0/24"
OURS6, PEER6 = "fd00:30::1", "fd00:30::99"
_OUR_MAC = mac("02:00:5e:50:00:01")
_PATIENCE = 15  # seconds
_RETURN = 60  # seconds after a restart
_TEXT = (
    "A namespace with only a TUN, the engine, and a session of the real client: its kernel against"
    " SecureNAT, and against the kernel of a second client of the same hub."
)


class SessionChannel:
    """The network card of a client as the engine's LAN side."""

    def __init__(self, card: PacketSocket) -> None:
        self._card = card

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._card.fileno()

    def read(self) -> list[bytes] | None:
        """What is there; None where the card went down."""
        try:
            return [frame for _, frame in self._card.receive()]
        except OSError:
            return None

    def write(self, batch: list[bytes]) -> None:
        """Send frames, or lose them."""
        with suppress(OSError):
            for frame in batch:
                self._card.send(frame)


class Phone:
    """The phone, its server, and a second client: `plug_in` is `with`."""

    def __init__(self, stack: ExitStack) -> None:
        """Missing where there is no TUN, no namespace, no SoftEther."""
        self.tools = unpack("iputils-arping", "iputils-ping")
        spaces = [stack.enter_context(Namespace(role)) for role in ("server", "client")]
        self.peer = stack.enter_context(Namespace("peer", ipv6=True))
        self.here = stack.enter_context(Namespace("phone", ipv6=True))
        wire(*spaces)
        self.server = stack.enter_context(Program("vpnserver", spaces[0]))
        self.client = stack.enter_context(Program("vpnclient", spaces[1]))
        self.server.start()
        self.client.start()
        words = {name: password() for name in ("phone", "peer")}
        self._invite(words)
        self._accounts = _account_lines(words)
        self._connect()
        self.address = self._start(stack)
        self._configure()

    def _invite(self, words: dict[str, str]) -> None:
        lines = ["KeepDisable", f"HubCreate LAB /PASSWORD:{password()}", "Hub LAB"]
        for name, word in words.items():
            lines.append(f"UserCreate {name} /GROUP:none /REALNAME:none /NOTE:none")
            lines.append(f"UserPasswordSet {name} /PASSWORD:{word}")
        self.server.command(*lines, "SecureNatEnable", "Flush")

    def _connect(self) -> None:
        """The two sessions; the second client has its card in a namespace of its own."""
        self.client.command(*self._accounts)
        until(lambda: established(self.client) >= 2, "the two sessions are not established")
        self.client.namespace.ip("link", "set", "vpn_phone", "up")
        self.client.namespace.ip("link", "set", "vpn_peer", "netns", self.peer.name)
        self.peer.ip("link", "set", "vpn_peer", "up")
        self.peer.ip("address", "add", f"{PEER}/24", "dev", "vpn_peer")
        self.peer.ip("address", "add", f"{PEER6}/64", "dev", "vpn_peer", "nodad")

    def _start(self, stack: ExitStack) -> str:
        """Start the engine; the address that SecureNAT lends it."""
        tun = open_in(self.here, "tun", "tun0")
        stack.callback(os.close, tun)
        config = TapConfig(our_mac=_OUR_MAC, our_ip6=(ip(OURS6),), dhcp=True, dhcp_delay_max=0)
        context = get_context("fork")
        told, tell = context.Pipe(duplex=False)
        arguments = config, tun, self.client.namespace, tell
        self.process = context.Process(target=_engine, args=arguments, daemon=True)
        self.process.start()
        stack.callback(self.process.join, _PATIENCE)
        stack.callback(self.process.terminate)
        until(lambda: told.poll(0.1), "SecureNAT lends no address", _PATIENCE)
        return ip_text(told.recv())

    def _configure(self) -> None:
        """What a VPN application tells the phone's kernel."""
        here = self.here
        here.ip("link", "set", "tun0", "mtu", "1500", "up")
        here.ip("address", "add", f"{self.address}/24", "dev", "tun0")
        here.ip("address", "add", f"{OURS6}/64", "dev", "tun0", "nodad")
        here.ip("route", "add", "default", "dev", "tun0")

    def pings(self, target: str, patience: float = 3) -> bool:
        """Whether an echo request of the phone is answered in time."""
        program = str(self.tools / "bin/ping")
        try:
            self.here.run(
                program, "-c", "1", "-w", str(int(patience)), target, patience=patience + 3
            )
        except CalledProcessError:
            return False
        return True

    def is_taken(self) -> bool:
        """Whether the second client's `arping -D` finds the phone's address taken."""
        program = str(self.tools / "usr/bin/arping")
        try:
            self.peer.run(program, "-D", "-I", "vpn_peer", "-c", "2", "-w", "3", self.address)
        except CalledProcessError as error:
            return error.returncode == 1
        return False

    def fails_dad(self) -> bool:
        """Whether the second client's kernel finds the phone's IPv6 address taken."""
        self.peer.ip("address", "add", f"{OURS6}/64", "dev", "vpn_peer")
        deadline = time.monotonic() + 5
        found = False
        while not found and time.monotonic() < deadline:
            time.sleep(0.1)
            found = "dadfailed" in self.peer.ip("address", "show", "dev", "vpn_peer")
        self.peer.ip("address", "del", f"{OURS6}/64", "dev", "vpn_peer")
        return found

    def restart_server(self) -> float:
        """End the server as a power cut does, start it again: seconds until a ping is answered.

        The client begins anew too: 5.01's gets no working session of a server that was restarted.
        """
        start = time.monotonic()
        for program in (self.server, self.client):
            program.stop()
        for program in (self.server, self.client):
            program.start()
        self._connect()
        until(lambda: self.pings(GATEWAY, 1), "nothing passes after the restart", _RETURN)
        return time.monotonic() - start


@contextmanager
def phone() -> Iterator[Phone]:
    """A phone that has joined, and nothing of it afterwards."""
    with ExitStack() as stack:
        yield Phone(stack)


@contextmanager
def conversation(
    listener: Namespace, caller: Namespace, target: str
) -> Iterator[list[socket.socket]]:
    """A TCP connection from one namespace to an address of another: both ends."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    with ExitStack() as stack:
        with listener.entered():
            door = stack.enter_context(socket.create_server((target, 0), family=family))
        with caller.entered():
            one = stack.enter_context(socket.create_connection(door.getsockname()[:2], _PATIENCE))
        other, _ = door.accept()
        stack.enter_context(other)
        other.settimeout(_RETURN)
        one.settimeout(_RETURN)
        yield [one, other]


def converses(ends: list[socket.socket], length: int = 200_000) -> bool:
    """Whether so many bytes get from each end to the other; less than its socket buffers hold."""
    text = os.urandom(1000) * (length // 1000)
    for one, other in (ends, ends[::-1]):
        one.sendall(text)
        got = b""
        while len(got) < len(text) and (more := other.recv(65536)):
            got += more
        if got != text:
            return False
    return True


def exchanges(listener: Namespace, caller: Namespace, target: str) -> bool:
    """Whether a datagram gets there, and its answer back."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    with ExitStack() as stack:
        ends = []
        for space in (listener, caller):
            with space.entered():
                ends.append(stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)))
            ends[-1].settimeout(_PATIENCE)
        ends[0].bind((target, 0))
        ends[1].sendto(b"question", ends[0].getsockname()[:2])
        question, caller_address = ends[0].recvfrom(100)
        ends[0].sendto(b"answer", caller_address)
        return (question, ends[1].recv(100)) == (b"question", b"answer")


def sections() -> Iterator[Section]:
    """What a phone must be able to do; a minute. Missing where it cannot be."""
    with phone() as there:
        yield Section("The phone on a real hub", _TEXT, list(_rows(there)))


def _rows(there: Phone) -> Iterator[Row]:
    def row(what: str, happens: bool, words: str = "") -> Row:
        return Row(what, "yes", words or ("yes" if happens else "no"), happens)

    here, peer = there.here, there.peer
    lent = there.address.startswith("192.168.30.")
    yield row("SecureNAT lends an address", lent, f"yes: {there.address}" if lent else "")
    yield row("the gateway answers a ping", there.pings(GATEWAY))
    for target, version in ((PEER, 4), (PEER6, 6)):
        own = there.address if version == 4 else OURS6
        yield row(f"UDP over IPv{version} to the second client", exchanges(peer, here, target))
        yield row(f"UDP over IPv{version} from it", exchanges(here, peer, own))
        for listener, caller, to, text in ((peer, here, target, "to"), (here, peer, own, "from")):
            with conversation(listener, caller, to) as ends:
                yield row(f"TCP over IPv{version} {text} the second client", converses(ends))
    other = dhclient(peer, "vpn_peer")
    words = f"yes: {other}" if other else "no"
    yield row("`dhclient` there is lent another", other not in ("", there.address), words)
    yield row("`arping -D` finds its address taken", there.is_taken())
    yield row("a kernel's IPv6 DAD fails against it", there.fails_dad())
    with conversation(peer, here, PEER) as ends:
        before = converses(ends)
        seconds = there.restart_server()
        words = f"yes: the gateway answers {seconds:.1f} s after the server went"
        lives = there.process.is_alive()
        yield row("it survives the server's restart", lives, words if lives else "no")
        after = before and converses(ends)
        yield row("a TCP connection from before goes on", after)


def _account_lines(words: dict[str, str]) -> list[str]:
    lines = []
    for name, word in words.items():
        where = f"/SERVER:{SERVER_IP}:5555 /HUB:LAB /USERNAME:{name} /NICNAME:{name}"
        lines += [f"NicCreate {name}", f"AccountCreate {name} {where}"]
        lines += [f"AccountPasswordSet {name} /PASSWORD:{word} /TYPE:standard"]
        lines += [f"AccountConnect {name}"]
    return lines


def _engine(config: TapConfig, tun: int, cards: Namespace, tell: Connection) -> None:
    """Carry until ended, over whatever card is there; what address was lent is told."""
    die_with_parent()
    logging.disable()
    tap = LeaseTold(VirtualTap(config), tell)
    ended = "lan down"
    while ended == "lan down":
        try:
            card = PacketSocket(cards, "vpn_phone")
        except OSError:
            time.sleep(0.05)  # until it is there
            continue
        ended = carry(tap, Descriptor(tun), SessionChannel(card))
        card.close()


class LeaseTold(LoggedTap):
    """A tap that tells of its first lease."""

    def __init__(self, tap: VirtualTap, tell: Connection) -> None:
        super().__init__(tap)
        self._engine, self._tell, self._is_told = tap, tell, False

    def take_frames(self) -> list[bytes]:
        """As the tap's."""
        if not self._is_told and self._engine.learned_ip is not None:
            self._is_told = True
            self._tell.send(self._engine.learned_ip)
        return super().take_frames()

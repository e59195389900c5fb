"""`vtap live`: one function per command, no logic."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import console
from sim.cli.options import FAILED, HELD, Json, Quiet
from sim.run import Order
from sim.scenario import read as read_scenario
from virtualtap.profiles import PROFILES

live = typer.Typer(help="Real devices and real time: Linux, as root.", no_args_is_help=True)


@live.command()
def tunnel(
    tun: Annotated[
        str, typer.Option(help="The device where the host is; made if it is not there.")
    ],
    tap: Annotated[str, typer.Option(help="The device where the LAN is; made if not there.")],
    mac: Annotated[
        str | None, typer.Option(help="Ours on the LAN; without it, one by luck.")
    ] = None,
    addresses: Annotated[
        list[str] | None,
        typer.Option("--address", help="The host's, with its prefix: 10.0.0.2/24, fd00::2/64."),
    ] = None,
    gateways: Annotated[
        list[str] | None, typer.Option("--gateway", help="Who leads out of the LAN.")
    ] = None,
    dhcp: Annotated[bool, typer.Option("--dhcp", help="Ask for a lease.")] = False,
    mtu: Annotated[int, typer.Option(help="Bytes of an IP packet.")] = 1500,
    profile: Annotated[str, typer.Option(help=", ".join(PROFILES))] = "strict",
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Carry packets between a TUN and a TAP until interrupted; then say what came of them."""
    from sim.live import tunnel as carrier  # noqa: PLC0415  # Linux only

    words = carrier.Words(mac, addresses or [], gateways or [], dhcp, mtu, profile)
    config = carrier.config_of(words)
    with console.event_log(quiet=quiet):
        carried = carrier.tunnel(config, tun, tap)
    console.show_carried(carried.summary(), json=json)
    return HELD


@live.command()
def scenario(
    file: Annotated[Path, typer.Argument(help="A scenario file.")],
    attached: Annotated[
        list[str] | None,
        typer.Option("--attach", help="DEVICE=NODE: a TAP for a station, a TUN for a host."),
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="key.key=value, instead of the scenario's.")
    ] = None,
    json: Json = False,
) -> int:
    """Play a simulated network in real time, real hosts in it; until its end, or interrupted."""
    from sim.live.scenario import play  # noqa: PLC0415  # Linux only

    order = Order(
        text=read_scenario(file), folder=file.parent, where=str(file), changes=tuple(changes or ())
    )
    played = play(order, attached or [], console.say)
    console.show_played(played, json=json)
    return FAILED if played["ledger"] else HELD

"""Wrong DHCP clients: those in step with others, or out of it."""

from dataclasses import replace

from sim.conformance.mutants import mutant
from sim.conformance.wrong_clients import client
from virtualtap.config import TapConfig
from virtualtap.lease import Lease
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND


@mutant
def dhcp_renews_in_step(config: TapConfig) -> VirtualTap:
    return client(config, dhcp_fuzz=0)[0]


@mutant
def dhcp_renews_by_much_luck(config: TapConfig) -> VirtualTap:
    return client(config, dhcp_fuzz=config.dhcp_fuzz and 60 * SECOND)[0]


@mutant
def dhcp_rebinds_in_step(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    spread = ours._spread

    def wrong() -> Lease:
        assert ours._asked is not None
        return replace(spread(), rebinds_at=ours._asked.rebinds_at)

    ours._spread = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dhcp_spreads_beyond_its_lease(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)

    def wrong() -> Lease:
        lease, luck = ours._asked, tap._core.rand.below(2 * config.dhcp_fuzz + 1)
        assert lease is not None
        if lease.renews_at is None or lease.rebinds_at is None:
            return lease
        shift = luck - config.dhcp_fuzz
        return replace(
            lease, renews_at=lease.renews_at + shift, rebinds_at=lease.rebinds_at + shift
        )

    ours._spread = wrong  # type: ignore[method-assign]  # a mutant
    return tap

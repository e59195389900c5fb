"""Wrong engines where some sources of a group are asked for. RFC 3376 5.2."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.membership import IS_EX, IS_IN
from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_groups import asked, each, recorded, with_method
from virtualtap.config import TapConfig
from virtualtap.handlers.groups import GroupHandler
from virtualtap.tap import VirtualTap
from virtualtap.wire.address import Ip


@mutant
def does_not_look_at_sources(config: TapConfig) -> VirtualTap:
    return asked(config, lambda query: replace(query, sources=()))


@mutant
def answers_for_the_last_sources(config: TapConfig) -> VirtualTap:
    return with_method(config, "_asked_together", lambda right, group, sources: sources)


@mutant
def answers_for_all_sources_ever_asked(config: TapConfig) -> VirtualTap:
    def wrong(handler: GroupHandler) -> None:
        def together(right: Callable[..., Any], group: Ip, sources: Any) -> Any:
            return handler._asked.get(group, ()) + sources

        swap(handler, "_asked_together", together)

    return each(config, wrong)


@mutant
def excludes_the_sources_asked_for(config: TapConfig) -> VirtualTap:
    return recorded(
        config, lambda record: replace(record, type=IS_EX) if record.type == IS_IN else record
    )

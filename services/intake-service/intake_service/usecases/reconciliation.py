"""Does the count of what came in equal the count of what is accounted for? (A8)

Invariant: for every account 0 is `unaccounted`. What a provider says exists is compared with the arrivals that have a
receipt; what was accepted, counted with each acceptance, with the receipts and complaints that are there; and the
receipts that say they made a complaint with these complaints.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from intake_service.channels.cti import due_before
from intake_service.domain.channels import KeptChannel, Reconciliation, SourceCount
from intake_service.store import calls
from intake_service.store import channels as channel_store
from intake_service.store import counts as store
from intake_service.usecases.deps import Deps

_COUNTS = ("written", "repeated", "direct")


async def reconcile(deps: Deps) -> Reconciliation:
    """Every account that ever received, or that a channel is for, in one snapshot."""
    async with deps.reading() as tx:
        kept = await channel_store.all_of(tx)
        states = await channel_store.states(tx)
        counted = await store.counted(tx)
        receipts = await store.receipts_by_account(tx)
        complaints = await store.complaints_by_account(tx)
        lost = await calls.lost(tx, due_before([each.spec for each in kept], deps.clock.now()))
    by_account: defaultdict[tuple[str, str], list[KeptChannel]] = defaultdict(list)
    for each in kept:
        by_account[each.spec.channel, each.spec.account].append(each)
    sources: list[SourceCount] = []
    for account in sorted({*by_account, *counted, *receipts, *complaints}):
        told = counted.get(account)
        fetched = [states[each.spec.channel_id] for each in by_account[account] if _is_fetched(each, deps)]
        written, repeated, direct = (int(told[name]) for name in _COUNTS) if told else (0, 0, 0)
        there, made = receipts.get(account, (0, 0))
        found = complaints.get(account, 0)
        without_record = sum(lost.get(each.spec.channel_id, 0) for each in by_account[account])
        sources.append(
            SourceCount(
                channel=account[0],
                account=account[1],
                channel_ids=tuple(each.spec.channel_id for each in by_account[account]),
                accepted=written + direct + repeated,
                repeated=repeated,
                receipts=there,
                direct=direct,
                complaints=found,
                exist=sum(state["exist"] for state in fetched) if fetched else None,
                taken=sum(state["taken"] for state in fetched) if fetched else None,
                calls_without_record=without_record,
                # The greater of the two, for a receipt that is gone leaves its complaint without one.
                unaccounted=max(abs(written - there), abs(direct + made - found))
                + sum(abs(state["exist"] - state["taken"]) for state in fetched)
                + without_record,
            )
        )
    return Reconciliation(
        at=deps.clock.now(), unaccounted=sum(each.unaccounted for each in sources), sources=tuple(sources)
    )


def _is_fetched(kept: KeptChannel, deps: Deps) -> bool:
    kind = deps.kinds.get(kept.spec.kind)
    return kind is not None and kind.pull is not None


async def measure(deps: Deps) -> None:
    """Tell the metrics how the counts stand."""
    found = await reconcile(deps)
    gauges = deps.gauges
    gauges.unaccounted.clear()
    for source in found.sources:
        gauges.unaccounted.labels(source.channel, source.account).set(source.unaccounted)
    async with deps.session() as tx:
        await calls.settle(tx)
    async with deps.reading() as tx:
        quarantined = await store.quarantined_by_owner(tx, found.at)
        states = await channel_store.states(tx)
        kept = await channel_store.all_of(tx)
    _tell_quarantine(quarantined.items(), deps)
    gauges.lag.clear()
    for each in kept:
        contact = states[each.spec.channel_id]["last_contact_at"]
        if each.spec.enabled and _is_fetched(each, deps):
            since = contact or each.changed_at
            gauges.lag.labels(each.spec.channel_id, each.spec.kind).set(max(0.0, (found.at - since).total_seconds()))


def _tell_quarantine(quarantined: Iterable[tuple[str, tuple[int, int]]], deps: Deps) -> None:
    deps.gauges.quarantined.clear()
    deps.gauges.overdue.clear()
    for owner, (found, overdue) in quarantined:
        deps.gauges.quarantined.labels(owner).set(found)
        deps.gauges.overdue.labels(owner).set(overdue)


async def measure_regularly(deps: Deps) -> None:
    """Until it is cancelled."""
    while True:
        await measure(deps)
        await asyncio.sleep(deps.settings.reconcile_seconds)

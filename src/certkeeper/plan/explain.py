"""A plan as lines of text."""

from collections.abc import Iterator

from certkeeper.base.events import count
from certkeeper.config.methods import ChallengeType
from certkeeper.plan.actions import (
    Activate,
    CallHook,
    DropNextKey,
    GoLive,
    HeldTooLong,
    Kept,
    KeySource,
    LineagePlan,
    MakeNextKey,
    Order,
    Plan,
    Postponed,
    Prove,
    Reason,
    Rely,
    Serve,
    Stage,
    UseKey,
    Way,
)


def explain(plan: Plan) -> Iterator[str]:
    """The actions that a run starts with, in the order in which it would take them."""
    for ca in plan.register_at:
        yield f"account at {ca}: found by its key, or registered (which needs --accept-terms)"
    for item in plan.lineages:
        yield from _lineage(item)
    for intent in plan.files:
        yield f"file {intent.folder}/{intent.name} of a killed run removed first"
    for told in plan.told:
        yield f"challenge of a killed run for {told.name}: {told.script} is told to clean it first"
    if plan.zones or plan.withdrawals:
        yield ""
        for zone, left in plan.withdrawals.items():
            yield f"zone {zone.name}: {count(len(left), 'record')} of an earlier run withdrawn first"
            yield from (f"    {intent.owner} TXT {intent.rdata}" for intent in left)
        several = len({zone.provider for zone in plan.zones}) > 1
        for zone, owners in plan.zones.items():
            through = f" through {zone.provider}" if several and zone.provider else ""
            names = count(len(owners), "name")
            yield f"zone {zone.name}{through}: one change publishes {names}, another one takes them away"
            yield from (f"    {owner} TXT" for owner in owners)


def _lineage(item: LineagePlan) -> Iterator[str]:
    if isinstance(item.error, Postponed):
        yield f"{item.alias}: due, but not in this run ({item.detail})"
        yield f"    {item.error}"
        return
    if isinstance(item.error, Kept):
        yield f"{item.alias}: stays as it is ({item.detail})"
        yield f"    {item.error}"
        return
    if isinstance(item.error, HeldTooLong):
        yield f"{item.alias}: held ({item.detail})"
        yield f"    {item.error}"
        yield f"    hint: {item.error.hint}"
        return
    if item.error is not None:
        yield f"{item.alias}: cannot be issued ({item.detail})"
        yield f"    {item.error}"
        if item.error.hint:
            yield f"    hint: {item.error.hint}"
        return
    if not item.actions:
        yield f"{item.alias}: {'held' if item.reason is Reason.HELD else 'nothing to do'} ({item.detail})"
        return
    if item.order is None:
        yield f"{item.alias}: no certificate needed ({item.detail})"
    else:
        yield f"{item.alias}: issue ({item.reason.value}: {item.detail})"
    yield from _actions(item)


def _actions(item: LineagePlan) -> Iterator[str]:
    for action in item.actions:
        yield f"    {action_text(action)}"
        if isinstance(action, Order):
            yield from (f"    prove: {line}" for line in method_lines(item))
            yield from (f"    without: {dropped.name}" for dropped in item.dropped)
    if item.spec.targets and any(isinstance(action, Activate | GoLive) for action in item.actions):
        yield f"    deploy: {' '.join(dict.fromkeys(item.spec.targets))}"


def method_lines(item: LineagePlan) -> Iterator[str]:
    """The names of each method through DNS, where there are others."""
    used = dict.fromkeys(item.methods.values())
    if set(used) == {ChallengeType.DNS_01}:
        return
    for method in (one for one in used if one.through_dns):
        yield f"{' '.join(str(name) for name, used in item.methods.items() if used is method)} by {method}"


def action_text(action: object) -> str:
    """One action in words."""
    match action:
        case UseKey():
            return f"key: {_key_text(action)}"
        case MakeNextKey(spec=spec):
            return f"next key: a new one, {spec}, in privkey.roll.pem"
        case DropNextKey():
            return "next key: removed, since PRIVATE_KEY_ROLLOVER is off"
        case Order():
            return _order_text(action)
        case Prove():
            return f"prove: {count(len(action.owners), 'record')} in zone {action.zone.name}"
        case Rely():
            standing = "; or ".join(item.value for item in action.standings) or "what stands there"
            return f"prove: {action.identifier} by its standing record: {standing}"
        case Serve(listen=listen):
            where = f"answered at {' '.join(map(str, listen))}" if listen else f"through files in {action.folder}"
            return f"prove: {' '.join(str(name) for name in action.identifiers)} by {action.method}, {where}"
        case Activate() | Stage() | GoLive():
            return _switch_text(action)
        case CallHook():
            owed = ", which an earlier run owes" if action.debt is not None else ""
            return f"hook: {action.script} deploy_cert{owed}"
        case _:
            raise TypeError(action)


def _switch_text(action: Activate | Stage | GoLive) -> str:
    match action:
        case Activate(folder=folder):
            return f"activate: {folder}"
        case Stage(folder=folder):
            return f"stage: in {folder}/.versions, where it waits for certkeeper activate"
        case GoLive(folder=folder, stamp=stamp, way=way):
            return f"{'go back' if way is Way.BACK else 'activate'}: version {stamp} in {folder}"


def _order_text(order: Order) -> str:
    extras = (", must-staple" if order.must_staple else "") + (f", profile {order.profile}" if order.profile else "")
    again = f" (goes on with {order.resume.url})" if order.resume is not None else ""
    replaced = ", in the place of the present certificate" if order.replaces else ""
    return f"order: {' '.join(str(name) for name in order.identifiers)}{extras}{replaced}{again}"


def _key_text(action: UseKey) -> str:
    match action.source:
        case KeySource.PLAIN:
            return "your own privkey.pem, which stays as it is"
        case KeySource.REUSE:
            return "the present one again"
        case KeySource.NEXT:
            return "the next one, privkey.roll.pem"
        case KeySource.ELSEWHERE:
            return "that of the request, kept by whoever made it"
        case KeySource.NEW:
            return f"a new one, {action.spec}"

"""A comparison in plain sentences: which scenarios can be told apart, in what, and where less opioid is not better health."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from painlab import narrative
from painlab.narrative import Compared
from painlab.outcomes import BY_NAME

if TYPE_CHECKING:
    from painlab.comparison import Comparison

BESIDE: Final = ("mme_per_1000", "pain", "function")
_NAMED: Final = 3  # pairs that are named; more are counted
_LEVELS: Final = {"mme_per_1000": " MME/day per 1,000 patients", "pain": " of 10", "function": " of 100"}
_POINTS: Final = {"mme_per_1000": " MME/day per 1,000 patients", "pain": " points of 10", "function": " points of 100"}
_OF_DRAWS: Final = {"posterior": "calibrated to published trials", "prior": "from prior ranges, not calibrated to trials"}


def sentences(found: "Comparison") -> list[str]:
    """All that is said of a comparison's results, in an order that can be read out."""
    said = [_who(found)]
    for group in (one for one in found.groups if len(one) > 1):
        among = "" if len(found.groups) == 1 else f"Among {narrative.listed([found.names[place] for place in group])}: "
        told = [_outcome(found, group, outcome) for outcome in BESIDE]
        said.append(among + (told[0][0].lower() + told[0][1:] if among else told[0]))
        said += told[1:]
        if verdict := _verdict(found, group):
            said.append(verdict)
    said += [_alone(found, group[0]) for group in found.groups if len(group) == 1]
    if found.draws == 1:
        said.append("This is one run with the central parameter values, without a band: nothing says which differences are clear.")
    else:
        origin = _OF_DRAWS.get(found.projections[0].kind)
        share = f"Bands hold {100 * found.projections[0].level:.0f} % of the draws of the parameters"
        calibrated = f", which are {origin}" if origin else ""
        said.append(f"{share}{calibrated}; two scenarios are told apart where the band of their difference leaves zero out.")
    return said


def headline(found: "Comparison") -> str:
    """With which scenario demand and pain are lowest and function is highest, where that is clear; in one line."""
    group = max(found.groups, key=len)
    when = f"Over {narrative.horizon_words(found.weeks)}"
    if len(group) == 1:
        return f"{when}: {len(found.names)} scenarios, each with patients of its own"
    best: dict[str, list[str]] = {}
    unclear: list[str] = []
    same: list[str] = []
    for outcome in BESIDE:
        first, last = _ends(found, group, outcome)
        label = BY_NAME[outcome].label.lower()
        one = found.pair(first, last, outcome)
        assert one is not None
        if one.direction:
            best.setdefault(first, []).append(f"{label} {'highest' if outcome == 'function' else 'lowest'}")
        else:
            (same if one.same else unclear).append(label)
    said = [f"{', '.join(what)} with {name}" for name, what in best.items()]
    said += [f"no clear difference in {narrative.listed(unclear, 'or')}"] if unclear else []
    said += [f"{narrative.listed(same)} the same"] if same else []
    among = "" if len(found.groups) == 1 else ", among those with the same patients"
    return f"{when}: {'; '.join(said)}{among}{' (one run)' if found.draws == 1 else ''}"


def _who(found: "Comparison") -> str:
    """How many, over which horizon, and whether they are the same patients."""
    first = found.projections[0]
    size = f"{first.patients:,} patients in each of {found.draws:,} parameter draw{'s' if found.draws > 1 else ''}"
    said = f"{narrative.listed(found.names)} over {narrative.horizon_words(found.weeks)}"
    if len(set(found.horizons)) > 1 and found.weeks == min(found.horizons):
        said += f" (the shortest of their horizons, which run from {min(found.horizons)} to {max(found.horizons)} weeks)"
    if len(found.groups) == 1:
        return f"{said}: the same {size} and the same random numbers, so that differences are paired."
    if len(found.groups) == len(found.names):
        return f"{said}: {size}, but their patients differ, so that no difference between them is paired and none is taken."
    same = "; ".join(narrative.listed([found.names[place] for place in group]) for group in found.groups if len(group) > 1)
    return f"{said}: {size}; only these have the same patients, so that their differences are paired: {same}. No other difference is taken."


def _ends(found: "Comparison", group: Sequence[int], outcome: str) -> tuple[str, str]:
    """Names of the scenarios with the lowest and the highest level; for function the other way round, the best first."""
    levels = dict(found.averages.filter(outcome=outcome).select("name", "scenario").rows())
    ordered = sorted((found.names[place] for place in group), key=lambda name: levels[name], reverse=outcome == "function")
    return ordered[0], ordered[-1]


def _outcome(found: "Comparison", group: Sequence[int], outcome: str) -> str:
    """Which scenarios of a group one outcome tells apart."""
    about = BY_NAME[outcome]
    best, worst = _ends(found, group, outcome)
    names = [found.names[place] for place in group]
    pairs = {(one, other): found.pair(one, other, outcome) for other, one in itertools.combinations(names, 2)}
    known = {pair: one for pair, one in pairs.items() if one is not None}
    if all(one.same for one in known.values()):
        return f"{about.label} is the same with {'both' if len(names) == 2 else f'all {len(names)}'}."
    if len(names) == 2:
        return _two(names[1], names[0], next(iter(known.values())))
    widest = found.pair(best, worst, outcome)
    assert widest is not None
    values = [narrative.plain(value, about.digits) for value in (widest.scenario, widest.baseline)]
    order = ("highest", "lowest") if outcome == "function" else ("lowest", "highest")
    span = f"{about.label} is {order[0]} with {best} ({values[0]}) and {order[1]} with {worst} ({values[1]}{_LEVELS[outcome]})"
    if found.draws == 1:
        return f"{span}."
    apart = [pair for pair, one in known.items() if one.direction]
    alike = [pair for pair, one in known.items() if not one.direction]
    if not apart:
        low, high = sorted(values)
        return (
            f"{about.label} tells no two of them apart: levels lie between {low} and {high}{_LEVELS[outcome]}, and every band holds zero."
        )
    small = "" if widest.leaning else " Even the largest of these differences is small."
    if not alike:
        return f"{span}, and every two can be told apart.{small}"
    if len(alike) <= _NAMED:
        return f"{span}; {_pairs(alike)} cannot be told apart, all others can.{small}"
    if len(apart) <= _NAMED:
        return f"{span}; only {_pairs(apart)} can be told apart.{small}"
    return f"{span}; {len(apart)} of {len(known)} pairs can be told apart.{small}"


def _two(name: str, against: str, one: Compared) -> str:
    """One outcome of two scenarios."""
    about = BY_NAME[one.name]
    figure = f"{narrative.banded(one.difference, one.low, one.high, one.digits)}{_POINTS[one.name]}"
    if one.low is None:
        return f"{about.label} with {name} less {against}: {figure}."
    if not one.direction:
        reason = "its band holds zero" if one.high is not None and one.low <= 0.0 <= one.high else "it rounds to nothing"
        return f"{about.label} does not tell {name} from {against}: {figure}; {reason}."
    small = "" if one.leaning else "; clear, but small"
    return f"{about.label} is {'higher' if one.direction > 0 else 'lower'} with {name} than with {against}: {figure}{small}."


def _verdict(found: "Comparison", group: Sequence[int]) -> str:
    """Where demand moves against the group's first scenario, what pain and function do."""
    first, *others = (found.names[place] for place in group)
    moves: dict[tuple[int, str], list[str]] = {}
    for name in others:
        demand, pain, function = (found.pair(name, first, outcome) for outcome in BESIDE)
        assert demand is not None and pain is not None and function is not None
        if found.draws > 1 and demand.direction:
            turns = {-pain.leaning, function.leaning}
            health = "worse" if -1 in turns else "better" if 1 in turns else "no clearly different"
            moves.setdefault((demand.direction, health), []).append(name)
    said = [
        f"{'more' if direction > 0 else 'less'} opioid demand goes with {health} pain or function in {narrative.listed(names)}"
        for (direction, health), names in sorted(moves.items())
    ]
    if not said:
        return ""
    warning = " Less opioid is not by itself better health." if (-1, "worse") in moves else ""
    return f"Against {first}, {'; '.join(said)}.{warning}"


def _alone(found: "Comparison", place: int) -> str:
    """A scenario whose patients no other has, against its own baseline."""
    one, name = found.projections[place], found.names[place]
    averages = narrative.horizon_averages(one.weekly) if one.averages is None else one.averages
    said = []
    for outcome in BESIDE:
        told = narrative.compared(averages, outcome)
        said.append(f"{BY_NAME[outcome].label.lower()} {narrative.banded(told.difference, told.low, told.high, told.digits)}")
    return f"{name} has patients of its own; from its own baseline it differs by: {', '.join(said)}."


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    """Pairs by name.

    >>> _pairs([("b", "a"), ("c", "a")])
    'a and b, a and c'
    """
    return ", ".join(f"{other} and {one}" for one, other in pairs)

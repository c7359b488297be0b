"""Who benefits and who does not: the same patients under both plans, split by what they were like when they came.

Patients are followed one by one, those of the run itself, and split into halves at the middle of a trait. In each draw the paired
difference is averaged in each half, and the two halves are held against each other; bands hold 95 % of the draws.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from painlab import narrative, posterior
from painlab.engine import execution
from painlab.narrative import Compared, banded, plain
from painlab.outcomes import BY_NAME, Recorded
from painlab.population import Population, draw_traits, goal_thresholds, mix
from painlab.projection import LEVEL
from painlab.scenario import Scenario
from painlab.talk.brief import BESIDE, Brief, Row, traces
from painlab.talk.drawings import Dot, both, dots
from painlab.talk.opening import LONG
from painlab.talk.origin import caption
from painlab.talk.story import Page, Said

Array = NDArray[np.float64]
_KEPT: Final = {"mme_per_1000": (Recorded.MME, 1000.0), "pain": (Recorded.PAIN, 1.0), "function": (Recorded.FUNCTION, 100.0)}
_HALVED: Final = ("pain", "distress", "adherence")
_TITLES: Final = {"pain": "Pain at arrival", "distress": "Distress", "adherence": "Readiness to attend", "opioids": "Long-term opioids"}
_FEWEST: Final = 0.05  # share of patients in the smaller group of a split by opioids
_LEAST_PATIENTS: Final = 20


class Trait(NamedTuple):
    """A split: groups in words (the lower or the one without first), and each one's differences by draw, shape (draws, 2, outcomes).

    shares: of the patients in each group; people: the groups as they stand at the end of a sentence. middle: where patients are split,
    None for yes and no.
    """

    name: str
    groups: tuple[str, str]
    differences: Array
    shares: tuple[float, float]
    people: tuple[str, str]
    middle: float | None = None

    def group(self, which: int, outcome: str) -> Compared:
        """The difference of one group from the baseline."""
        return _compared(outcome, self.differences[:, which, BESIDE.index(outcome)])

    def contrast(self, outcome: str) -> Compared:
        """What the second group gains over the first."""
        place = BESIDE.index(outcome)
        return _compared(outcome, self.differences[:, 1, place] - self.differences[:, 0, place])


def _compared(outcome: str, draws: Array) -> Compared:
    mean = float(draws.mean())
    if len(draws) < 2:
        return Compared(outcome, 0.0, mean, mean, None, None)
    low, high = np.quantile(draws, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Compared(outcome, 0.0, mean, mean, float(low), float(high))


def split(
    scenario: Scenario,
    *,
    patients: int,
    draws: int,
    seed: int,
    kind: str = "posterior",
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Trait, ...]:
    """Follow a scenario's patients under both plans and split them by pain, distress, readiness to attend, and opioids at arrival.

    In an open cohort it is a closed group of the same kind of patients. Where nobody, or everybody, comes on opioids, the second group is
    a variant of the same population in which all, or none, do. A split is left out where a group would have fewer than 20 patients.

    >>> from painlab.scenario import Scenario
    >>> found = split(Scenario.load("early-pt").change(weeks=8), patients=60, draws=2, seed=1)
    >>> [one.name for one in found]
    ['pain', 'distress', 'adherence', 'opioids']
    """
    people = scenario.population.model_copy(update={"arrivals": None})
    sets = [posterior.values(None if draws == 1 else draw, seed, kind) for draw in range(draws)]
    variant = _variant(people)
    whole = draws * (2 if variant else 1)
    traits, effects, others = [], [], []
    for draw, values in enumerate(sets):
        if cancelled and cancelled():
            raise execution.Cancelled
        own, cut = scenario.assumed(values)
        traits.append(_traits(people, own, cut, first=draw * patients, patients=patients, seed=seed))
        effects.append(_differences(scenario, people, own, cut, first=draw * patients, patients=patients, seed=seed))
        if variant:
            others.append(_differences(scenario, variant, own, cut, first=draw * patients, patients=patients, seed=seed).mean(axis=0))
        if progress:
            progress((draw + 1) * (2 if variant else 1), whole)
    seen, change = np.stack(traits), np.stack(effects)
    found = [one for place, name in enumerate(_HALVED) if (one := _halved(name, seen[:, :, place], change)) is not None]
    if variant:
        pair = np.stack([change.mean(axis=1), np.stack(others)], axis=1)
        all_on = people.on_opioids <= _FEWEST
        names = ("As they come: nobody, or few, on opioids", "If all came on long-term opioids")
        words = names if all_on else ("As they come: on long-term opioids", "If nobody came on opioids")
        whom = ("with few on opioids at arrival", "with all on long-term opioids")
        found.append(Trait("opioids", words, pair, (1.0, 1.0), whom if all_on else (whom[1], "with nobody on opioids at arrival")))
    else:
        words = ("Without opioids at arrival", "On long-term opioids at arrival")
        whom = ("in those without opioids at arrival", "in those on long-term opioids")
        one = _parted("opioids", seen[:, :, -1] > 0.0, change, words, whom, None)
        found += [one] if one else []
    return tuple(found)


def _variant(people: Population) -> Population | None:
    if people.on_opioids <= _FEWEST:
        return people.model_copy(update={"on_opioids": 1.0})
    return people.model_copy(update={"on_opioids": 0.0}) if people.on_opioids >= 1.0 - _FEWEST else None


def _traits(people: Population, values: Mapping[str, float], cut: tuple[str, ...], *, first: int, patients: int, seed: int) -> Array:
    """Pain, distress, adherence and inherited dose at arrival, shape (patients, 4)."""
    one, means, goals = execution.inputs_of(people, values, cut), mix(people), float(len(goal_thresholds(people)))
    rows = []
    for patient in range(first, first + patients):
        trait = draw_traits(seed, patient, one.condition, means, goals, one.p)
        rows.append((trait.pain, trait.distress, trait.adherence, trait.dose))
    return np.array(rows)


def _differences(
    scenario: Scenario, people: Population, values: Mapping[str, float], cut: tuple[str, ...], *, first: int, patients: int,
    seed: int,
) -> Array:  # fmt: skip
    """Each patient's own difference from the baseline, averaged over the weeks, shape (patients, outcomes)."""
    arms = []
    for plan in (scenario.baseline_plan(), scenario.care):
        weeks = execution.follow(people, plan, values, first=first, patients=patients, seed=seed, weeks=scenario.weeks, cut=cut)
        means = weeks.mean(axis=1, dtype=np.float64)
        arms.append(np.stack([means[:, place] * scale for place, scale in _KEPT.values()], axis=1))
    return np.asarray(arms[1] - arms[0])


def _halved(name: str, trait: Array, change: Array) -> Trait | None:
    middle = float(np.median(trait))
    words = {"pain": "pain at arrival", "distress": "distress", "adherence": "readiness to attend"}[name]
    digits = 1 if name == "pain" else 2
    groups = (f"Less {words} (under {middle:.{digits}f})", f"More {words} ({middle:.{digits}f} or above)")
    return _parted(name, trait >= middle, change, groups, (f"in those with less {words}", f"in those with more {words}"), middle)


def _parted(
    name: str, second: NDArray[np.bool_], change: Array, groups: tuple[str, str], people: tuple[str, str], middle: float | None
) -> Trait | None:
    if min(second.sum(axis=1).min(), (~second).sum(axis=1).min()) < _LEAST_PATIENTS:
        return None
    differences = np.stack(
        [np.stack([rows[~mine].mean(axis=0), rows[mine].mean(axis=0)]) for rows, mine in zip(change, second, strict=True)]
    )
    share = float(second.mean())
    return Trait(name, groups, differences, (1.0 - share, share), people, middle)


def benefit_page(brief: Brief) -> Page:
    """Groups of patients against each other; where none can be told apart, the headline says so."""
    if brief.same_care:
        nothing = (Said("Each patient has the same life under both plans.", "scenario:care"),)
        return Page("benefit", "words", headline((), same=True)[0], nothing, notes="Skip this page.", minutes=LONG)
    found = split(
        brief.asked, patients=brief.patients, draws=brief.draws, seed=brief.lead.seed, kind=brief.kind, progress=brief.stage("benefit"),
        cancelled=brief.cancelled,
    )  # fmt: skip
    rows: list[Row] = []
    points = []
    for trait in found:
        if trait.middle is not None:
            rows.append((f"{trait.name}/middle", trait.middle, None, None))
        for which, words in enumerate(trait.groups):
            for outcome in BESIDE:
                one = trait.group(which, outcome)
                rows.append((f"{trait.name}/{which}/{outcome}", one.difference, one.low, one.high))
                kind = "clear" if one.direction and one.low is not None else "not clear"
                points.append(Dot(words, outcome, one.difference, one.low, one.high, kind))
        rows += [
            (f"{trait.name}/contrast/{o}", trait.contrast(o).difference, trait.contrast(o).low, trait.contrast(o).high) for o in BESIDE
        ]
    looks = len(found) * len(BESIDE)
    rows.append(("looks", float(looks), None, None))
    brief.keep("benefit", rows)
    title, where = headline(found)
    said = _said(found)
    said.append(
        Said(
            f"{looks} comparisons were looked at: with so many, one may stand out by chance. Groups differ in other traits too.",
            "analysis:benefit/looks",
        )
    )
    if brief.scenario.population.arrivals:
        said.append(Said("Patients of a closed group are followed here, of the same kind as those who go on arriving."))
    alt = "Differences from the baseline in opioid demand, pain and function, by group of patients. " + " ".join(
        one.text for one in said[:-1]
    )
    figure = both("benefit", lambda dark: dots(points, BESIDE, dark=dark, what="difference from the baseline"), alt, caption(brief.lead))
    notes = (
        f"Say: {title}.\n"
        "Say: these are the model's patients, each lived under both plans. Nobody has randomized these groups.\n"
        "Blue circles are told from zero, gray squares are not. Look at whether the two rows of a pair differ, not at which is blue.\n"
        "You will be asked: so whom should we treat? The model does not say. A difference between groups here is a question for a trial."
    )
    return Page("benefit", "figure", title, tuple(said), figure, notes=notes, minutes=LONG, title_trace=where)


def headline(found: Sequence[Trait], *, same: bool = False) -> tuple[str, str]:
    """Who benefits, in a line, by what came out: a group that is harmed first, then the clearest contrast, or that none is clear.

    The clearest need not be the largest, so nothing is said to be most but how clear it is.
    """
    if same:
        return "The care is the same, so nobody gains and nobody loses", "text"
    if not found:
        return "Too few patients to say who benefits", "text"
    if found[0].group(0, "pain").low is None:
        return "Who benefits: one run without bands cannot say", "text"
    if harmed := _harmed(found):
        trait, which, outcome = harmed
        one = trait.group(which, outcome)
        way = "higher" if outcome == "pain" else "lower"
        text = f"Worse off, most {trait.people[which]}: {outcome} {plain(abs(one.difference), one.digits)} {way}"
        return text, _where(trait, f"{which}/{outcome}")
    best = _clearest(found)
    if best is None:
        return "Who benefits more cannot be told: no two groups differ distinguishably", "text"
    trait, outcome = best
    less, more = trait.group(0, outcome), trait.group(1, outcome)
    digits = BY_NAME[outcome].digits
    first, second = (more, less) if abs(more.difference) >= abs(less.difference) else (less, more)
    amounts = f"{narrative.signed(first.difference, digits)} against {narrative.signed(second.difference, digits)}"
    whom, others = trait.people if first is less else (trait.people[1], trait.people[0])
    label, contrast = BY_NAME[outcome].label.lower(), trait.contrast(outcome)
    where = _where(trait, f"1/{outcome}", f"0/{outcome}", f"contrast/{outcome}")
    if round(first.difference, digits) == round(second.difference, digits):
        text = f"The clearest difference between groups, in {label} by {_low(_TITLES[trait.name])}, is lost in rounding ({amounts})"
        return text, where
    small = abs(contrast.difference) < contrast.least_that_leans
    start = "The clearest difference between groups is small:" if small else "Most clearly,"
    if first.direction == 0 or first.difference * second.difference < 0.0:  # a verb would say too much, or be true of one alone
        return f"{start} the change in {label} differs {whom} from that {others} ({amounts})", where
    return f"{start} {label} {'falls' if first.difference < 0.0 else 'rises'} more {whom} ({amounts})", where


def _harmed(found: Sequence[Trait]) -> tuple[Trait, int, str] | None:
    """The group with the largest clear harm in pain or function, in steps that show with one decimal less."""
    harms = []
    for trait in found:
        for which in (0, 1):
            for outcome in ("pain", "function"):
                one = trait.group(which, outcome)
                if one.leaning == (1 if outcome == "pain" else -1):
                    harms.append((abs(one.difference) / one.least_that_leans, trait, which, outcome))
    return max(harms, key=lambda one: one[0])[1:] if harms else None


def _clearest(found: Sequence[Trait]) -> tuple[Trait, str] | None:
    """The contrast that stands out most from its band, pain and function before demand."""
    clear = []
    for trait in found:
        for outcome in BESIDE:
            one = trait.contrast(outcome)
            if one.direction and one.low is not None and one.high is not None:
                clear.append((outcome == "mme_per_1000", -abs(one.difference) / (one.high - one.low + 1e-12), trait, outcome))
    if not clear:
        return None
    chosen = min(clear, key=lambda one: one[:2])
    return chosen[2], chosen[3]


def _said(found: Sequence[Trait]) -> list[Said]:
    """A sentence a trait: what its second group gains over its first, where that is told from zero."""
    said = []
    for trait in found:
        contrasts = {outcome: trait.contrast(outcome) for outcome in BESIDE}
        where = _where(trait, *(f"{part}/{outcome}" for outcome in BESIDE for part in ("0", "1", "contrast")))
        clear = [one for one in contrasts.values() if one.direction and one.low is not None]
        if not clear:
            said.append(Said(f"{_TITLES[trait.name]}: the two groups cannot be told apart in any of the three outcomes.", where))
            continue
        parts = [f"{BY_NAME[one.name].label.lower()} {banded(one.difference, one.low, one.high, one.digits)}" for one in clear]
        said.append(Said(f"{trait.groups[1]}, less the others: {', '.join(parts)}.", where))
    return said


def _low(words: str) -> str:
    return words[0].lower() + words[1:]


def _where(trait: Trait, *parts: str) -> str:
    kept = [part for part in parts if part != "middle" or trait.middle is not None]
    middle = [f"analysis:benefit/{trait.name}/middle"] if trait.middle is not None else []
    return traces(*middle, *(f"analysis:benefit/{trait.name}/{part}" for part in kept))

"""What earned the effect, whether it needs the cycle, how sure it is, and what would change our mind."""

import math
from typing import Any, Final

import polars as pl

from painlab import identification, posterior
from painlab.analysis import attribution
from painlab.analysis.attribution import Attribution
from painlab.analysis.paired import free, readable
from painlab.analysis.probabilistic import Sensitivity, sensitivity
from painlab.analysis.turning_points import TurningPoints, flips
from painlab.narrative import Compared, banded, signed
from painlab.outcomes import BY_NAME
from painlab.talk.brief import BESIDE, Brief, Row, mean, trace, traces
from painlab.talk.drawings import Dot, both, dots, native_bars
from painlab.talk.opening import LONG, cited
from painlab.talk.origin import caption, validity
from painlab.talk.story import Page, Said
from painlab.talk.voice import VOICES

_MOST_PARTS: Final = 6  # of which every combination is run: 64 plans
_SETS: Final = 200
_FEW_SETS: Final = 100
_PATIENTS: Final = 500
_CLEAR: Final = 2.0  # standard errors
_ORGANIZED: Final = ("coordination", "prescribing", "reassessment", "taper")
_CUTS: Final = {
    "whole": "The whole model",
    "pain_to_activity": "Pain does not lower movement",
    "activity_to_strength": "Less movement does not weaken",
    "weakness_to_pain": "Weakness does not bring pain",
    "no_cycle": "No link at all",
    "direct": "Physical therapy's direct relief alone",
}


def earned_pages(brief: Brief) -> list[Page]:
    """What earned the difference: shares of the plan's parts if there are several, and what is left without the links of the cycle."""
    parts = attribution.components(brief.asked)
    stage = brief.stage("earned")
    if not parts:
        said = (Said("The plan is the baseline's own, so no difference was earned.", "scenario:care"),)
        return [Page("earned", "words", "Nothing differs, so nothing was earned", said, minutes=LONG)]
    if len(parts) == 1:
        return [_cut_page(brief, "earned", next(iter(parts)))]
    found = attribution.attribute(
        brief.asked, groups=_grouped(parts), patients=min(brief.patients, _PATIENTS), draws=brief.draws, seed=brief.lead.seed,
        parameters=brief.kind, progress=stage, cancelled=brief.cancelled,
    )  # fmt: skip
    pages = [_shares_page(brief, found)]
    return [*pages, _cut_page(brief, "earned-2", "")] if brief.minutes == 40 else pages


def _grouped(parts: dict[str, tuple[str, ...]]) -> dict[str, list[str]] | None:
    """Parts taken together where there are too many: first how care is organized, then the treatments that come last."""
    if len(parts) <= _MOST_PARTS:
        return None
    keys = [one[0] for one in parts.values()]
    groups = {"How care is organized": [key for key in keys if key in _ORGANIZED]}
    others = [key for key in keys if key not in _ORGANIZED]
    if len(others) + 1 > _MOST_PARTS:
        groups["Other treatments"] = others[_MOST_PARTS - 2 :]
    return {label: held for label, held in groups.items() if held}


def _shares_page(brief: Brief, found: Attribution) -> Page:
    rows: list[Row] = []
    points = []
    for row in found.shares.iter_rows(named=True):
        rows.append((f"{row['component']}/{row['outcome']}", row["share"], row["low"], row["high"]))
        kind = "clear" if row["clear"] and row["low"] is not None else "not clear"
        points.append(Dot(part_words(found, row["component"]), row["outcome"], row["share"], row["low"], row["high"], kind))
    for row in found.whole.iter_rows(named=True):
        rows.append((f"whole/{row['outcome']}", row["difference"], row["low"], row["high"]))
        points.append(Dot("Whole plan", row["outcome"], row["difference"], row["low"], row["high"], "whole"))
    brief.keep("earned", rows)
    said = [_shares_said(found, name) for name in BESIDE]
    said.append(
        Said("Each part's share is what it adds, averaged over all orders in which the parts could be added; shares add up to the whole.")
    )
    title, where = shares_title(found)
    alt = "Each part's share of the difference in opioid demand, pain and function, with its band. " + " ".join(
        one.text for one in said[:3]
    )
    size = f"shares from {found.draws:,} x {found.patients:,} patients"
    figure = both(
        "earned", lambda dark: dots(points, BESIDE, dark=dark, what="difference it earns"), alt, caption(brief.lead, size),
        native_bars(points, "mme_per_1000", "Share of the difference in opioid demand"),
    )  # fmt: skip
    notes = (
        f"Say: {title}.\n"
        "Blue circles are told from zero, gray squares are not, the vermilion diamond is the whole plan.\n"
        "You will be asked: can we do only the first row? What a part does alone differs from its share where parts need each other. "
        f"{found._interaction_words() if found.draws > 1 else ''}\n"
        "The method is that of Shapley (1953), exact over all combinations."
    )
    return Page("earned", "figure", title, tuple(said), figure, notes=notes, minutes=LONG, title_trace=where)


def part_words(found: Attribution, component: str) -> str:
    """A part of a plan by its name, or as what the plan leaves out."""
    key = found.components[component][0]
    gone = key not in found.scenario.care.as_dict() and len(found.components[component]) == 1
    return f"Leaving out {component[0].lower()}{component[1:]}" if gone else component


def shares_title(found: Attribution) -> tuple[str, str]:
    """Which part earns most, in demand or else in pain or function; or that none can be told from zero."""
    for name in BESIDE:
        clear = found.shares.filter((pl.col("outcome") == name) & pl.col("clear")).sort(pl.col("share").abs(), descending=True)
        if clear.height and found.draws > 1:
            row, outcome = clear.row(0, named=True), BY_NAME[name]
            before = "" if name == "mme_per_1000" else "In opioid demand no part's share is distinguishable from zero; in "
            start = f"{before}{outcome.label.lower() if before else outcome.label}"
            amount = banded(row["share"], None, None, outcome.digits)
            part = part_words(found, row["component"])
            text = f"{start}{'' if before else ':'} the largest distinguishable share comes from {part[0].lower()}{part[1:]}, {amount}"
            return text, f"analysis:earned/{row['component']}/{name}"
    tail = "" if found.draws > 1 else ": one run has no bands"
    return f"No part's share of the difference is distinguishable from zero{tail}", "text"


def _shares_said(found: Attribution, name: str) -> Said:
    outcome = BY_NAME[name]
    whole = found.whole.row(by_predicate=pl.col("outcome") == name, named=True)
    rows = found.shares.filter(pl.col("outcome") == name).sort(pl.col("share").abs(), descending=True)
    clear = [row for row in rows.iter_rows(named=True) if row["clear"]]
    where = [f"analysis:earned/whole/{name}", *(f"analysis:earned/{row['component']}/{name}" for row in clear)]
    text = f"{outcome.label}: whole plan {banded(whole['difference'], whole['low'], whole['high'], outcome.digits)}"
    text += "" if whole["clear"] or found.draws == 1 else ", not distinguishable from zero"
    if clear:
        each = (f"{part_words(found, row['component'])} {banded(row['share'], row['low'], row['high'], outcome.digits)}" for row in clear)
        text += f"; of it {', '.join(each)}"
    if rows.height > len(clear):
        text += "; the rest not distinguishable from zero" if clear else "; no part's share distinguishable from zero"
    return Said(f"{text}.", "; ".join(where))


def _cut_page(brief: Brief, key: str, part: str) -> Page:
    """What is left of the difference without links of the cycle: for a plan with one part, all that can be shared out."""
    sets = identification.sets(brief.kind, brief.draws) if brief.draws > 1 else [posterior.values(None, 1, brief.kind)]
    frame = identification.benefit([brief.asked], sets, patients=min(brief.patients, _PATIENTS), seed=brief.lead.seed)
    if ("physical_therapy",) not in attribution.components(
        brief.asked
    ).values() or "physical_therapy" not in brief.scenario.care.treatments:
        frame = frame.filter(pl.col("cut") != "direct")
    one_run = brief.draws == 1
    found = {}
    for row in frame.iter_rows(named=True):
        low, high = (None, None) if one_run else (row["low"], row["high"])
        found[row["cut"], row["outcome"]] = Compared(row["outcome"], 0.0, row["difference"], row["difference"], low, high)
    brief.keep("cut", [(f"{cut}/{name}", one.difference, one.low, one.high) for (cut, name), one in found.items()])
    points = [
        Dot(_CUTS[cut], name, one.difference, one.low, one.high, "clear" if one.direction and one.low is not None else "not clear")
        for (cut, name), one in found.items()
    ]
    said = []
    if part:
        said.append(Said(f"One part of the care differs, {part.lower()}: the whole difference is its own.", "scenario:care"))
    for name in ("pain", "function", "mme_per_1000"):
        whole, without = found["whole", name], found["no_cycle", name]
        said.append(
            Said(
                f"{BY_NAME[name].label}: {_shown(whole)}; without any link of the cycle {_shown(without)}.",
                f"analysis:cut/whole/{name}; analysis:cut/no_cycle/{name}",
            )
        )
    title = _cut_title(found, part)
    alt = "Differences from the baseline in opioid demand, pain and function, with the cycle whole and with links cut. "
    figure = both(
        key, lambda dark: dots(points, BESIDE, dark=dark, what="difference from the baseline"), alt + " ".join(one.text for one in said),
        caption(brief.lead, f"links cut in {len(sets):,} x {min(brief.patients, _PATIENTS):,} patients"),
    )  # fmt: skip
    notes = (
        f"Say: {title}.\n"
        "Links are cut in both plans, so the comparison stays fair.\n"
        "You will be asked: so is there no vicious cycle? Here what therapy does directly, and what people keep up, carries most of the "
        "difference in movement and strength; how much goes round the cycle rests on a contested link."
    )
    return Page(key, "figure", title, tuple(said), figure, notes=notes, sources=cited("T09-16", "T09-15"), minutes=LONG)


def _shown(one: Compared) -> str:
    text = banded(one.difference, one.low, one.high, one.digits)
    return text if one.direction or one.low is None else f"{text}, not distinguishable from zero"


def _cut_title(found: dict[tuple[str, str], Compared], part: str) -> str:
    """Whether the difference needs the cycle, by what came out."""
    start = f"One part differs, {part.lower()}:" if part else "Does it need the cycle? Here,"
    for name in ("pain", "function", "mme_per_1000"):
        whole, without = found["whole", name], found["no_cycle", name]
        if whole.direction and whole.low is not None and without.low is not None and without.high is not None:
            label = BY_NAME[name].label.lower()
            if without.direction != whole.direction:
                return f"{start} without the cycle its effect on {label} is not distinguishable"
            share = without.difference / whole.difference
            kept = "most" if share >= 0.5 else "less than half"
            return f"{start} {kept} of its effect on {label} is there without the cycle"
    return f"{start} no effect is distinguishable, with the cycle or without"


def sure_page(brief: Brief) -> Page:
    """How sure the answer is, which assumption would turn it, and what would change our mind."""
    would = Said(
        "What would change our mind: a randomized trial of this care that counts opioids a year later, whichever way it came out; or your "
        "own records, missed badly and without an explanation."
    )
    held = Said(
        f"Held against {validity()['validate_trials']} published figures that set nothing, the model is inside for "
        f"{validity()['validate_inside']}: it misses some, and they stay in the table.",
        "validity:validate_trials; validity:validate_inside",
    )
    if brief.same_care:
        same = (Said("The two plans are the same care: the difference is nothing, surely.", "scenario:care"), held, would)
        return Page(
            "sure", "words", "How sure? The care is the same", same, notes="Say what a difference of nothing teaches: the pairing works."
        )
    stage = brief.stage("sure")
    sets = _SETS if brief.minutes > 5 else _FEW_SETS
    found = sensitivity(
        brief.asked, draws=sets, patients=max(2, min(brief.patients, _PATIENTS)), seed=brief.lead.seed, parameters=brief.kind,
        progress=lambda done, total: stage(done, 2 * total), cancelled=brief.cancelled,
    )  # fmt: skip
    summary = {row["outcome"]: row for row in found.summary.iter_rows(named=True)}
    errors = {name: float(found.draws[name].std() or 0.0) / found.draws.height**0.5 for name in BESIDE}  # type: ignore[arg-type]
    for name, row in summary.items():
        row["low"], row["high"] = _with_error(row, errors[name])
    brief.keep("sure", _sure_rows(found, summary, errors))
    demand = mean(brief.lead, "mme_per_1000")
    own = summary["mme_per_1000"]
    seen = demand.direction != 0 if demand.low is not None else bool(own["run_low"] > 0.0 or own["run_high"] < 0.0)
    title, where = sure_title(own, errors["mme_per_1000"], brief.when, runs=found.draws.height, seen=seen)
    voice = VOICES[brief.audience]
    said = [_sure_said([summary["mme_per_1000"]], errors, found, voice.sets, brief.audience)]
    said.append(_two_runs(brief, found))
    said.append(_sure_said([summary["pain"], summary["function"]], errors, found, voice.sets, brief.audience))
    share = summary["mme_per_1000"]["by_parameters"]
    said.append(
        Said(
            f"In opioid demand about {100 * share:.0f} % of what varies between runs of {found.patients:,} patients is what the evidence "
            "leaves open; the rest is which patients came, and their luck.",
            "analysis:sure/mme_per_1000/by_parameters; analysis:sure/patients",
        )
    )
    if brief.minutes > 5:
        said.append(_turned(brief, found, stage))
    said += [held, would]
    points = []
    for name in BESIDE:
        row = summary[name]
        told = abs(row["mean"]) > _CLEAR * errors[name]
        wide, narrow = (row["run_low"], row["run_high"]), (row["low"], row["high"])
        for words, (low, high) in ((f"Runs of {found.patients:,} patients", wide), ("What the evidence leaves open", narrow)):
            kind = "clear" if told and (low > 0.0 or high < 0.0) else "not clear"
            points.append(Dot(words, name, row["mean"], low, high, kind))
    alt = "Differences from the baseline with two bands each: all runs, and what the evidence alone leaves open. "
    figure = both(
        "sure", lambda dark: dots(points, BESIDE, dark=dark, what="difference from the baseline"),
        alt + " ".join(one.text for one in said[:3]),
        caption(brief.lead, f"{found.draws.height} sets of parameters x {found.patients:,} patients"),
        native_bars(points, "mme_per_1000", "Difference in opioid demand"),
    )  # fmt: skip
    notes = (
        f"Say: {title}.\n"
        "Say: the band does not hold what the model leaves out or gets wrong, so the truth lies outside it more often than it suggests.\n"
        f"You will be asked: which number matters most? {found._goes_with()}\n"
        "You will be asked: what if you are wrong about the cycle? Cut the link on the live page, or run `painlab project NAME --cut "
        "weakness_to_pain`."
    )
    return Page("sure", "figure", title, tuple(said), figure, notes=notes, title_trace=where)


def _two_runs(brief: Brief, found: Sensitivity) -> Said:
    """Why demand has another figure here than on its own page."""
    lead, demand = brief.lead, mean(brief.lead, "mme_per_1000")
    size = f"{lead.draws:,} draws of {lead.patients:,} patients" if lead.draws > 1 else f"one run of {lead.patients:,} patients"
    text = (
        f"The page on opioid demand has {signed(demand.difference, demand.digits)}, from {size}; here are {found.draws.height} runs of "
        f"{found.patients:,} patients each, so less of the figure is chance."
    )
    return Said(text, traces("run:draws; run:patients; analysis:sure/sets; analysis:sure/patients", trace("mme_per_1000", "horizon")))


def sure_title(row: dict[str, Any], error: float, when: str, *, runs: int, seen: bool) -> tuple[str, str]:
    """How sure the direction of demand is, by what came out; it names none where a band holds zero.

    runs: how many the mean is over. seen: whether the talk's own run told the change from zero.
    """
    where = "analysis:sure/sets; run:weeks"
    if abs(row["mean"]) <= _CLEAR * error:
        if seen:
            return f"How sure? More runs do not bear out the change in opioid demand {when}: it is near what chance makes", where
        return f"How sure? Not sure that opioid demand {when} changes at all", where
    if row["low"] <= 0.0 <= row["high"]:
        return "How sure? The evidence leaves open whether opioid demand falls or rises", where
    if not seen:
        return f"How sure? Single runs show no distinguishable change in opioid demand; only the mean over {runs} of them does", where
    way = "falls" if row["mean"] < 0.0 else "rises"
    return f"How sure? Within this model, chance aside, opioid demand {way}; its size is uncertain", where


def _with_error(row: dict[str, Any], error: float) -> tuple[float, float]:
    """The band that parameters leave, widened by what chance leaves open in the mean itself."""
    low, high = (math.hypot(row["mean"] - row[end], _CLEAR * error) for end in ("low", "high"))
    return row["mean"] - low, row["mean"] + high


def _sure_rows(found: Sensitivity, summary: dict[str, Any], errors: dict[str, float]) -> list[Row]:
    rows: list[Row] = [
        ("sets", float(found.draws.height), None, None), ("patients", float(found.patients), None, None),
    ]  # fmt: skip
    for name, row in summary.items():
        rows.append((f"{name}/evidence", row["mean"], row["low"], row["high"]))
        rows.append((f"{name}/runs", row["mean"], row["run_low"], row["run_high"]))
        rows.append((f"{name}/below_zero", row["below_zero"], None, None))
        rows.append((f"{name}/above_zero", 1.0 - row["below_zero"], None, None))
        rows.append((f"{name}/by_parameters", row["by_parameters"], None, None))
        rows.append((f"{name}/standard_error", errors[name], None, None))
    return rows


def _sure_said(rows: list[dict[str, Any]], errors: dict[str, float], found: Sensitivity, sets: str, audience: str) -> Said:
    """Means over all sets with the band that parameters alone leave, and whether they are told from the patients' chance."""
    parts, where = [], ["analysis:sure/sets"]
    for row in rows:
        outcome, error = BY_NAME[row["outcome"]], errors[row["outcome"]]
        text = f"{outcome.label.lower()} {banded(row['mean'], row['low'], row['high'], outcome.digits)}"
        if audience == "analysts":
            text += f" (standard error of the mean {error:.{outcome.digits + 1}f})"
        if abs(row["mean"]) <= _CLEAR * error:
            text += ", not told from chance"
        parts.append(text)
        where += [f"analysis:sure/{outcome.name}/evidence", f"analysis:sure/{outcome.name}/standard_error"]
    said = "; ".join(parts)
    return Said(f"{said[0].upper()}{said[1:]}: over {found.draws.height} {sets}, with the patients' chance averaged out.", "; ".join(where))


def _turned(brief: Brief, found: Sensitivity, stage: Any) -> Said:
    """Which single assumption, of those that matter most, would turn the conclusion."""
    clear = [name for name in BESIDE if mean(brief.lead, name).direction]
    outcome = clear[0] if clear else "mme_per_1000"
    possible = free(brief.asked)
    wanted = ["weakness_pain", "opioid_relief_max"]
    wanted += [f"{name}.{column}" for name in brief.scenario.care.treatments for column in ("relief", "source_relief", "durable")]
    for name in (outcome, "pain"):
        wanted += found.table.filter(pl.col("outcome") == name)["parameter"].head(4).to_list()
    names = [name for name in dict.fromkeys(wanted) if name in possible][: 12 if brief.minutes == 40 else 8]
    turning: TurningPoints = flips(
        brief.asked, outcome=outcome, names=names, patients=8 * max(1, min(brief.patients, _PATIENTS)), seed=brief.lead.seed,
        parameters=brief.kind, progress=lambda done, total: stage(total + done, 2 * total), cancelled=brief.cancelled,
    )  # fmt: skip
    label = BY_NAME[outcome].label.lower()
    rows = turning.found.filter("clear")
    kept: list[Row] = [
        ("looked", float(len(names)), None, None), ("margin", turning.margin, None, None), ("turns", float(rows.height), None, None),
    ]  # fmt: skip
    kept += [(str(row["parameter"]), row["at"], row["posterior_share"], None) for row in rows.iter_rows(named=True)]
    brief.keep("flips", kept)
    where = "analysis:flips/looked"
    if abs(turning.margin) <= _CLEAR * turning.standard_error:
        return Said(
            f"At central values the difference in {label} is not told from zero, so there is no conclusion that an assumption could turn.",
            where,
        )
    if rows.is_empty():
        return Said(f"None of the {len(names)} assumptions looked at turns the sign in {label} alone; several together still could.", where)
    said = []
    for row in rows.head(3).iter_rows(named=True):
        said.append(f"{readable(row['parameter'])} {row['side']} {row['at']:.3g}")
        where = traces(where, f"analysis:flips/{row['parameter']}")
    return Said(f"What would turn the sign in {label}, alone: {'; '.join(said)}. {len(names)} assumptions were looked at.", where)

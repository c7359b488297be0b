"""What the runs found: opioid demand, pain and function against the baseline, and several plans beside each other."""

from typing import Final

from painlab import narrative
from painlab.narrative import Compared, plain, signed
from painlab.outcomes import BY_NAME, spoken_unit
from painlab.projection import Projection
from painlab.talk.brief import BESIDE, FEW_DRAWS, Brief, at, change, mean, side, trace, traces, widest
from painlab.talk.drawings import Dot, both, dots, native_bars, native_lines, over_time
from painlab.talk.opening import LONG, cited, headline_trace, labels
from painlab.talk.origin import caption
from painlab.talk.story import Page, Said, Table
from painlab.talk.voice import VOICES

_ELSE: Final = {
    15: ("on_opioids", "long_term_therapy", "new_persistent_use", "overdose_hazard", "side_effects", "sessions", "cost"),
    40: (
        "on_opioids", "long_term_therapy", "new_persistent_use", "dose_50_plus", "dose_90_plus", "overdose_hazard", "side_effects",
        "activity", "strength", "goal_reached", "sessions", "injections", "visits", "cost",
    ),
}  # fmt: skip
_IMPORTANT: Final = "T14-01"  # the smallest change of pain that a patient calls important


def demand_page(brief: Brief) -> Page:
    """Opioid demand against the baseline with its band, and pain and function in the same breath."""
    projection, voice = brief.lead, VOICES[brief.audience]
    average, last = mean(projection, "mme_per_1000"), at(projection, "mme_per_1000", projection.weeks)
    level = f"On average {brief.when} {voice.demand} is {plain(average.scenario)} {voice.demand_unit}"
    level += ", as in the baseline" if average.same else f", under the baseline {plain(average.baseline)}: {side(average)}"
    said = [
        Said(
            f"{level}.",
            traces(
                "run:weeks", trace("mme_per_1000", "horizon", "scenario", "baseline", "difference", "difference_low", "difference_high")
            ),
        ),
        Said(f"In week {projection.weeks}: {side(last)}.", trace("mme_per_1000", f"week {projection.weeks}")),
        beside(projection),
        verdict(projection),
    ]
    if average.low is not None and average.direction == 0 and not average.same:
        said.append(_lost(brief))
    if brief.audience == "analysts":
        said += _for_analysts(brief)
    if projection.scenario.population.arrivals:
        said.append(_whole_population(projection))
    if 1 < projection.draws < FEW_DRAWS:
        said.append(Said(f"With only {projection.draws} draws these bands are hardly bands: run more before you show this.", "run:draws"))
    if projection.draws == 1:
        said.append(Said("This is one run with central parameter values, without a band: nothing says how sure it is.", "run:draws"))
    names = labels(brief)
    alt = (
        f"{BY_NAME['mme_per_1000'].label} by week under {names[0]} and under this plan, and their difference. {said[0].text} {said[1].text}"
    )
    figure = both(
        "demand", lambda dark: over_time(projection, ["mme_per_1000"], names, dark=dark, size=(430, 300)), alt, caption(projection),
        native_lines(projection, "mme_per_1000", names),
    )  # fmt: skip
    notes = (
        f"Say: {demand_title(projection)[0]}. Then say pain and function in the same breath.\n"
        "Point at the gray line first: that is what would have happened. Then at the difference, and at its band.\n"
        "You will be asked: why is the band so wide? It holds what the evidence leaves open and which patients happened to come. The page "
        "on how sure this is parts the two.\n"
        f"The whole of it: {projection}"
    )
    title, where = demand_title(projection)
    return Page("demand", "figure", title, tuple(said), figure, notes=notes, sources=cited("T11-06"), title_trace=where)


def demand_title(projection: Projection) -> tuple[str, str]:
    """The headline on demand, by what came out, and where its figures stand."""
    average = mean(projection, "mme_per_1000")
    when = f"over {narrative.horizon_words(projection.weeks)}"
    where = traces("run:weeks", trace("mme_per_1000", "horizon", "difference", "difference_low", "difference_high"))
    if average.same:
        return f"Opioid demand {when} is as in the baseline", where
    if average.direction == 0:
        return f"No distinguishable change in opioid demand {when}", where
    way = "lower" if average.difference < 0.0 else "higher"
    if average.baseline > 0.0:
        share = 100.0 * abs(average.difference) / average.baseline
        size = f"{share:.0f} %" if share >= 1.95 else f"{share:.1f} %"
        where = traces(where, trace("mme_per_1000", "horizon", "percent"))
    else:
        size = f"{plain(abs(average.difference))} MME/day"
    tail = "" if average.low is not None else ", in one run without a band"
    return f"Opioid demand {when} is {size} {way}{tail}", where


def beside(projection: Projection) -> Said:
    """Pain and function over the horizon, in the sentence that must stand beside demand."""
    pain, function = mean(projection, "pain"), mean(projection, "function")
    text = f"Beside it, on average: pain {side(pain)}; function {side(function)}."
    return Said(text, traces(trace("pain", "horizon"), trace("function", "horizon")))


def verdict(projection: Projection) -> Said:
    """Where demand and health part ways, or that nothing can be told."""
    demand = mean(projection, "mme_per_1000")
    pain, function = _worst(projection, "pain"), _worst(projection, "function")
    where = traces(
        trace("mme_per_1000", "horizon"), *(trace(one.name, f"week {week}") for one, week in (pain, function)),
    )  # fmt: skip
    worse = [f"{one.name} in week {week} ({signed(one.difference, one.digits)})" for one, week in (pain, function) if _harm(one)]
    if demand.same and mean(projection, "pain").same and mean(projection, "function").same and not worse:
        return Said("Nothing differs from the baseline.", where)
    if worse:
        start = "Less opioid is not by itself better health" if demand.direction < 0 else "There are weeks in which health is worse"
        return Said(f"{start}: at the worst, {' and '.join(worse)}.", where)
    if demand.direction == 0:
        return Said(
            "So in these runs it cannot be told whether opioid demand changes; in no week are pain or function clearly worse.", where
        )
    way = "falls" if demand.direction < 0 else "rises"
    return Said(f"Opioid demand {way}, and in no week are pain or function clearly worse.", where)


def _worst(projection: Projection, outcome: str) -> tuple[Compared, int]:
    """The week in which pain is most above, or function most below, the baseline."""
    rows = projection.outcome(outcome)
    place = rows["difference"].arg_max() if outcome == "pain" else rows["difference"].arg_min()
    week = int(rows["week"][place or 0])
    return at(projection, outcome, week), week


def _harm(one: Compared) -> bool:
    """Whether a difference is clearly a harm, and shows with one decimal less."""
    return one.leaning == (1 if one.name == "pain" else -1)


def _whole_population(projection: Projection) -> Said:
    """Demand of everyone in care in the stated population."""
    total, people = mean(projection, "mme_total"), mean(projection, "patients_in_care")
    return Said(
        f"In the whole population about {plain(people.scenario)} patients are in care: {plain(total.scenario)} MME a day, {side(total)}.",
        traces(
            trace("patients_in_care", "horizon", "scenario"),
            trace("mme_total", "horizon", "scenario", "difference", "difference_low", "difference_high"),
        ),
    )


def _lost(brief: Brief) -> Said:
    """Why a difference may be lost in chance: what one person on opioids adds among so few patients."""
    demand, users = mean(brief.lead, "mme_per_1000"), mean(brief.lead, "on_opioids")
    one = demand.baseline / users.baseline * 100.0 / brief.lead.patients if users.baseline > 0.0 else 0.0
    brief.keep("demand", [("one_user", one, None, None)])
    return Said(
        f"Among {brief.lead.patients:,} patients one person more on opioids adds about {plain(one)} "
        f"{VOICES[brief.audience].demand_unit}: much of the band is such chance.",
        "run:patients; analysis:demand/one_user",
    )


def _for_analysts(brief: Brief) -> list[Said]:
    projection = brief.lead
    users = mean(projection, "on_opioids")
    lasting = mean(projection, "long_term_therapy")
    return [
        Said(
            f"{projection.draws:,} draws of the {projection.kind} with {projection.patients:,} patients each, both arms with common random "
            f"numbers, seed {projection.seed}.",
            "run:draws; run:patients; run:seed",
        ),
        Said(
            f"On opioids {plain(users.scenario, 1)} %: {side(users)}. Long-term therapy {plain(lasting.scenario, 1)} %: {side(lasting)}.",
            traces(*(trace(name, "horizon", "scenario", "difference", "difference_low", "difference_high")
                     for name in ("on_opioids", "long_term_therapy"))),
        ),
    ]  # fmt: skip


def body_page(brief: Brief) -> Page:
    """Pain and function against the baseline, and how large that is."""
    projection = brief.lead
    said = []
    for name in ("pain", "function"):
        average, week = mean(projection, name), widest(projection, name)
        most, last = at(projection, name, week), at(projection, name, projection.weeks)
        scale = "of 10" if name == "pain" else "of 100"
        text = f"{BY_NAME[name].label} averages {plain(average.scenario, average.digits)} {scale}: {side(average)}."
        where = trace(name, "horizon", "scenario", "difference", "difference_low", "difference_high")
        if not average.same or not most.same:
            text += f" It differs most in week {week}: {side(most)}. In week {projection.weeks}: {side(last)}."
            where = traces(where, trace(name, f"week {week}"), trace(name, f"week {projection.weeks}"))
        said.append(Said(text, where))
    said.append(
        Said(
            "A patient calls a change of about 2 points of pain important; a difference of means is something else, but this is its scale.",
            f"evidence:{_IMPORTANT}",
        )
    )
    demand = mean(projection, "mme_per_1000")
    said.append(Said(f"Opioid demand beside it: {side(demand)}.", trace("mme_per_1000", "horizon")))
    title, where = body_title(projection)
    names = labels(brief)
    alt = f"Pain and function by week under {names[0]} and under this plan, and their differences. {said[0].text} {said[1].text}"
    figure = both(
        "body", lambda dark: over_time(projection, ["pain", "function"], names, dark=dark, size=(390, 170)), alt, caption(projection)
    )
    notes = (
        f"Say: {title}.\n"
        "Say how large it is: hold it against the 2 points that a patient would call important, and say that a mean hides who gains. "
        "For this score of function no such figure is published; its weights are assumptions.\n"
        "You will be asked: is this worth it? That is a value judgment, and the model makes none. It says what comes with what."
    )
    return Page("body", "figure", title, tuple(said), figure, notes=notes, sources=cited(_IMPORTANT), title_trace=where)


def body_title(projection: Projection) -> tuple[str, str]:
    """The headline on pain and function, by what came out, and where its figures stand."""
    when = f"over {narrative.horizon_words(projection.weeks)}"
    parts = {name: mean(projection, name) for name in ("pain", "function")}
    where = traces("run:weeks", *(trace(name, "horizon", "difference") for name in parts))
    if all(one.same for one in parts.values()):
        return f"Pain and function {when} are as in the baseline", where
    if not any(one.direction for one in parts.values()):
        return f"No distinguishable change in pain or function {when}", where
    words = []
    for name, one in parts.items():
        if one.direction:
            words.append(f"{name} is {plain(abs(one.difference), one.digits)} {'lower' if one.direction < 0 else 'higher'}")
        else:
            words.append(f"{name} shows no distinguishable change")
    text = f"On average {when} {words[0]}, {words[1]}"
    return text + ("" if projection.draws > 1 else ", in one run without a band"), where


def else_page(brief: Brief) -> Page:
    """What else changes: use of opioids, harms, sessions and cost, in both arms."""
    projection = brief.lead
    rows = []
    for name in _ELSE[brief.minutes]:
        one, outcome = mean(projection, name), BY_NAME[name]
        levels = (plain(one.baseline, one.digits), plain(one.scenario, one.digits))
        rows.append((outcome.label, spoken_unit(outcome.unit), *levels, change(one)))
    cost, sessions = mean(projection, "cost"), mean(projection, "sessions")
    said = (
        Said(
            f"Cost of care: {side(cost)} USD a patient and week, at unit costs that are in part assumed; without the cost of harms "
            "and of work lost."
            if not cost.same
            else "The cost of care is as in the baseline.",
            traces(trace("cost", "horizon"), "parameter:cost_visit"),
        ),
        Said(f"Sessions of care for 1,000 patients in a week: {side(sessions)}. Somebody must give them.", trace("sessions", "horizon")),
    )
    if cost.direction == 0:
        title = "What else changes: no distinguishable change in the cost of care" if not cost.same else "What else changes"
    else:
        way = "less" if cost.difference < 0.0 else "more"
        title = f"What else changes: care costs {plain(abs(cost.difference), cost.digits)} USD {way} a patient and week"
    notes = (
        f"Say: {title}.\n"
        "You will be asked: can we afford the sessions? `painlab.analysis.capacity` says what wait a number of slots makes.\n"
        "You will be asked: overdoses? The hazard is by dose and recent taper alone; deaths and illicit use are not in the model."
    )
    table = Table(("What", "Unit", labels(brief)[0].capitalize(), "This plan", "Difference"), tuple(rows), f"Means {brief.when}.")
    return Page(
        "body-2", "table", title, said, table=table, notes=notes, sources=cited("T12-09b", "T13-01"), minutes=LONG,
        title_trace=trace("cost", "horizon"),
    )  # fmt: skip


def compare_page(brief: Brief) -> Page:
    """Several plans, each against its own baseline."""
    rows, found, said = [], [], []
    baselines = {one.scenario.fingerprint() if one.scenario.baseline == one.scenario.name else _against(one) for one in brief.projections}
    for number, one in enumerate(brief.projections, 1):
        parts = [mean(one, name) for name in BESIDE]
        rows.append((one.scenario.title, *(change(part) for part in parts)))
        for part in parts:
            kind = "clear" if part.direction else "not clear"
            found.append(Dot(one.scenario.title, part.name, part.difference, part.low, part.high, kind))
        said.append(Said(f"{one.scenario.title}: {one.headline()}.", traces(f"run {number}:title", headline_trace(one, number))))
    if len(baselines) > 1:
        said.append(Said("The plans are held against different baselines or patients: their differences do not compare directly."))
    title = compare_title(brief)
    alt = "Differences from the baseline in opioid demand, pain and function, a row a plan. " + " ".join(one.text for one in said)
    figure = both(
        "compare", lambda dark: dots(found, BESIDE, dark=dark, what="difference from the baseline"), alt,
        caption(brief.lead, *(f"and {one.scenario.name}" for one in brief.projections[1:])),
        native_bars(found, "mme_per_1000", "Difference in opioid demand"),
    )  # fmt: skip
    table = Table(
        ("Plan", *(f"{BY_NAME[name].label}, {spoken_unit(BY_NAME[name].unit)}" for name in BESIDE)), tuple(rows), "Means over the horizon."
    )
    notes = (
        "Say: each row is a plan against its own baseline; look at all three columns before you choose.\n"
        "Where two bands overlap, do not rank the plans: say that the model does not part them.\n"
        "Blue circles are told from zero, gray squares are not."
    )
    return Page("compare", "figure", title, tuple(said), figure, table, notes=notes)


def compare_title(brief: Brief) -> str:
    """The headline over several plans: whether the model parts them in opioid demand."""
    each = [mean(one, "mme_per_1000") for one in brief.projections]
    banded = [(one.low, one.high) for one in each]
    if all(one.same for one in each):
        return "Opioid demand is the same under all of these plans"
    if any(low is None or high is None for low, high in banded):
        return "The plans beside each other, in one run without bands"
    ends = sorted((low, high) for low, high in banded if low is not None and high is not None)
    apart = all(ends[i][1] < ends[i + 1][0] for i in range(len(ends) - 1))
    return (
        "The plans differ in opioid demand" if apart else "The bands of these plans overlap: the model does not rank them by opioid demand"
    )


def _against(projection: Projection) -> str:
    scenario = projection.scenario
    return f"{scenario.population.model_dump_json()} {scenario.baseline_plan().model_dump_json()} {projection.weeks}"

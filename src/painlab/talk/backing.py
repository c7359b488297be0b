"""What a talk rests on: the evidence with its kind, the limits, the parameters that matter, and how the numbers were made."""

from typing import Final

from painlab import catalog, evidence, parameters
from painlab.outcomes import spoken_unit
from painlab.parameters import LINKS
from painlab.talk.brief import Brief
from painlab.talk.opening import LONG, cited, flat
from painlab.talk.origin import code_of, command, evidence_date, validity
from painlab.talk.story import Page, Said, Table
from painlab.views import ledger

_USES: Final = {"calibrate": "sets the model", "validate": "only tests it", "context": "context"}
_FOR: Final = {
    "physical_therapy": ("T05-03", "T06-29", "T06-08", "T05-01"),
    "prescribing": ("T02-01", "T02-08", "T03-14"),
    "taper": ("T04-01", "T04-02", "T04-05"),
    "reassessment": ("T04-04", "T11-12"),
    "coordination": ("T12-01c", "T12-06b"),
    "epidural_steroid": ("T07-01", "T07-11"),
    "joint_steroid": ("T07-06", "T07-10"),
}
_ALWAYS: Final = ("T02-01", "T09-16", "T09-15")
_TRIALS: Final = ("RCT", "meta")
_ROWS_OF: Final = {15: 7, 40: 14}
_PARAMETERS_OF: Final = {15: 12, 40: 24}
_PER_PAGE: Final = 12


def parts_of(brief: Brief) -> list[str]:
    """Keys of the plan's tables that are not the baseline's."""
    plan, baseline = brief.scenario.care.as_dict(), brief.scenario.baseline_plan().as_dict()
    return [key for key in dict.fromkeys([*plan, *baseline]) if plan.get(key) != baseline.get(key)]


def evidence_page(brief: Brief) -> Page:
    """The findings that this plan rests on, each with its kind of study, how it is used, and where it stands."""
    ids: list[str] = []
    per_part = []
    for key in parts_of(brief):
        known = catalog.treatments()
        own = known[key].evidence.split("; ") if key in known else []
        per_part.append(list(_FOR.get(key, own)))
    for place in range(max(map(len, per_part), default=0)):  # the first of each part before the second of any
        ids += [each[place] for each in per_part if place < len(each)]
    table = {row["id"]: row for row in evidence.estimates().iter_rows(named=True)}
    most = _ROWS_OF[brief.minutes]
    wanted = [one for one in dict.fromkeys((*ids[: most - 2], *_ALWAYS, *ids)) if one in table][:most]
    rows = []
    for one in wanted:
        finding, _ = ledger.finding(one)
        row = table[one]
        use = f"{_USES[row['use']]}; {evidence.CHECKED_WORDS[row['checked']]}"
        rows.append((one, finding, evidence.KIND_WORDS[row["quality"]], use, _short(one)))
    trials = sum(table[one]["quality"] in _TRIALS for one in wanted)
    kept = sum(table[one]["use"] == "validate" for one in wanted)
    brief.keep("evidence", [(name, float(value), None, None) for name, value in (("rows", len(rows)), ("trials", trials), ("tests", kept))])
    rest = "" if trials == len(rows) else ", the others from observation or opinion"
    tests = f"; {kept} of them {'only tests' if kept == 1 else 'only test'} the model" if kept else ""
    said = [
        Said(
            f"Of these {len(rows)} findings {trials} come from randomized trials or pooled studies{rest}{tests}.",
            "analysis:evidence/rows; analysis:evidence/trials; analysis:evidence/tests",
        )
    ]
    if "physical_therapy" in parts_of(brief):
        said.append(
            Said("That therapy changes opioid use rests on observation: people who go differ from those who do not.", "evidence:T06-29")
        )
    unsourced = [
        catalog.treatments()[key].label
        for key in parts_of(brief)
        if key in catalog.treatments() and "assumption" in catalog.treatments()[key].evidence
    ]
    if unsourced:
        said.append(
            Said(f"No trial stands behind the size of {', '.join(unsourced).lower()}: it is an assumption.", "assumption:treatments")
        )
    notes = (
        "Say: the kind of study tells how much a finding can bear. A randomized trial can show that care causes a change; an observation "
        "cannot.\n"
        "You will be asked: why this study and not mine? The table of all findings is data/evidence.csv; `painlab validate my-trials.toml` "
        "holds the model against yours."
    )
    shown = Table(("Id", "Finding", "Kind", "Use", "Source"), tuple(rows), f"Evidence of {evidence_date()}.")
    return Page(
        "evidence",
        "table",
        "The evidence, and what kind it is",
        tuple(said),
        table=shown,
        notes=notes,
        sources=cited(*wanted),
        minutes=LONG,
    )


def _short(one: str) -> str:
    return ", ".join(evidence.citation(one).split(", ")[:2])


def limits_page(brief: Brief) -> Page:
    """What the model cannot tell, with what this plan touches first."""
    parts = parts_of(brief)
    known = catalog.treatments()
    said = [Said("It advises no individual patient: courses differ widely, and chance is large.")]
    if any(key in known and known[key].exercise for key in parts):
        said.append(
            Said(
                "That physical therapy lowers opioid use rests on one observational study; its effect was small, and absent when late.",
                "evidence:T06-29; evidence:T06-30",
            )
        )
        if brief.minutes > 5:
            said.append(
                Said(
                    "Exercise helps a little to moderately; careful trials find about half of what all trials find.",
                    "evidence:T05-01; evidence:T05-03",
                )
            )
    if any(key in known and known[key].kind == "injection" for key in parts):
        said.append(Said("That injections lower opioid use has not been shown.", "evidence:T07-11"))
    if "taper" in parts:
        said.append(
            Said(
                "Tapering has gone with more overdoses, withdrawal and mental health crises; the model counts only a part of them.",
                "evidence:T04-05; evidence:T04-06",
            )
        )
    said.append(Said("That weakness causes pain is contested; the link may be zero.", "evidence:T09-16"))
    said.append(Said("Care as written is not care as given: there must be enough therapists, and people like those of the studies."))
    said.append(Said("Deaths, addiction, street drugs, insurance, race and income are not in the model."))
    if brief.minutes > 5:
        said.append(
            Said("The band shows what the numbers leave open, not what the model gets wrong: the truth lies outside it more often.")
        )
    assumed = [one for one in parameters.records().values() if "assumption" in one.source]
    brief.keep("limits", [("assumed", float(len(assumed)), None, None), ("parameters", float(len(parameters.records())), None, None)])
    if brief.minutes == 40:
        said.append(
            Said(
                f"{len(assumed)} of {len(parameters.records())} parameters rest on an assumption, at least in part.",
                "analysis:limits/assumed; analysis:limits/parameters",
            )
        )
    notes = (
        "Do not skip this page. Say the first line and the one that matters most to the people in the room.\n"
        "You will be asked: then what is it good for? It says what would have to be true, which way and roughly how much, and what comes "
        "with it. It is a careful way of thinking, and no proof.\n"
        f"The state of the model: {validity()['state']} ({validity()['date']})."
    )
    return Page("limits", "words", "What this cannot tell", tuple(said), notes=notes, sources=cited("T06-29", "T09-16"))


def parameter_pages(brief: Brief) -> list[Page]:
    """The parameters that matter most to this plan, with range and source."""
    known = parameters.records()
    names: list[str] = []
    if "flips" in brief.analyses:
        names += [key for key in brief.analyses["flips"]["key"].to_list() if key in known]
    names += list(LINKS.values())
    treatments = [name for name in brief.scenario.care.treatments if name in parts_of(brief)]
    names += ["opioid_relief_max", "opioid_half_dose", "tolerance_shift"]
    names += [name for one in treatments for name in known if name.startswith(f"{one}.")]
    names += [name for name in known if name.startswith(f"{brief.scenario.population.condition}.")]
    names += ["sensitization_pain", "home_half_life", "attendance_pain", "stop_scale", "start_pain", "response_spread", "trait_spread"]
    rows = []
    for name in list(dict.fromkeys(one for one in names if one in known))[: _PARAMETERS_OF[brief.minutes]]:
        one = known[name]
        spread = "fixed" if one.distribution == "fixed" else f"{one.low:g} to {one.high:g}"
        source = one.source if len(one.source) <= 60 else f"{one.source[:57].rstrip()}..."
        rows.append((name.replace("_", " ").replace(".", ": "), f"{one.value:g}", spread, spoken_unit(one.unit), source))
    pages = []
    for place in range(0, len(rows), _PER_PAGE):
        key = "appendix-parameters" if place == 0 else f"appendix-parameters-{place // _PER_PAGE + 1}"
        shown = Table(
            ("Parameter", "Central", "Prior range", "Unit", "Source"), tuple(rows[place : place + _PER_PAGE]), "data/parameters.csv"
        )
        title = "Appendix: parameters that matter here" + (", continued" if place else "")
        notes = "To look things up. `painlab evidence NAME` tells what is known of a parameter, and where it is used."
        pages.append(Page(key, "appendix", title, table=shown, notes=notes, minutes=LONG))
    return pages


def provenance_page(brief: Brief) -> Page:
    """All that is needed to make the numbers again."""
    lead = brief.lead
    rows = [
        ("PainLab", str(lead.provenance["painlab"])),
        ("Evidence and calibration of", evidence_date()),
        ("Evidence, SHA-256", lead.provenance["data_sha256"]["evidence.csv"][:32]),
    ]
    said = []
    for number, one in enumerate(brief.projections, 1):
        before = f"{number}. " if len(brief.projections) > 1 else ""
        code = code_of(one.scenario)
        rows += [
            (f"{before}Scenario", f"{one.scenario.name}: {one.scenario.title}"),
            (f"{before}Code", code if len(code) <= 160 else f"{code[:60]}... ({len(code)} characters, whole in the deck)"),
            (f"{before}Scenario, SHA-256", one.scenario.fingerprint()[:32]),
            (f"{before}Run", f"seed {one.seed}, {one.draws:,} draws ({one.kind}) of {one.patients:,} patients, {one.weeks} weeks"),
        ]
        if one.cut:
            rows.append((f"{before}Links cut", ", ".join(one.cut)))
        if number == 1 and len(command(one)) <= 160:
            said.append(Said(f"Again: {command(one)}", "provenance:runs/0"))
    said.append(Said("The deck holds its scenarios: the command painlab project, given the file, runs them again to the same numbers."))
    shown = Table(("What", "Value"), tuple(rows), "Same version, scenario and seed: same numbers.")
    changes = flat(lead.scenario.care.as_dict())
    notes = f"The plan has {len(changes)} fields, all of them in the code. Parameters: {lead.origin or lead.kind}."
    return Page("appendix-provenance", "appendix", "Appendix: how these numbers were made", tuple(said), table=shown, notes=notes)

"""tell(): a talk from a scenario or a run, with every page worded by what came out."""

from collections.abc import Callable, Sequence
from typing import Final

from painlab.errors import InputError
from painlab.simulation import MAX_DRAWS, MAX_PATIENTS, whole_number
from painlab.tables import nearest
from painlab.talk import backing, benefit, doubts, findings, levers_grid, opening, origin
from painlab.talk.brief import Brief, Progress
from painlab.talk.runs import What, projections_of
from painlab.talk.story import AUDIENCES, LENGTHS, Page, Story

_LONGEST_TITLE: Final = 500
_WEIGHTS: Final = {"run": 2.0, "cycle": 1.0, "live": 12.0, "benefit": 5.0, "earned": 5.0, "sure": 7.0}
_LEFT_OUT: Final = {5: ("cycle", "benefit", "earned")}


def tell(
    what: What | Sequence[What],
    *,
    title: str | None = None,
    audience: str = "clinicians",
    minutes: int = 15,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    parameters: str = "posterior",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Story:
    """Tell a talk about a scenario or a run.

    Parameters
    ----------
    what
        A Scenario; the name, code or path of one; a Projection; the folder that `painlab project --out` or `painlab sweep` wrote; or up to
        four of them, of which the first leads.
    title
        The talk's title; the first scenario's if left out.
    audience
        `clinicians`, `public` or `analysts`: another choice of words and depth, and the same findings.
    minutes
        Length of the talk: 5, 15 or 40.
    patients, draws, seed, weeks, parameters
        Of the runs, as in `painlab.simulate`; those of a Projection or a folder stay what they were.
    progress
        Called as progress(done, total) while the runs and analyses are made.
    cancelled
        Asked now and then; when it returns true, the work ends with `painlab.engine.execution.Cancelled`.

    Raises
    ------
    InputError
        For an unknown scenario, audience or length, a title without a printed letter or of more than 500, more than four scenarios, and
        a folder that holds no run.

    >>> story = tell("early-pt", minutes=5, patients=40, draws=2, weeks=8)
    >>> [page.key for page in story.pages]
    ['title', 'question', 'demand', 'body', 'live', 'sure', 'limits', 'appendix-provenance']
    >>> story.pages[1].said[0].trace
    'scenario:question'
    """
    if audience not in AUDIENCES:
        raise InputError(f'unknown audience "{audience}"{nearest(str(audience), AUDIENCES)}', expected=f"one of {', '.join(AUDIENCES)}")
    if minutes not in LENGTHS:
        lengths = ", ".join(map(str, LENGTHS))
        raise InputError(f"minutes is {minutes!r}", expected=f"one of {lengths}", mend="Choose one of these lengths.")
    if title is not None:
        check_title(title)
    patients, draws = whole_number("patients", patients, 1, MAX_PATIENTS), whole_number("draws", draws, 1, MAX_DRAWS)
    weights = {name: weight for name, weight in _WEIGHTS.items() if name not in _LEFT_OUT.get(minutes, ())}
    brief = Brief((), audience, minutes, progress, cancelled, weights)
    brief.projections = projections_of(
        what,
        patients=patients,
        draws=draws,
        seed=seed,
        weeks=weeks,
        parameters=parameters,
        progress=brief.stage("run"),
        cancelled=cancelled,
    )
    named = title if title is not None else brief.scenario.title
    made = _pages(brief, named)
    if progress:
        progress(1000, 1000)
    return Story(
        named,
        audience,
        minutes,
        tuple(page for page in made if minutes in page.minutes),
        origin.record(brief.projections, title=named, audience=audience, minutes=minutes),
        tuple(one.scenario for one in brief.projections),
        brief.projections,
        brief.analyses,
    )


def check_title(title: str) -> str:
    """A title that can be shown. Raises InputError for one that is empty, too long or holds a control character."""
    if (
        not title.strip()
        or len(title) > _LONGEST_TITLE
        or not title.replace("\n", " ").replace("\u200f", "").replace("\u200d", "").isprintable()
    ):
        problem = (
            f"the title has {len(title):,} characters" if title.strip() and len(title) > _LONGEST_TITLE else "the title cannot be shown"
        )
        raise InputError(problem, expected=f"1 to {_LONGEST_TITLE} characters that can be printed", mend="Change the title.")
    return title


def _pages(brief: Brief, title: str) -> list[Page]:
    """All pages that this length of talk has, in their order."""
    long = brief.minutes in opening.LONG
    pages = [opening.title_page(brief, title), opening.question_page(brief)]
    if long:
        pages += [opening.cycle_page(brief), opening.patients_page(brief), opening.care_page(brief)]
    pages += [findings.demand_page(brief), findings.body_page(brief)]
    if long:
        pages.append(findings.else_page(brief))
    if len(brief.projections) > 1:
        pages.append(findings.compare_page(brief))
    pages.append(levers_grid.live_page(brief))
    if long:
        pages.append(benefit.benefit_page(brief))
        pages += doubts.earned_pages(brief)
    pages.append(doubts.sure_page(brief))
    if long:
        pages.append(backing.evidence_page(brief))
    pages.append(backing.limits_page(brief))
    if long:
        pages += backing.parameter_pages(brief)
    return [*pages, backing.provenance_page(brief)]

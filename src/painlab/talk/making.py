"""slides(): a talk as a file, HTML, PowerPoint or PDF, after everything that can be wrong with the wish has been looked at."""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from painlab.errors import InputError
from painlab.projection import Projection
from painlab.records.export import check_target
from painlab.tables import nearest, printable
from painlab.talk.brief import Progress
from painlab.talk.reopening import is_deck, projected
from painlab.talk.runs import MOST, What
from painlab.talk.story import AUDIENCES, LENGTHS, Story
from painlab.talk.telling import check_title, tell

ENDINGS: Final = ("html", "pptx", "pdf")
THEMES: Final = ("light", "dark")
_TOLD: Final = 960  # of a thousand parts of the work, those that the runs take; the rest draws the file


@dataclass(frozen=True)
class Form:
    """What the file is to be: its ending, one of `ENDINGS`, and how it looks."""

    ending: str
    theme: str = "light"
    template: Path | None = None


def slides(
    what: What | Sequence[What],
    path: str | Path,
    *,
    title: str | None = None,
    audience: str = "clinicians",
    minutes: int = 15,
    theme: str = "light",
    template: str | Path | None = None,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    force: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Path:
    """Make a talk about a scenario or a run and write it as one file, which needs no network.

    Parameters
    ----------
    what
        A Scenario; the name, code or path of one; a Projection; the folder that `painlab project --out` or `painlab sweep` wrote; a deck
        that was made before (.html, .pptx or .pdf), which is told again with its own runs; or up to four of these; the first leads.
    path
        The file to write. Its ending says what it becomes: .html, a talk whose charts answer; .pptx, for PowerPoint; .pdf, to hand out.
    title
        The talk's title; the first scenario's if left out.
    audience
        `clinicians`, `public` or `analysts`: other words and depth, the same findings.
    minutes
        Length of the talk: 5, 15 or 40.
    theme
        `light` or `dark`, of an HTML talk; the key T changes it there.
    template
        A presentation of your own (.pptx), whose layouts the slides take; for PowerPoint only.
    patients, draws, seed
        Of the runs, as in `painlab.simulate`; a Projection, a folder and a deck keep their own.
    force
        Write over a file that is there.
    progress, cancelled
        As in `painlab.simulate`; a talk that is cancelled leaves no file.

    Returns
    -------
    The path.

    Raises
    ------
    InputError
        Before anything is run: for an ending that is none of these, a folder that is missing or cannot be written, a file that is there, an
        unknown audience, length or theme, a title that cannot be shown, a template that is missing or no presentation, more than four
        scenarios, and a scenario that cannot be used.

    >>> folder = Path(tempfile.mkdtemp())
    >>> slides("early-pt", folder / "deck.html", minutes=5, patients=30, draws=2).name
    'deck.html'
    """
    target = Path(path)
    form = check_form(target, theme=theme, template=template)
    check_wish(title=title, audience=audience, minutes=minutes)
    given = _each(what)
    check_target(target, force=force)

    def told(done: int, total: int) -> None:
        if progress:
            progress(_TOLD * done // max(total, 1), 1000)

    story = tell(
        [one for deck in given for one in _reopened(deck, cancelled)],
        title=title,
        audience=audience,
        minutes=minutes,
        patients=patients,
        draws=draws,
        seed=seed,
        progress=told,
        cancelled=cancelled,
    )
    write(drawn(story, form), target)
    if progress:
        progress(1000, 1000)
    return target


def of_run(
    projection: Projection,
    ending: str,
    *,
    minutes: int = 15,
    audience: str = "clinicians",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> bytes:
    """The bytes of a talk about a run that is there already, as the explorer exports it; ending is one of `ENDINGS`."""

    def told(done: int, total: int) -> None:
        if progress:
            progress(_TOLD * done // max(total, 1), 1000)

    story = tell(projection, audience=audience, minutes=minutes, progress=told, cancelled=cancelled)
    return drawn(story, Form(ending))


def drawn(story: Story, form: Form) -> bytes:
    """A talk as the bytes of a file."""
    if form.ending == "html":
        from painlab.talk.html_deck import html

        return html(story, form.theme).encode("utf-8")
    if form.ending == "pptx":
        from painlab.talk.powerpoint import powerpoint

        return powerpoint(story, form.template)
    from painlab.talk.handout import pdf

    return pdf(story)


def check_form(path: Path, *, theme: str = "light", template: str | Path | None = None) -> Form:
    """What a file of this name becomes. Raises InputError for an unknown ending or theme, and for a template that cannot be used."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in ENDINGS:
        known = ", ".join(f".{one}" for one in ENDINGS)
        problem = f'a talk cannot be written as "{printable(path.suffix)}"' if path.suffix else "the file's name has no ending"
        raise InputError(problem, where=printable(str(path)), expected=f"a name that ends in one of {known}", mend="Change the name.")
    if theme not in THEMES:
        raise InputError(f'there is no theme "{printable(str(theme))}"{nearest(str(theme), THEMES)}', expected="light or dark")
    if template is None:
        return Form(ending, theme)
    if ending != "pptx":
        raise InputError(
            f"a template is given, but .{ending} takes none", where=printable(str(path)), expected="a name that ends in .pptx",
            mend="Leave the template out, or make a PowerPoint file.",
        )  # fmt: skip
    from painlab.talk import layouts

    layouts.house(template)
    return Form(ending, theme, Path(template))


def check_wish(*, title: str | None, audience: str, minutes: int) -> None:
    """Raises InputError for a title that cannot be shown and for an unknown audience or length."""
    if title is not None:
        check_title(title)
    if audience not in AUDIENCES:
        raise InputError(
            f'unknown audience "{printable(str(audience))}"{nearest(str(audience), AUDIENCES)}', expected=f"one of {', '.join(AUDIENCES)}"
        )
    if isinstance(minutes, bool) or minutes not in LENGTHS:
        raise InputError(f"minutes is {minutes!r}", expected=f"one of {', '.join(map(str, LENGTHS))}")


def write(content: bytes, target: Path) -> None:
    """Write a file that is whole or not there. Raises InputError if the disk does not take it."""
    made: Path | None = None
    try:
        handle, name = tempfile.mkstemp(suffix=target.suffix, prefix=".unfinished-", dir=target.parent)
        made = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        made.chmod(0o666 & ~_umask())
        made.replace(target)
    except OSError as error:
        raise InputError(
            f"the talk cannot be written ({error.strerror})", where=printable(str(target)), expected="a folder that you may write to",
            mend="Name another place.",
        ) from None  # fmt: skip
    finally:
        if made is not None:
            made.unlink(missing_ok=True)


def _each(what: What | Sequence[What]) -> list[What]:
    """What is asked for, one by one. Raises InputError for none and for more than four."""
    given = list(what) if isinstance(what, Sequence) and not isinstance(what, str) else [what]
    if not 1 <= len(given) <= MOST:
        raise InputError(f"{len(given)} scenarios are given", expected=f"one to {MOST}", mend="Leave some out; the first one leads.")
    return given  # type: ignore[return-value]


def _reopened(what: What, cancelled: Callable[[], bool] | None) -> list[What]:
    if isinstance(what, str | Path) and is_deck(what):
        return list(projected(what, cancelled=cancelled))
    return [what]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

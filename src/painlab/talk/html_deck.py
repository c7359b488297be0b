"""A talk as one HTML file that opens by double click without a network, with charts that stay alive; and reading its scenario back."""

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from painlab.errors import InputError
from painlab.tables import printable
from painlab.talk.embedding import embedded, json_text, unpacked
from painlab.talk.story import Figure, LeverAxis, LiveGrid, Page, Said, Story, Table

THEMES: Final = ("light", "dark")
MOST_BYTES: Final = 64_000_000
WIDTH: Final = 1280  # of a slide in pixels; the browser scales it to the screen
HEIGHT: Final = 720
_ASSETS: Final = Path(__file__).parent / "assets"
_SCRIPTS: Final = ("sizing.js", "drawing.js", "live.js", "speaker.js", "deck.js")
_STYLES: Final = ("reveal/reset.css", "reveal/reveal.css", "deck.css", "kinds.css")
_RECORD: Final = re.compile(r"""<script\b[^>]*\bid=["']?painlab-talk["']?[^>]*>(.*?)</script>""", re.DOTALL)
_KICKERS: Final = {
    "question": "The question",
    "cycle": "The cycle",
    "patients": "The patients",
    "care": "What changes in care",
    "demand": "Opioid demand",
    "body": "Pain and function",
    "compare": "Side by side",
    "live": "Ask the model",
    "benefit": "Who benefits, who does not",
    "earned": "What earned it",
    "sure": "How sure",
    "evidence": "The evidence",
    "limits": "Limits",
    "appendix-parameters": "Appendix: parameters",
    "appendix-provenance": "Appendix: provenance",
}
# The cycle as a mark: three arcs, each with a head.
_ARC: Final = '<path d="M -72.3 -48.8 A 87 87 0 0 1 60 -63" fill="none"/><path d="M 42 -76 L 78 -76 L 66 -43 Z"/>'
_MARK: Final = (
    '<svg class="mark" viewBox="-110 -110 220 220" aria-hidden="true" focusable="false">'
    + "".join(f'<g transform="rotate({turn})">{_ARC}</g>' for turn in (0, 120, 240))
    + "</svg>"
)


def html(story: Story, theme: str = "light") -> str:
    """A talk as the text of one HTML file.

    It holds reveal.js, Vega, the charts with their data, the speaker's notes, and the scenarios with how they were run, for `read_html`.
    A policy in the file forbids the browser to ask any address for anything.

    Parameters
    ----------
    story
        The talk (`painlab.talk.tell`).
    theme
        "light" or "dark"; the key T changes it during the talk. Printed pages are light.

    Raises InputError for another theme.
    """
    if theme not in THEMES:
        raise InputError(f'there is no theme "{printable(str(theme))}"', expected=f"one of {', '.join(THEMES)}")
    drawn: list[dict[str, Any]] = []
    slides = "\n".join(_slide(story, page, drawn) for page in story.pages)
    scripts = {"classic": [_asset("reveal/reveal.js")], "module": [vega(), "\n".join(map(_asset, _SCRIPTS))]}
    style = "\n".join(map(_asset, _STYLES))
    return "".join(
        (
            # The class turns off reveal.js's rules for paper, which take a slide's layout apart; deck.css has its own.
            f'<!DOCTYPE html>\n<html lang="en" class="print-pdf" data-theme="{theme}">\n<head>\n<meta charset="utf-8">\n',
            f"<!--\n{_asset('NOTICE.txt')}{_asset('reveal/LICENSE')}-->\n",
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(*scripts["classic"], *scripts["module"])}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f'<meta name="generator" content="PainLab {_e(story.provenance.get("painlab", ""))}">\n',
            f"<title>{_e(story.title)}</title>\n<style>\n{style}\n</style>\n",
            f'<script type="application/json" id="painlab-talk">{embedded(story)}</script>\n',
            f'<script type="application/json" id="painlab-figures">{json_text(drawn)}</script>\n',
            f'</head>\n<body>\n<noscript><p class="without">{_WITHOUT}</p></noscript>\n',
            f'<main class="reveal" data-minutes="{int(story.minutes)}"><div class="slides">\n{slides}\n</div></main>\n{_DIALOG}\n',
            *(f"<script>{text}</script>\n" for text in scripts["classic"]),
            *(f'<script type="module">{text}</script>\n' for text in scripts["module"]),
            "</body>\n</html>\n",
        )
    )


def read_html(path: Path | str) -> dict[str, Any]:
    """The record that a deck carries: `provenance`, that of the story, and `scenarios`, for `Scenario.from_dict`.

    Raises InputError if there is no such file, it is larger than 64 MB, it is no deck of PainLab, or its record is damaged.
    """
    path = Path(path)
    where = printable(str(path))
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("the file is too large to be a deck", where=where, expected=f"at most {MOST_BYTES // 1_000_000} MB")
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("the file is not text in UTF-8", where=where, expected="a deck that `painlab slides` has made") from None
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else error.strerror or "it cannot be opened"
        raise InputError(f"the deck cannot be read: {reason}", where=where, expected="the path of a deck.html") from None
    found = _RECORD.search(text)
    if found is None:
        raise InputError("the page holds no talk of PainLab", where=where, expected="a deck that `painlab slides` has made")
    return unpacked(found[1], where)


@cache
def vega() -> str:
    """Vega, Vega-Lite and the embedding of charts as one script, which makes a global name `painlabEmbed`."""
    import vl_convert

    return _unbroken(vl_convert.javascript_bundle("globalThis.painlabEmbed = vegaEmbed;"), "Vega")


@cache
def _asset(name: str) -> str:
    return _unbroken((_ASSETS / name).read_text(encoding="utf-8"), name)


def _unbroken(text: str, name: str) -> str:
    """A script or style sheet as it is, unless a page would end it early."""
    if re.search(r"</(script|style)|<!--", text, re.IGNORECASE):
        raise ValueError(f"{name} would end the element that holds it")
    return text


def _policy(*scripts: str) -> str:
    """A policy under which only these scripts run, and no address is asked for anything."""
    sums = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in sums)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


def _slide(story: Story, page: Page, drawn: list[dict[str, Any]]) -> str:
    title = page.kind == "title"
    level = 1 if title else 2
    notes = page.notes if page.live is None else "\n".join((page.notes, *(one.text for one in page.said)))
    parts = [
        _head(story, page, level),
        f'<div class="body">{"".join(_parts(page, drawn))}</div>',
        _title_line(story) if title else _sources(page.sources),
        _foot(_figures_line(page) or _made(story.provenance)),
        f'<aside class="notes">{_paragraphs(notes)}</aside>',
    ]
    background = ' data-background-color="#0b2f4a"' if title else ""
    return f'<section data-key="{_e(page.key)}"{background}><div class="page kind-{_e(page.kind)}">{"".join(parts)}</div></section>'


def _head(story: Story, page: Page, level: int) -> str:
    kicker = _KICKERS.get(page.key, "")
    if not kicker or page.title.lower().startswith(kicker.lower()[:12]) or kicker.lower() in page.title.lower():  # said already
        kicker = story.title
    above = f'<p class="kicker"><span dir="auto">{_e(kicker)}</span><span class="part"></span></p>' if page.kind != "title" else ""
    mark = _MARK if page.kind == "title" else ""
    return f'{mark}<header>{above}<h{level} class="headline" dir="auto">{_e(page.title)}</h{level}></header>'


def _parts(page: Page, drawn: list[dict[str, Any]]) -> Iterable[str]:
    """What stands between a slide's headline and its foot; figures are put into `drawn`, in the order of the page."""
    if page.live is not None:
        yield _live(page.live, page, drawn)
    elif page.figure is not None:
        yield _figure(page.figure, drawn)
    if page.table is not None:
        yield _table(page.table)
    if page.said:
        # Beside levers there is no room: what is said there is in the notes, and can be traced.
        yield f'<ul class="said"{" hidden" if page.live else ""}>{"".join(map(_sentence, page.said))}</ul>'


def _sentence(said: Said) -> str:
    return f'<li dir="auto" data-trace="{_e(said.trace)}">{_e(said.text)}</li>'


def _figure(figure: Figure, drawn: list[dict[str, Any]]) -> str:
    drawn.append({"spec": figure.spec, "dark": _changes(figure.spec, figure.dark_spec)})
    return (
        f'<figure class="chart"><div class="picture" role="img" data-figure="{len(drawn) - 1}" aria-label="{_e(figure.alt)}"></div>'
        "</figure>"
    )


def _changes(spec: dict[str, Any], dark: dict[str, Any]) -> dict[str, Any]:
    """What the dark chart has otherwise than the light one; their data are the same and kept once."""
    return {key: dark.get(key) for key in {**spec, **dark} if spec.get(key) != dark.get(key)}


def _table(table: Table) -> str:
    heads = "".join(f'<th scope="col" dir="auto">{_e(head)}</th>' for head in table.heads)
    rows = "".join(
        "<tr>" + "".join(f'<{kind} dir="auto"{_unbroken_cell(cell)}>{_e(cell)}</{kind[:2]}>' for kind, cell in _cells(row)) + "</tr>"
        for row in table.rows
    )
    caption = f'<caption dir="auto">{_e(table.caption)}</caption>' if table.caption else ""
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(row: tuple[str, ...]) -> list[tuple[str, str]]:
    return [('th scope="row"' if place == 0 else "td", cell) for place, cell in enumerate(row)]


def _unbroken_cell(cell: str) -> str:
    """The class of a cell that stays on one line: a number with its unit, or one short word."""
    return ' class="line"' if len(cell) <= 12 and (" " not in cell.strip() or re.match(r"[-+−±]?\d", cell)) else ""


def _live(grid: LiveGrid, page: Page, drawn: list[dict[str, Any]]) -> str:
    names = [one.name for one in grid.outcomes]
    light, dark = (_panels(names, grid.weeks[-1], dark) for dark in (False, True))
    drawn.append({"spec": light, "dark": _changes(light, dark), "grid": _numbers(grid)})
    number = len(drawn) - 1
    alt = page.figure.alt if page.figure else f"{', '.join(one.label for one in grid.outcomes)} by week: usual care and the plan."
    levers = "".join(_lever(lever, f"lever-{number}-{place}") for place, lever in enumerate(grid.levers))
    return (
        f'<div class="live" data-live="{number}"><div class="answer"><p class="finding" dir="auto" aria-live="polite">'
        f'{_e(grid.headlines[grid.at])}</p><button type="button" class="back">Back to the plan</button></div>'
        f'<figure class="chart"><div class="picture" role="img" data-figure="{number}" aria-label="{_e(alt)}"></div></figure>'
        f'<div class="readings">{"".join(_reading(one.label, grid.weeks[-1]) for one in grid.outcomes)}</div>'
        f'<div class="levers" role="group" aria-label="Levers">{levers}</div>'
        "</div>"
    )


def _reading(label: str, week: int) -> str:
    what = f'<span class="what"><span class="unseen">{_e(label)}, </span>difference in week {week}</span>'
    return f'<div class="reading">{what}<b class="figure"></b><span class="band"></span></div>'


def _lever(lever: LeverAxis, name: str) -> str:
    """A slider over the lever's values, or two buttons if it has two."""
    label = f'<span class="name" dir="auto">{_e(lever.label)}</span>'
    if len(lever.values) == 2:
        choices = "".join(
            f'<label class="choice"><input type="radio" name="{name}" value="{place}"{" checked" if place == lever.at else ""}>'
            f'<span dir="auto">{_e(level)}</span></label>'
            for place, level in enumerate(lever.levels)
        )
        return f'<fieldset class="lever"><legend>{label}</legend><span class="choices">{choices}</span></fieldset>'
    said = _e(lever.levels[lever.at])
    return (
        f'<div class="lever"><p class="words"><label for="{name}">{label}</label> <output for="{name}" dir="auto">{said}</output></p>'
        f'<input type="range" id="{name}" min="0" max="{len(lever.values) - 1}" step="1" value="{lever.at}" aria-valuetext="{said}"></div>'
    )


def _panels(names: list[str], weeks: int, dark: bool) -> dict[str, Any]:
    from painlab.views.panels import panel

    # About as large as on the slide: labels at the lines' ends keep apart by the height given here.
    chart = panel(names, weeks=weeks, dark=dark, large=True, columns=len(names), width=220, height=130)
    return dict(chart.to_dict(validate=False))


def _numbers(grid: LiveGrid) -> dict[str, Any]:
    """The grid as plain values; an arm that is the same in every combination is kept once."""
    arms = ("baseline", "scenario", "difference", "low", "high")
    outcomes = [
        {name: getattr(one, name) for name in ("name", "label", "unit", "digits", "better")}
        | {arm: _once(getattr(one, arm)) for arm in arms}
        for one in grid.outcomes
    ]
    levers = [{"levels": [together(level) for level in lever.levels], "at": lever.at} for lever in grid.levers]
    return {"weeks": grid.weeks, "levers": levers, "outcomes": outcomes, "headlines": [together(one) for one in grid.headlines]}


def _once(rows: tuple[tuple[float, ...], ...] | None) -> tuple[tuple[float, ...], ...] | None:
    return rows[:1] if rows and all(row == rows[0] for row in rows) else rows


def _title_line(story: Story) -> str:
    return f'<p class="meta">{_e(_FOR.get(story.audience, story.audience))} · {int(story.minutes)} minutes</p>{_KEYS}'


def _sources(sources: tuple[str, ...]) -> str:
    """Authors and years on the slide; the whole of it in the list that the key W shows."""
    if not sources:
        return ""
    short = "; ".join(f'<span data-whole="{_e(one)}">{_e(one.split(",")[0])}</span>' for one in sources)
    return f'<p class="sources" dir="auto"><b>Sources</b> {short}</p>'


def _figures_line(page: Page) -> str:
    """How a slide's figures were made."""
    return page.live.caption if page.live else page.figure.caption if page.figure else ""


def _foot(made: str) -> str:
    return (
        f'<footer><span class="made" dir="auto">{_e(made)}</span><span class="turn">'
        '<button type="button" class="before" aria-label="Previous slide">‹</button><span class="place"></span>'
        '<button type="button" class="after" aria-label="Next slide">›</button></span></footer>'
    )


def _made(provenance: dict[str, Any]) -> str:
    """Version, scenario, code, seed and the evidence's date of the leading run, in a line."""
    runs = provenance.get("runs") or [{}]
    lead = runs[0]
    code = str(lead.get("code", ""))
    parts = [
        f"PainLab {provenance.get('painlab', '')}",
        ", ".join(str(run.get("scenario", "")) for run in runs),
        f"code {code if len(code) <= 60 else code[:59] + '…'}",
        f"seed {lead.get('seed', '')}",
        f"evidence of {provenance.get('evidence_date', '')}",
    ]
    return "; ".join(parts)


def _paragraphs(text: str) -> str:
    return "".join(f'<p dir="auto">{_e(line)}</p>' for line in text.splitlines() if line.strip())


def _e(text: object) -> str:
    """Text for a page: markup escaped, what no page can hold replaced."""
    plain = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "\ufffd", str(text)).encode("utf-8", "replace").decode()
    return escape(together(plain), quote=True)


def together(text: str) -> str:
    """Text in which no line ends between a number and its percent sign.

    >>> together("23 % of 1,000")
    '23\\xa0% of 1,000'
    """
    return re.sub(r"(?<=\d) %", "\u00a0%", text)


_FOR: Final = {"clinicians": "For clinicians", "public": "For everyone", "analysts": "For analysts"}
_WITHOUT: Final = "This talk needs JavaScript, which this browser has turned off for it. Nothing in it asks a network for anything."
_KEYS: Final = (
    '<p class="keys"><span><kbd>→</kbd> next</span><span><kbd>S</kbd> speaker’s view</span><span><kbd>Esc</kbd> overview</span>'
    "<span><kbd>W</kbd> where from</span><span><kbd>T</kbd> light or dark</span><span><kbd>?</kbd> all keys</span></p>"
)
_DIALOG: Final = (
    '<dialog id="painlab-traces" aria-labelledby="painlab-traces-head">'
    '<h2 id="painlab-traces-head">Where this slide’s sentences come from</h2>'
    '<dl></dl><form method="dialog"><button>Close</button></form></dialog>'
)

"""The terminal's page: `painlab app`."""

import click


@click.command(
    short_help="Open the explorer in the browser, without a notebook.",
    epilog="""\b
Examples:
  painlab app
  painlab app --scenario late-pt
  painlab app --scenario mine.toml --port 9000 --no-browser

\b
The page is served by this machine to this machine, behind a token that is
part of the address printed; nothing is fetched from the internet. Each page
has a model of its own, which ends when the page is left. Control-C ends all.""",
)
@click.option("--scenario", default="early-pt", show_default=True, metavar="NAME_OR_FILE", help="Scenario to begin with.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Port; 0 takes any free one. [default: 8866, or a free one]")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def app(scenario: str, port: int | None, no_browser: bool) -> None:
    """Serve the explorer as a page of its own: levers and charts, no code."""
    from painlab import app as served

    served.serve(scenario, port=port, browser=not no_browser, say=click.echo)

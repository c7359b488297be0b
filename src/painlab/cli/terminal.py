"""What every command of the terminal shares: errors in one paragraph, tables, and a bar for long work."""

import errno
import os
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import click

from painlab.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

TRACEBACK_VARIABLE: Final = "PAINLAB_TRACEBACK"
_WIDEST: Final = 110
_SECONDS_BETWEEN_LINES: Final = 60.0


class Failed(click.ClickException):
    """The end of a command: one paragraph on stderr and an exit code, without a traceback."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Print the paragraph."""
        click.echo(f"painlab: {self.message}", err=True)


class Refused(Failed):
    """The end of a command whose input cannot be used."""

    exit_code = 2


class Stopped(Failed):
    """The end of a command that the keyboard stopped."""

    exit_code = 130


class Commands(click.Group):
    """A group that turns what goes wrong into one paragraph."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors become exit codes."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except InputError as error:
            raise Refused(str(error)) from None
        except KeyboardInterrupt:
            raise Stopped("stopped; nothing was written.") from None
        except Exception as error:
            # A reader that closed the pipe (head, less) is click's business; with the variable set the traceback is wanted.
            if (isinstance(error, OSError) and error.errno == errno.EPIPE) or os.environ.get(TRACEBACK_VARIABLE):
                raise
            reason = " ".join(str(error).split()) or "no message"
            hint = f"`painlab doctor` checks the installation; {TRACEBACK_VARIABLE}=1 in the environment shows the whole traceback."
            raise Failed(f"failed: {type(error).__name__}: {reason}. {hint}") from None


def console_for_reading() -> "Console":
    """A console for stdout: plain where it is no terminal, lines no longer than is good to read."""
    from rich.console import Console

    console = Console(highlight=False)
    console.width = min(console.width, _WIDEST) if console.is_terminal or "COLUMNS" in os.environ else _WIDEST
    return console


def table_with(*headings: str) -> "Table":
    """A table with these headings, whose cells may run over several lines."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


class Waiting:
    """A progress bar on stderr for what takes more than a second; nothing where stderr is no terminal."""

    def __init__(self, text: str = "preparing (a first run compiles the model, once: about half a minute)") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (SpinnerColumn("line"), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task(text, total=None)
        self._timer = threading.Timer(1.0, self._bar.start)
        self._timer.daemon = True

    def show(self, done: int, total: int) -> None:
        """Tell how far the run is."""
        self._bar.update(self._task, completed=done, total=total, description="simulating")

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.cancel()
        self._timer.join()
        self._bar.stop()


class Lines:
    """Progress as a bar, or as a line a minute where stderr is no terminal."""

    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting
        self.began = self.said = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        self.waiting.show(done, total)
        now = time.monotonic()
        if not sys.stderr.isatty() and now - self.said >= _SECONDS_BETWEEN_LINES:
            self.said = now
            click.echo(f"{done:,} of {total:,} after {(now - self.began) / 60.0:.0f} minutes", err=True)

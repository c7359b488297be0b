"""Answers to the newest question, roughly at first and fully behind, while the notebook stays free."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Final, Generic, TypeVar

from painlab.engine.execution import Cancelled

PAUSE: Final = 0.2  # seconds between the first answer and the work on the next
QUIET: Final = 0.05  # seconds without a question before likely ones are worked on: what is asked now, and drawn, comes first
MOST_KNOWN: Final = 16
"""Rough answers that are kept; of the explorer's, each takes some hundred kilobytes."""
SOON: Final = 2  # likely questions that are answered ahead of a full answer
MOST_LIKELY: Final = 8
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Background(Generic[Question, Answer]):
    """Works in one thread through stages, from quick to thorough, for the question that was asked last.

    Parameters
    ----------
    stages
        Functions of a question and of `cancelled()`. All but the first are cancelled by the next question: the first is quick,
        and without it nothing would be seen while a lever is held and asks without a pause.
    show
        Called as show(answer, last): in the thread of the event loop, so that it may change widgets.
    fail
        Called with an exception that a stage raised.
    likely
        Gives questions that may well be asked next, the likeliest first, each with a function that is called with its answer. The first
        stage answers some of them ahead, while nothing else is to be done, and such a question is then answered at once. A failure there
        is not told: the question may never be asked.

    Rough answers are kept for a while. Without a running event loop, as in a plain script, `ask` itself runs the last stage and shows its
    answer.
    """

    def __init__(
        self,
        stages: Sequence[Callable[[Question, Callable[[], bool]], Answer]],
        show: Callable[[Answer, bool], None],
        fail: Callable[[Exception], None],
        likely: Callable[[], Iterable[tuple[Question, Callable[[Answer], None]]]] = tuple,
    ) -> None:
        self._stages = tuple(stages)
        self._show = show
        self._fail = fail
        self._likely = likely
        self._question: Question
        self._asked = self._answered = 0
        self._shown = 0  # number of the newest question whose rough answer has been shown
        self._news = asyncio.Event()  # that something was asked
        self._turned = False  # whether others have become likely
        self._known: deque[tuple[Question, Answer]] = deque(maxlen=MOST_KNOWN)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="painlab")

    def ask(self, question: Question) -> None:
        """Ask a question in place of the one before."""
        self._question = question
        self._asked += 1
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            self._answer_at_once()
            return
        if self._loop is None or self._loop.is_closed():
            self._loop = here
        self._begin_in(self._loop)

    def look_ahead(self) -> None:
        """Answer ahead what is likely by now; nothing happens before the first question."""
        self._turned = True
        if self._loop and not self._loop.is_closed():
            self._begin_in(self._loop)

    def close(self) -> None:
        """End what runs; nothing more is shown."""
        self._asked += 1
        self._loop = None
        if self._task:
            self._task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _begin_in(self, loop: asyncio.AbstractEventLoop) -> None:
        # JupyterLab may deliver what widgets say in a thread of its own; all answers are shown in the first one.
        if asyncio.get_running_loop() is loop:
            self._begin(loop)
        else:
            loop.call_soon_threadsafe(self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._news.set()
        known = self._find(self._question)
        if known is not None:  # is shown also while other work is still being ended
            self._show_rough(known, self._asked)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._answer())

    async def _answer(self) -> None:
        while self._answered != self._asked or self._turned:
            asked = self._asked
            try:
                if self._answered != asked:
                    self._answered = asked
                    await self._go_through(self._question, asked)
                await self._rest(asked, QUIET)
                await self._answer_ahead(asked, MOST_LIKELY)
            except Cancelled:
                pass
            except Exception as error:
                self._fail(error)

    async def _go_through(self, question: Question, asked: int) -> None:
        """Go through all stages, until another question is asked."""
        if self._shown < asked:
            self._show_rough(await self._rough(question), asked)
        if len(self._stages) > 1:
            await self._pause(asked)
        for stage in self._stages[1:]:
            if asked != self._asked:
                return
            answer = await self._in_thread(stage, question, lambda: asked != self._asked)
            if asked == self._asked:
                self._show(answer, stage is self._stages[-1])

    def _show_rough(self, answer: Answer, asked: int) -> None:
        """Show an answer of the first stage, unless that to a newer question has been shown."""
        if self._shown < asked:
            self._shown = asked
            self._show(answer, len(self._stages) == 1)

    async def _pause(self, asked: int) -> None:
        """Leave the processors to the browser, which draws the rough answer, but for the likeliest questions; another question ends it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PAUSE
        await self._rest(asked, QUIET)
        await self._answer_ahead(asked, SOON)
        await self._rest(asked, end - loop.time())

    async def _rest(self, asked: int, seconds: float) -> None:
        """Do nothing for so long, or until another question is asked."""
        self._news.clear()
        if asked == self._asked and seconds > 0.0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds)

    async def _answer_ahead(self, asked: int, most: int) -> None:
        """Answer questions that are likely, until another is asked."""

        def beside_the_point(wanted: Question) -> bool:
            return asked != self._asked and wanted != self._question

        self._turned = True
        while self._turned and asked == self._asked:
            self._turned = False
            for question, foreseen in islice(self._likely(), most):
                with suppress(Exception):  # will be told to whoever asks
                    answer = await self._rough(question, partial(beside_the_point, question))
                    if asked == self._asked:
                        foreseen(answer)
                if asked != self._asked or self._turned:
                    break

    async def _rough(self, question: Question, cancelled: Callable[[], bool] = lambda: False) -> Answer:
        """The first stage's answer, as it is known or worked out now."""
        answer = self._find(question)
        if answer is None:
            answer = await self._in_thread(self._stages[0], question, cancelled)
            self._known.append((question, answer))
        return answer

    def _find(self, question: Question) -> Answer | None:
        return next((answer for known, answer in self._known if known == question), None)

    async def _in_thread(
        self, stage: Callable[[Question, Callable[[], bool]], Answer], question: Question, cancelled: Callable[[], bool]
    ) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._pool, stage, question, cancelled)

    def _answer_at_once(self) -> None:
        try:
            self._show(self._stages[-1](self._question, lambda: False), True)
        except Exception as error:
            self._fail(error)

"""Answers to the newest question, roughly at first and fully behind, while the notebook stays free."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Generic, TypeVar

from painlab.engine.execution import Cancelled

PAUSE: Final = 0.2  # seconds between the first answer and the work on the next
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

    Without a running event loop, as in a plain script, `ask` itself runs the last stage and shows its answer.
    """

    def __init__(
        self,
        stages: Sequence[Callable[[Question, Callable[[], bool]], Answer]],
        show: Callable[[Answer, bool], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._stages = tuple(stages)
        self._show = show
        self._fail = fail
        self._asked = 0
        self._question: Question
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="painlab")

    def ask(self, question: Question) -> None:
        """Ask a question in place of the one before."""
        self._asked += 1
        self._question = question
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            self._answer_at_once()
            return
        if self._loop is None or self._loop.is_closed():
            self._loop = here
        # JupyterLab may deliver what widgets say in a thread of its own; all answers are shown in the first one.
        if here is self._loop:
            self._begin()
        else:
            self._loop.call_soon_threadsafe(self._begin)

    def close(self) -> None:
        """End what runs; nothing more is shown."""
        self._asked += 1
        if self._task:
            self._task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            assert self._loop is not None
            self._task = self._loop.create_task(self._answer())

    async def _answer(self) -> None:
        loop = asyncio.get_running_loop()
        answered = 0
        while answered != self._asked:
            answered = asked = self._asked
            question = self._question
            for stage in self._stages:
                first, last = stage is self._stages[0], stage is self._stages[-1]

                def cancelled(asked: int = asked, first: bool = first) -> bool:
                    return not first and asked != self._asked

                try:
                    answer = await loop.run_in_executor(self._pool, stage, question, cancelled)
                    if not cancelled():
                        self._show(answer, last)
                except Cancelled:
                    pass
                except Exception as error:
                    self._fail(error)
                    break
                if asked != self._asked:
                    break
                if first and not last:  # the browser draws the rough answer while the processors are free
                    await self._rest(asked)

    async def _rest(self, asked: int) -> None:
        """Wait until the pause is over or another question is asked."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PAUSE
        while asked == self._asked and loop.time() < end:
            await asyncio.sleep(PAUSE / 20)

    def _answer_at_once(self) -> None:
        try:
            self._show(self._stages[-1](self._question, lambda: False), True)
        except Exception as error:
            self._fail(error)

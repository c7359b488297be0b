"""How the explorer works behind: the newest question first, and what is likely ahead of it."""

import asyncio
import threading

import pytest

from painlab import InputError
from painlab.engine.execution import Cancelled
from painlab.views.background import Background


def stages(log: list[str], gate: threading.Event):
    """A quick stage, and a thorough one that waits at a gate and notices that it is cancelled."""

    def quick(question, cancelled):
        return f"rough {question}"

    def thorough(question, cancelled):
        log.append(question)
        gate.wait(30)
        if cancelled():
            raise Cancelled
        return f"full {question}"

    return quick, thorough


def same(question, cancelled):
    return question


def test_the_newest_question_is_answered_and_no_older_answer_follows():
    async def scene() -> list[tuple[str, bool]]:
        log: list[str] = []
        shown: list[tuple[str, bool]] = []
        gate, done = threading.Event(), asyncio.Event()

        def show(answer, last):
            shown.append((answer, last))
            if answer == "full 3":
                done.set()

        background = Background(stages(log, gate), show, pytest.fail)
        background.ask("1")
        while not log:
            await asyncio.sleep(0.001)
        background.ask("2")
        background.ask("3")
        gate.set()
        await asyncio.wait_for(done.wait(), 30)
        background.close()
        return shown

    shown = asyncio.run(scene())
    assert [answer for answer, last in shown if last] == ["full 3"]
    assert shown[-2:] == [("rough 3", False), ("full 3", True)]


def test_a_lever_that_asks_without_a_pause_still_sees_rough_answers():
    async def scene() -> list[str]:
        shown: list[str] = []
        background = Background([same, same], lambda answer, last: shown.append(answer), pytest.fail)
        for question in range(200):
            background.ask(str(question))
            await asyncio.sleep(0.001)
        while shown[-1:] != ["199"]:
            await asyncio.sleep(0.001)
        background.close()
        return shown

    assert len(set(asyncio.run(scene()))) > 3


def test_answers_are_shown_in_the_thread_that_asked_first():
    async def scene() -> set[str]:
        threads: set[str] = set()
        answered = asyncio.Event()

        def show(answer, last):
            threads.add(threading.current_thread().name)
            if answer == "second" and last:
                answered.set()

        background = Background([same], show, pytest.fail)
        background.ask("first")

        async def ask_elsewhere():
            background.ask("second")

        thread = threading.Thread(target=lambda: asyncio.run(ask_elsewhere()))
        thread.start()
        await asyncio.wait_for(answered.wait(), 30)
        thread.join()
        background.close()
        return threads

    assert asyncio.run(scene()) == {threading.current_thread().name}


def test_a_failure_is_told_and_the_next_question_is_answered():
    async def scene() -> tuple[list[str], list[str]]:
        failures: list[str] = []
        shown: list[str] = []

        def work(question, cancelled):
            if question == "bad":
                raise InputError("bad")
            return question

        background = Background((work,), lambda answer, last: shown.append(answer), lambda error: failures.append(str(error)))
        for question in ("bad", "good"):
            background.ask(question)
            while not (failures and (question == "bad" or shown)):
                await asyncio.sleep(0.001)
        background.close()
        return failures, shown

    assert asyncio.run(scene()) == (["bad."], ["good"])


def test_nothing_is_shown_after_the_end():
    async def scene() -> list[str]:
        shown: list[str] = []
        gate = threading.Event()
        background = Background(stages([], gate), lambda answer, last: shown.append(answer), pytest.fail)
        background.ask("1")
        background.close()
        gate.set()
        await asyncio.sleep(0.05)
        return shown

    assert asyncio.run(scene()) == []


# What is likely next


class Ahead:
    """Questions that are likely, and which of them were worked out and told."""

    def __init__(self, *likely: str) -> None:
        self.likely, self.told, self.worked, self.shown = likely, {}, [], []

    def quick(self, question, cancelled):
        self.worked.append(question)
        return f"rough {question}"

    def full(self, question, cancelled):
        return f"full {question}"

    def background(self, quick=None):
        return Background(
            [quick or self.quick, self.full],
            lambda answer, last: self.shown.append(answer),
            pytest.fail,
            lambda: ((one, lambda answer, one=one: self.told.__setitem__(one, answer)) for one in self.likely),
        )


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


def test_a_likely_question_is_answered_ahead_and_then_at_once():
    async def scene():
        ahead = Ahead("2", "3")
        background = ahead.background()
        background.ask("1")
        await until(lambda: "full 1" in ahead.shown and len(ahead.told) == 2)
        background.ask("3")
        at_once = list(ahead.shown)
        await until(lambda: "full 3" in ahead.shown)
        background.close()
        return ahead, at_once

    ahead, at_once = asyncio.run(scene())
    assert ahead.told == {"2": "rough 2", "3": "rough 3"}
    assert at_once == ["rough 1", "full 1", "rough 3"]  # before anything else could run
    assert ahead.shown == [*at_once, "full 3"]  # and not shown a second time
    assert ahead.worked == ["1", "2", "3"]


def test_what_becomes_likely_later_is_answered_when_it_is_said():
    async def scene():
        ahead = Ahead()
        background = ahead.background()
        background.look_ahead()  # nothing has been asked
        background.ask("1")
        await until(lambda: "full 1" in ahead.shown)
        ahead.likely = ("2",)
        background.look_ahead()
        await until(lambda: ahead.told)
        background.close()
        return ahead

    ahead = asyncio.run(scene())
    assert (ahead.told, ahead.shown) == ({"2": "rough 2"}, ["rough 1", "full 1"])


def test_another_question_ends_the_work_ahead_but_not_if_it_is_the_one_worked_on():
    async def scene(asked):
        ahead = Ahead("2")
        gate, ended = threading.Event(), []

        def quick(question, cancelled):
            if question == "2":
                gate.wait(30)
                if cancelled():
                    ended.append(question)
                    raise Cancelled
            return ahead.quick(question, cancelled)

        background = ahead.background(quick)
        background.ask("1")
        await until(lambda: ahead.shown)
        await asyncio.sleep(0.1)  # at work on the likely one
        background.ask(asked)
        gate.set()
        await until(lambda: f"full {asked}" in ahead.shown)
        background.close()
        return ahead.shown, ended

    shown, ended = asyncio.run(scene("3"))
    assert shown[:3] == ["rough 1", "rough 3", "full 3"]
    assert ended[:1] == ["2"]
    assert asyncio.run(scene("2")) == (["rough 1", "rough 2", "full 2"], [])


def test_a_failure_ahead_is_not_told_until_someone_asks():
    async def scene():
        failures, shown, told = [], [], []

        def quick(question, cancelled):
            if question == "bad":
                raise InputError("bad")
            return question

        likely = [("bad", told.append), ("good", told.append)]
        background = Background(
            [quick], lambda answer, last: shown.append(answer), lambda error: failures.append(str(error)), lambda: likely
        )
        background.ask("1")
        await until(lambda: told)
        before = list(failures)
        background.ask("bad")
        await until(lambda: failures)
        background.close()
        return before, failures, told

    assert asyncio.run(scene()) == ([], ["bad."], ["good"])

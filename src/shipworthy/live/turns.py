"""Who is decided when: requests wait in the order they came, are taken up together where they may be, and are never too many."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from shipworthy.live import metrics
from shipworthy.live.answering import Answered, ApartError, Ask
from shipworthy.live.refusals import RefusedError

MOST_WAITING = 512
"""How many requests may wait for their turn in one worker; more are refused at once."""

MOST_BYTES = 64 * 2**20
"""How many bytes those may have together."""

MOST_TOGETHER = 64
"""How many requests are taken up together."""

BYTES_TOGETHER = 2**22
"""How many bytes those may have together."""

THREADS = 64
"""How many turns may be under way at once: solvers and disks wait, and Python lets the others go on."""

TELLING = 4
"""How many threads tell how the service is, whatever the others wait for."""

TURN_S = 0.01
"""How long a turn keeps the next one waiting: quick policies decide one after the other, a slow one stands in nobody's way."""

AnswerAll = Callable[[Sequence[Ask], Callable[[], None]], Sequence[Answered | Exception]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    ask: Ask
    answer: asyncio.Future[Answered]
    alone: bool


class Turns:
    """Takes requests up in the event loop of one worker, and lets threads answer them.

    A turn is over when its requests are decided: while a thread still waits for the disk, the next one decides, so that lines
    of several turns reach the disk together. The loop itself never waits for either.
    """

    def __init__(self, answer_all: AnswerAll, may_share: Callable[[], bool]) -> None:
        """Says who answers, and whether requests may be answered together just now."""
        self._answer_all, self._may_share = answer_all, may_share
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="decide")
        self._tellers = ThreadPoolExecutor(TELLING, thread_name_prefix="tell")
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._works = self._work_bytes = 0
        self._under_way = 0
        self._turn: object | None = None

    def ask(self, ask: Ask) -> asyncio.Future[Answered]:
        """Lets a request wait for its turn.

        Raises:
            RefusedError: too many wait already.
        """
        _refuse_too_many(len(self._waiting), self._bytes + len(ask.body))
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._wait(_Waiting(ask, answer, alone=ask.key is not None))
        return answer

    async def run(self, work: Callable[[], Any], size: int) -> Any:
        """Does other work, on a body of so many bytes, in a thread.

        Raises:
            RefusedError: too much of it waits already.
        """
        _refuse_too_many(self._works, self._work_bytes + size)
        self._works, self._work_bytes = self._works + 1, self._work_bytes + size
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._works, self._work_bytes = self._works - 1, self._work_bytes - size

    async def tell(self, work: Callable[[], Any]) -> Any:
        """Does what tells how the service is in a thread that neither decisions nor other work have."""
        return await asyncio.get_running_loop().run_in_executor(self._tellers, work)

    def close(self) -> None:
        """Waits for what is under way."""
        self._threads.shutdown()
        self._tellers.shutdown()

    def _wait(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._bytes += len(waiting.ask.body)
        if self._turn is None and len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._next_if_free)  # after those that the loop is just reading

    def _next(self) -> None:
        """Begins a turn, if somebody waits for it."""
        if not self._waiting or self._under_way >= THREADS:
            return
        taken = self._taken()
        turn = self._turn = object()
        self._under_way += 1
        loop = asyncio.get_running_loop()
        loop.call_later(TURN_S, self._go_on, turn)
        self._threads.submit(self._answer, loop, turn, taken)

    def _taken(self) -> list[_Waiting]:
        first = self._waiting.popleft()
        taken, size = [first], len(first.ask.body)
        if not first.alone and self._waiting and self._may_share():
            while self._waiting and len(taken) < MOST_TOGETHER:
                following = self._waiting[0]
                if following.alone or size + len(following.ask.body) > BYTES_TOGETHER:
                    break
                size += len(following.ask.body)
                taken.append(self._waiting.popleft())
        self._bytes -= size
        return taken

    def _answer(self, loop: asyncio.AbstractEventLoop, turn: object, taken: list[_Waiting]) -> None:
        """In a thread: answers all of them."""

        def decided() -> None:
            if self._turn is turn:
                self._turn = None
                if self._waiting:
                    loop.call_soon_threadsafe(self._next_if_free)

        metrics.TOGETHER.observe(len(taken))
        try:
            answers = self._answer_all([waiting.ask for waiting in taken], decided)
        except BaseException as error:  # noqa: BLE001  (it is raised again in whoever waits for an answer)
            answers = [_ordinary(error)] * len(taken)
        loop.call_soon_threadsafe(self._give, turn, taken, answers)

    def _give(self, turn: object, taken: list[_Waiting], answers: Sequence[Answered | Exception]) -> None:
        self._under_way -= 1
        for waiting, answer in zip(taken, answers, strict=True):
            if waiting.answer.done():
                continue  # its caller is gone
            if isinstance(answer, ApartError):
                waiting.ask.trace.enter("wait")
                self._wait(_Waiting(waiting.ask, waiting.answer, alone=True))
            elif isinstance(answer, Exception):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)
        self._go_on(turn)

    def _go_on(self, turn: object) -> None:
        """Ends a turn, if it has not ended yet."""
        if self._turn is turn:
            self._turn = None
        self._next_if_free()

    def _next_if_free(self) -> None:
        if self._turn is None:
            self._next()


def _refuse_too_many(waiting: int, size: int) -> None:
    if waiting >= MOST_WAITING or size > MOST_BYTES:
        detail = f"{waiting} requests wait for their turn already. Ask again in a second, or ask less often."
        raise RefusedError(429, detail, headers={"Retry-After": "1"})


def _ordinary(error: BaseException) -> Exception:
    """An error that may be raised in the event loop: a panic of native code, or `SystemExit`, would end it."""
    if isinstance(error, Exception):
        return error
    wrapped = RuntimeError(f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped

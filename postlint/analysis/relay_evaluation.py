"""Evaluates restriction lists as generic_checks() does, for one client, keeping every possibility.

What can not be known (a table that can not be read, a DNS list, a policy server) has several
results; the evaluation goes on with a set of states, so that the outcome is certain only where
it is the same whatever the unknown says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from postlint.analysis.relay_session import Noted, Reply, State, Step
from postlint.postfix.restrictions import RECURSION_LIMIT
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from postlint.analysis.relay_answers import Answer
    from postlint.analysis.relay_checks import Checks
    from postlint.analysis.restrictions import Item, RestrictionList

STEP_LIMIT = 5_000
"""Restrictions looked at in one session: nested access tables can multiply them."""

STATE_LIMIT = 256
"""Different states kept."""


class Result(NamedTuple):
    """How a list, or one restriction, ended: ``permit`` and ``reject`` end the list."""

    status: Literal["dunno", "permit", "reject"]
    state: State
    by: Reply | None = None
    permit: int = -1


class Evaluator:
    """Carries out lists for one session; ``steps`` is what it looked at."""

    __slots__ = ("checks", "exhausted", "steps")

    def __init__(self, checks: Checks) -> None:
        self.checks = checks
        self.steps: list[Step] = []
        self.exhausted = False
        """Whether a limit was reached, so that anything is possible."""

    def run(self, restrictions: RestrictionList, states: Iterable[State]) -> list[Result]:
        """Carry out one of smtpd's lists."""
        return self._list(restrictions.items, restrictions, set(states), 1, restrictions.name)

    def note(self, parameter: str, text: str, code: int, reason: str) -> int:
        """Record a refusal that no restriction of a list asks for; the number of the step.

        ``parameter`` may be a command, too.
        """
        command = parameter.isupper()
        location = None if command else self.checks.service[parameter].value_location
        what = Noted(text, location)
        self.steps.append(Step(parameter, 0, what, (f"reject {code}",), reason))
        return len(self.steps) - 1

    def _list(
        self,
        items: Sequence[Item],
        within: RestrictionList,
        states: set[State],
        depth: int,
        parameter: str,
    ) -> list[Result]:
        ended: list[Result] = []
        alive = states
        for item in items:
            ended += [Result("dunno", state) for state in alive if state.discard]
            alive = {state for state in alive if not state.discard}
            self.exhausted = self.exhausted or len(self.steps) > STEP_LIMIT
            if not alive or self.exhausted:
                break
            if item.warned:
                alive = {
                    state if state.warn_if_reject else state._replace(warn_if_reject=depth)
                    for state in alive
                }
            going: set[State] = set()
            for result in self._item(item, within, alive, depth, parameter):
                state = result.state
                if state.warn_if_reject >= depth:
                    state = state._replace(warn_if_reject=0)
                if result.status != "dunno":
                    ended.append(result._replace(state=state))
                elif state.defer_if_permit and state.defer_if_reject:
                    ended.append(Result("dunno", state))
                else:
                    going.add(state)
            alive = going
            if len(alive) > STATE_LIMIT:
                self.exhausted = True
                alive = set(sorted(alive, key=repr)[:STATE_LIMIT])
        ended += [Result("dunno", state) for state in alive]
        return [
            result._replace(state=result.state._replace(warn_if_reject=0))
            if result.state.warn_if_reject and result.state.warn_if_reject >= depth - 1
            else result
            for result in ended
        ]

    def _item(
        self, item: Item, within: RestrictionList, states: set[State], depth: int, parameter: str
    ) -> list[Result]:
        number = len(self.steps)
        self.steps.append(Step(parameter, depth, item, (), ""))
        # A class does not count what it is in: only an access table stops the recursion. So deep
        # inside nothing but classes the same one has come again, and it never ends.
        if item.kind == "class" and depth <= RECURSION_LIMIT + len(self.checks.lists.classes):
            members = self.checks.lists.members(item, within.bare_table)
            found = self._list(members.items, members, states, depth + 1, item.element.text)
            self._conclude(number, found, f"restriction class {item.element.text}")
            return found
        answers = self.checks.answers(item)
        results: list[Result] = []
        reasons: list[str] = []
        for answer in answers:
            if answer.reason and answer.reason not in reasons:
                reasons.append(answer.reason)
            if answer.kind == "list":
                results += self._nested(answer, within, states, depth, parameter)
                continue
            for state in states:
                results.append(self._apply(answer, state, number))
        self._conclude(number, results, "; ".join(reasons))
        return list(dict.fromkeys(results))

    def _nested(
        self,
        answer: Answer,
        within: RestrictionList,
        states: set[State],
        depth: int,
        parameter: str,
    ) -> list[Result]:
        """A right-hand side that is a list of restrictions."""
        if depth > RECURSION_LIMIT:
            return [self.refuse(451, state, len(self.steps) - 1, hard=True) for state in states]
        items = self.checks.lists.items_of(answer.text, answer.location, within.bare_table)
        found = self._list(items, within, states, depth + 1, parameter)
        if not answer.forbidden:
            return found
        return [
            self.refuse(451, result.state, result.permit, hard=True)
            if result.status == "permit" and not result.state.discard
            else result
            for result in found
        ]

    def _apply(self, answer: Answer, state: State, number: int) -> Result:
        match answer.kind:
            case "dunno":
                return Result("dunno", state)
            case "permit":
                return Result("permit", state, permit=number)
            case "discard":
                return Result("permit", state._replace(discard=True), permit=number)
            case "defer_if_permit" if state.warn_if_reject == 0:
                reply = state.defer_if_permit or Reply(answer.code, number)
                return Result("dunno", state._replace(defer_if_permit=reply))
            case "defer_if_reject":
                reply = state.defer_if_reject or Reply(answer.code, number)
                return Result("dunno", state._replace(defer_if_reject=reply))
            case "recipient checked" if state.warn_if_reject == 0:
                return Result("dunno", state._replace(recipient_checked=True))
            case "sender checked" if state.warn_if_reject == 0:
                return Result("dunno", state._replace(sender_checked=True))
            case "recipient checked" | "sender checked":
                return Result("dunno", state)
        return self.refuse(answer.code, state, number, hard=answer.kind == "error")

    def refuse(self, code: int, state: State, number: int, *, hard: bool = False) -> Result:
        """smtpd_check_reject(). ``hard``: an error that warn_if_reject does not hide."""
        if state.warn_if_reject and not hard:
            return Result("dunno", state)
        reply = self.checks.reply(code, number)
        if state.defer_if_reject is not None and code >= 500:
            reply = state.defer_if_reject
            state = state._replace(defer_if_reject=None, warn_if_reject=0)
        return Result("reject", state, reply)

    def _conclude(self, number: int, results: Iterable[Result], reason: str) -> None:
        """Say in words what a restriction answered."""
        words: dict[str, None] = {}
        for result in results:
            words[self._word(number, result)] = None
        step = self.steps[number]
        self.steps[number] = step._replace(results=tuple(words), reason=reason)

    def _word(self, number: int, result: Result) -> str:
        if result.status == "reject" and result.by is not None:
            return f"reject {result.by.code}"
        if result.status == "permit":
            return "discard" if result.state.discard else "permit"
        for reply, word in (
            (result.state.defer_if_permit, "defer_if_permit"),
            (result.state.defer_if_reject, "defer_if_reject"),
        ):
            if reply is not None and reply.step == number:
                return word
        return "dunno"

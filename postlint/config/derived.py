"""What is worked out about an instance, once, and for as long as the instance is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Subject = TypeVar("Subject")
    Answer = TypeVar("Answer")


def once(function: Callable[[Subject], Answer]) -> Callable[[Subject], Answer]:
    """A function of an instance, or of something that has one, that is called once for each.

    The answers belong to the instance and go with it: a run over thousands keeps none.
    """

    def answer(subject: Any) -> Answer:
        derived = getattr(subject, "instance", subject).derived
        question = (function, subject)
        if question not in derived:
            derived[question] = function(subject)
        found: Answer = derived[question]
        return found

    answer.__doc__ = function.__doc__
    answer.__wrapped__ = function  # type: ignore[attr-defined]
    return answer

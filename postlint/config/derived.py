"""What is worked out about an instance, once, and for as long as the instance is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Concatenate, ParamSpec

    Subject = TypeVar("Subject")
    More = ParamSpec("More")
    Answer = TypeVar("Answer")


def once(
    function: Callable[Concatenate[Subject, More], Answer],
) -> Callable[Concatenate[Subject, More], Answer]:
    """A function of an instance, or of something that has one, that is called once for each.

    With more arguments, which are hashable, it is called once for each of them as well. The
    answers belong to the instance and go with it: a run over thousands keeps none.
    """

    def answer(subject: Any, /, *more: Any) -> Any:
        answers = getattr(subject, "instance", subject).derived[function]
        question = (subject, *more) if more else subject
        if question not in answers:
            answers[question] = function(subject, *more)  # type: ignore[call-arg]
        return answers[question]

    answer.__doc__ = function.__doc__
    answer.__wrapped__ = function  # type: ignore[attr-defined]
    return answer  # type: ignore[return-value]

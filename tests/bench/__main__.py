"""Print the figures of README.md."""

from __future__ import annotations

from tests.bench import startup


def main() -> None:
    """Measure, with enough rounds for figures that can be quoted."""
    ratio, check, reference = startup.ratio(60)
    print("| | Measured | Budget |")
    print("| --- | --- | --- |")
    what = 'A cold run on the tutorial\'s configuration, against `python -c "import lark"`'
    figures = f"{ratio:.2f} ({check * 1000:.0f} ms, {reference * 1000:.0f} ms)"
    print(f"| {what} | {figures} | {startup.BUDGET} |")


if __name__ == "__main__":
    main()

"""One run of ``postlint show``: read, scan, print, complain, in postconf's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from postlint.show.engine import Engine, Which
from postlint.show.main import MainPrinter
from postlint.show.master import MasterPrinter
from postlint.show.messages import FatalError, Messages, Output
from postlint.show.options import TWICE, Options
from postlint.show.printer import Printer, Style
from postlint.show.scan import Scanner

if TYPE_CHECKING:
    from postlint.config.boundary import Boundary
    from postlint.config.files import Files
    from postlint.postfix.versions import PostfixVersion
    from postlint.show.services import Service


class Request(NamedTuple):
    """What to show."""

    version: PostfixVersion
    options: Options
    directory: str
    explicit: bool
    """The directory was asked for; else it is the one that is compiled in."""
    files: Files
    """The files that settings name, as far as they may be opened."""
    service: str | None = None
    """``name/type``: all parameters as this service sees them."""
    origin: bool = False
    inside: Boundary | None = None
    """What links may not lead out of; None for this host's own configuration."""


def show(
    request: Request,
    output: Output,
    messages: Messages,
    scanner: type[Scanner] = Scanner,
) -> int:
    """Print what is asked for; returns the exit status. ``scanner`` is for tests."""
    try:
        _Run(request, output, messages, scanner).run()
    except FatalError as error:
        output.abandon()
        messages.fatal(error)
        return 1
    output.flush()
    return 0


class _Run:
    def __init__(
        self,
        request: Request,
        output: Output,
        messages: Messages,
        scanner: type[Scanner],
    ) -> None:
        options = request.options
        self._request = request
        self._options = options
        self._output = output
        self._version = request.version
        self._engine = Engine(
            request.version,
            messages,
            request.directory,
            explicit=request.explicit,
            defaults_only="d" in options,
            inside=request.inside,
        )
        style = Style(
            fold="f" in options,
            expand="x" in options or request.service is not None,
            hide_name="h" in options,
            hide_value="H" in options,
            json="j" in options,
            origin=request.origin,
        )
        self._printer = Printer(output, style, normalize=request.version >= (2, 9))
        self._warn_unused = "q" not in options
        self._scanner = scanner(self._engine, request.files, warn_unused=self._warn_unused)

    def run(self) -> None:
        options = self._options
        if self._request.service is not None:
            self._show_service(self._request.service)
        elif {"M", "F", "P"} & options.given:
            self._show_master()
        else:
            self._show_main()
        if self._warn_unused:
            self._scanner.point_to_deprecations()

    def _show_main(self) -> None:
        engine, options = self._engine, self._options
        defaults_only = "d" in options
        if not defaults_only:
            engine.read_main()
            engine.override(options.overrides)
        if self._version >= (2, 9):
            engine.read_master(required=False)
            engine.add_service_names()
            if not defaults_only:
                self._scanner.register()
        which: Which = "defaults" if defaults_only else "set" if "n" in options else "all"
        self._print_main(MainPrinter(engine, self._printer, which))
        self._output.flush()
        if self._version >= (2, 9) and not defaults_only and self._warn_unused:
            self._scanner.warn_of_unused_main()
            self._scanner.warn_of_unused_master()

    def _print_main(self, printer: MainPrinter) -> None:
        if self._options.names:
            printer.print_named(self._options.names)
        else:
            printer.print_class(self._options.classes)

    def _show_master(self) -> None:
        engine, options = self._engine, self._options
        engine.read_master(required=True)
        if self._version >= (2, 10):
            engine.read_main()
            engine.override(options.overrides)
            engine.add_service_names()
            self._scanner.register()
        printer = MasterPrinter(engine, self._printer)
        names = options.names
        if "F" in options:
            printer.print_fields(names)
        elif "P" in options:
            printer.print_parameters(names, merged=TWICE in options, classes=options.classes)
        else:
            printer.print_entries(names)
        self._output.flush()
        if self._version >= (3, 3) and self._warn_unused:
            self._scanner.warn_of_unused_master()

    def _show_service(self, label: str) -> None:
        engine, options = self._engine, self._options
        engine.read_master(required=True, as_daemons=True)
        engine.read_main()
        engine.override(options.overrides)
        engine.add_service_names()
        self._scanner.register()
        service = self._service(label)
        # postconf(1) knows it from 3.3 on, but every daemon always set it for itself.
        service.readonly.setdefault("process_name", service.program)
        which: Which = "set" if "n" in options else "all"
        self._print_main(MainPrinter(engine, self._printer, which, service))

    def _service(self, label: str) -> Service:
        for service in self._engine.services:
            if f"{service.name}/{service.type}" == label:
                return service
        raise FatalError(f"no service {label} in {self._engine.master_path}")

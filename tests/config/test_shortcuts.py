"""What is not expanded anew: values without macros, and defaults that mention only defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.config import expansion, scope
from postlint.config.discovery import Candidate
from postlint.config.load import load_instance
from postlint.postfix import parameters
from postlint.postfix.versions import PostfixVersion
from postlint.syntax.source import SourceFile

if TYPE_CHECKING:
    from postlint.config.effective import Effective
    from postlint.config.scope import Scope

VERSIONS = st.sampled_from(["2.8", "2.11", "3.4", "3.7.11", "3.11"]).map(PostfixVersion.parse)
MENTIONED = (
    "alias_maps",
    "compatibility_level",
    "default_transport",
    "header_checks",
    "mydomain",
    "myhostname",
    "mynetworks",
    "process_name",
    "smtp_tls_cert_file",
    "smtpd_client_connection_limit_exceptions",
    "transport_maps",
    "virtual_alias_maps",
)
"""Names that defaults mention, among them some that depend on the host or the process."""

TEXTS = st.one_of(
    st.sampled_from(
        ["", "2", "3.6", "a.example", "{{ host }}", "@NAME@", "$mydomain", "$undefined"]
    ),
    st.sampled_from(MENTIONED).map("${}".format),
    st.text("ab {}@%<_.,:", max_size=12),
)


def service_of(main: str, override: str, version: PostfixVersion) -> tuple[Scope, Scope]:
    candidate = Candidate(None)
    candidate.main_cf = SourceFile("main.cf", main)
    candidate.master_cf = SourceFile("master.cf", f"smtp inet n - n - - smtpd {override}\n")
    instance = load_instance(candidate, version)
    return instance.main, instance.services[0]


def _mentions_others(name: str, version: PostfixVersion) -> bool:
    parameter = parameters.get(name)
    return parameter is not None and "$" in (parameter.default(version) or "")


def told(values: Scope, name: str) -> object:
    value: Effective | None = values.get(name)
    if value is None:
        return None
    places = [value.locate(at, at + 1) for at in range(len(value.text))]
    spans = [place and (place.path, place.span) for place in places]
    return value.text, value.known, value.problem, value.limit, spans, values.mentions(name)


PIECES = st.one_of(
    st.text(st.characters(exclude_characters="\0\n\r"), max_size=20),
    st.sampled_from(["{{ host }}", "@NAME@", "%%NAME%%", "__NAME__", "<your domain>", "{% if %}"]),
)


@given(st.lists(PIECES, max_size=4).map("".join), VERSIONS)
def test_a_value_without_macros_is_as_it_would_be_expanded(
    text: str, version: PostfixVersion
) -> None:
    line = f"own = x{text}\n"
    quick = told(service_of(line, "", version)[0], "own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expansion, "literal", lambda _: None)
        patch.setattr(scope, "literal", lambda _: None)
        assert quick == told(service_of(line, "", version)[0], "own")


@given(
    st.dictionaries(st.sampled_from(MENTIONED), TEXTS, max_size=4),
    st.dictionaries(st.sampled_from(MENTIONED), st.sampled_from(["", "a", "$b"]), max_size=2),
    VERSIONS,
)
def test_defaults_that_were_expanded_before_are_as_when_expanded_now(
    settings: dict[str, str], overrides: dict[str, str], version: PostfixVersion
) -> None:
    main = "".join(f"{name} = {text}\n" for name, text in settings.items())
    override = " ".join(f"-o {name}={text}" for name, text in overrides.items())
    names = [name for name in sorted(parameters.names(version)) if _mentions_others(name, version)]
    for values in service_of("", "", version):  # so that every default has been met
        assert [told(values, name) for name in names]
    warm = [
        [told(values, name) for name in names] for values in service_of(main, override, version)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scope, "_EXPANDED_DEFAULTS", {})
        cold = service_of(main, override, version)
        for values, before in zip(cold, warm, strict=True):
            for name, known in zip(names, before, strict=True):
                patch.setattr(scope, "_EXPANDED_DEFAULTS", {})
                assert told(values, name) == known, name

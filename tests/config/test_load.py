"""What an instance is made of when its files are templates."""

from __future__ import annotations

from postlint.config.discovery import Candidate
from postlint.config.load import load_instance
from postlint.syntax.source import SourceFile

TEMPLATE = """\
bounce unix - - <%= @jail %> - 0 <%= @bounce_command %>
smtp inet n - {{ "y" if chroot else "n" }} - - smtpd
    -o smtpd_tls_security_level={{ level | default('may') }}
    -o myhostname={{ name }}.example.com
{{ 'submission inet n - n - - smtpd' if msa }}
scan unix - - n - 10 smtp -o { smtp_bind_address = {{ address }} }
"""


def test_a_placeholder_is_one_word() -> None:
    candidate = Candidate(None)
    candidate.master_cf = SourceFile("master.cf", TEMPLATE)
    instance = load_instance(candidate)
    assert instance.master_cf is not None
    assert instance.master_cf.text() == TEMPLATE
    bounce, smtp, scan = instance.services
    assert (bounce.field("chroot"), bounce.field("process_limit")) == ("<%= @jail %>", "0")
    assert bounce.program == ""
    assert (smtp.program, smtp.field("chroot")) == ("smtpd", '{{ "y" if chroot else "n" }}')
    assert smtp.entry is not None
    assert not smtp.entry.arguments
    assert [item.value.text for item in smtp.entry.overrides if item.value] == [
        "{{ level | default('may') }}",
        "{{ name }}.example.com",
    ]
    location = smtp.entry.overrides[1].argument.raw.location
    assert TEMPLATE.splitlines()[location.start.line - 1].strip().endswith("{{ name }}.example.com")
    assert (scan.program, len(scan.entry.arguments if scan.entry else ())) == ("smtp", 0)

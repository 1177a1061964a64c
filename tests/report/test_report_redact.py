from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.lint.finding import Edit, Fix, Location, Related
from postlint.report import redact
from postlint.report.formats import FORMATS, Options, render
from postlint.syntax.source import SourceFile, Span
from tests.patience import patience
from tests.report.cases import duplicate_setting, finding, result

SECRET = "hunter2XYZ"


def masked(source, number=None):
    """The text, or one line of it, as an excerpt would show it."""
    numbers = [number] if number else range(1, source.line_count() + 1)
    lines = []
    for each in numbers:
        line, at = source.line(each), source.offset(each)
        for start, end in reversed(redact.spans_in_line(source, each)):
            line = line[: start - at] + redact.MASK + line[end - at :]
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("path", "text", "shown"),
    [
        ("sql.cf", f"password = {SECRET}", "password = ********"),
        ("sql.cf", f"password={SECRET} with blanks", "password=********"),
        ("sql.cf", f"password =\n  {SECRET}", "password =\n********"),
        ("sql.cf", f"password =\n# note\n\n  {SECRET}\nuser = me", None),
        ("sql.cf", f"#password = {SECRET} b", "#password = ********"),
        ("sql.cf", f"user = me\n  # bind_pw = {SECRET} b", "user = me\n  # bind_pw = ********"),
        ("ldap.cf", f"bind_pw = {SECRET}\nbind = yes", "bind_pw = ********\nbind = yes"),
        ("x.cf", f"my_Secret_2 = {SECRET}", "my_Secret_2 = ********"),
        (
            "pgsql.cf",
            f"dbname = postgresql://me:{SECRET}@db.example.com/mail",
            "dbname = postgresql://me:********@db.example.com/mail",
        ),
        (
            "main.cf",
            f"smtp_sasl_password_maps = static:me:{SECRET}, hash:/etc/postfix/sasl",
            "smtp_sasl_password_maps = static:******** hash:/etc/postfix/sasl",
        ),
        (
            "main.cf",
            f"smtp_sasl_password_maps = static:me:a {SECRET} {SECRET} hash:/etc/postfix/sasl",
            "smtp_sasl_password_maps = static:******** hash:/etc/postfix/sasl",
        ),
        (
            "main.cf",
            f"smtp_sasl_password_maps =\n  inline:{{\n    {{ host = me:{SECRET} }} }}\nx = y",
            "smtp_sasl_password_maps =\n  inline:********\n********\nx = y",
        ),
        (
            "master.cf",
            f"a unix - - n - - smtp\n  -o smtp_sasl_password_maps=static:me:{SECRET}\n  -o a=b",
            "a unix - - n - - smtp\n  -o smtp_sasl_password_maps=static:********\n  -o a=b",
        ),
        (
            "master.cf",
            f"a unix - - n - - smtp -o smtp_sasl_password_maps=static:me:{SECRET} b -o a=b",
            "a unix - - n - - smtp -o smtp_sasl_password_maps=static:******** -o a=b",
        ),
        (
            "master.cf",
            f"a unix - - n - - smtp -o a=b -o x_password={SECRET} -o c=d",
            "a unix - - n - - smtp -o a=b -o x_password=******** -o c=d",
        ),
        (
            "master.cf",
            f"a unix - - n - - smtp -o {{ x_password = {SECRET} z }} -o c=d",
            "a unix - - n - - smtp -o { x_password = ********} -o c=d",
        ),
        (
            "sasl_passwd",
            f"# [host]:587 user:{SECRET}\n[mx.example.com]:587 me:{SECRET}\n   {SECRET}\n",
            "# [host]:587 ********\n[mx.example.com]:587 ********\n   ********",
        ),
        ("relay_password", f"me:{SECRET}", "********"),
        ("sasl_passwd", "# nothing to hide", "# nothing to hide"),
        (
            "key.pem",
            f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----\nafter",
            "-----BEGIN RSA PRIVATE KEY-----\n********\n-----END RSA PRIVATE KEY-----\nafter",
        ),
        ("key.pem", f"-----BEGIN PRIVATE KEY-----\n{SECRET}", None),
    ],
)
def test_secrets_are_masked(path, text, shown):
    found = masked(SourceFile(f"conf/{path}", text))
    assert SECRET not in found
    assert redact.MASK in found or SECRET not in text
    if shown is not None:
        assert found == shown


@pytest.mark.parametrize(
    "text",
    [
        "smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd, lmdb:/etc/x",
        "smtp_tls_key_file = /etc/ssl/private/key.pem",
        "smtp_sasl_password_result_delimiter = :",
        "smtp_bind_address = 192.0.2.1",
        "header_address_token_limit = 10240",
        "smtpd_relay_restrictions = permit_mynetworks\n  reject_unauth_destination",
        "relayhost = [mx.example.com]:587\n# passwords live elsewhere",
        "virtual_alias_maps = inline:{ a=b } # password maps are another thing",
        "own_routes = inline:{ example.com = smtp:[mx.example.com]:25, a.example = relay:x }",
        "smtpd_recipient_restrictions = reject_rbl_client zen.spamhaus.org",
        "smtp_tls_fingerprint_cert_match = ab:cd",
    ],
)
def test_what_is_no_secret_stays(text):
    assert masked(SourceFile("main.cf", text)) == text


def test_masks_do_not_tell_the_length():
    short = masked(SourceFile("x.cf", "password = a"))
    assert short == masked(SourceFile("x.cf", "password = " + "a" * 99)) == "password = ********"


def secret_result(path, text):
    """A result whose every text repeats the secret."""
    source = SourceFile(path, text)
    location = Location(source, Span(0, len(text)))
    made = finding(
        duplicate_setting,
        location,
        f"bad value {SECRET}",
        related=[Related(f"again {SECRET}", location)],
        fix=Fix(f"remove {SECRET}", [Edit(location, text.replace("=", " = "))], "safe"),
    )
    return result([made])


@pytest.mark.parametrize("name", [*FORMATS, "terminal"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("sql.cf", f"password={SECRET}"),
        ("main.cf", f"smtp_sasl_password_maps=static:{SECRET}"),
        ("sasl_passwd", f"[mx.example.com] {SECRET}"),
    ],
)
def test_no_format_prints_a_secret(name, path, text):
    made = secret_result(path, text)
    if name == "terminal":
        report = render("text", made, Options(terminal=True))
    else:
        report = render(name, made)
    assert SECRET not in report
    assert redact.MASK in report


def test_a_secret_on_a_continuation_line_is_not_repeated():
    source = SourceFile("sql.cf", f"password =\n  {SECRET}\n")
    made = finding(duplicate_setting, Location(source, Span(0, 23)), f"value {SECRET} is short")
    assert "value ******** is short" in render("text", result([made]))


def test_a_fix_without_secrets_is_kept():
    source = SourceFile("main.cf", "relayhost = x\n")
    edit = Edit(Location(source, Span(0, 13)), "relayhost = [x]")
    assert not redact.edit_has_secret(edit)
    assert not redact.edit_has_secret(Edit(edit.location, ""))
    assert redact.edit_has_secret(Edit(edit.location, "bind_pw = x"))


@pytest.mark.parametrize(
    "text",
    [
        "password" * 200_000,
        "password=" * 100_000,
        "{password={" * 50_000,
        "smtp_sasl_password_maps = " + "inline:{" * 50_000,
        "smtp_sasl_password_maps = " + "static:" * 50_000,
        "x = " + "://a:" * 100_000,
        "-----BEGIN PRIVATE KEY-----" * 20_000,
        "x = secret\n" + " = \t" * 100_000,
        "password_maps =" * 30_000,
    ],
)
def test_hostile_input_does_not_hang(text):
    with patience():
        redact.spans_in_line(SourceFile("main.cf", text), 1)


def test_many_findings_in_one_long_entry_do_not_hang():
    text = "smtp_sasl_password_maps =\n" + "".join(f"  hash:/{n}\n" for n in range(30_000))
    source = SourceFile("main.cf", text)
    with patience():
        for line in range(1, 30_000):
            assert redact.spans_in_line(source, line) == []


KEYS = st.sampled_from(
    ["password", "bind_pw", "PASSWORD", "my_password", "x_secret", "db_pass", "ldappw", "api_key"]
)
EQUALS = st.sampled_from(["=", " = ", "= ", " =\t", " =\n  ", " =\n# note\n\n\t", " ", ": "])
AROUND = st.sampled_from(["", "a = b\n", "# comment\n", "x = y\n  z\n", "\n\n", "hosts = db\r\n"])
NEXT_TO = st.text("ab:@/#{},=$\"' .", max_size=6)


@given(AROUND, KEYS, EQUALS, NEXT_TO, NEXT_TO, AROUND)
def test_secrets_in_any_company(before, key, equals, left, right, after):
    left = left.lstrip(" =:#") if equals in (" ", ": ") else left
    text = f"{before}{key}{equals}{left}{SECRET}{right}\n{after}"
    assert SECRET not in masked(SourceFile("conf/x.cf", text))


MAPS = st.sampled_from(["smtp_sasl_password_maps", "lmtp_sasl_password_maps"])
KINDS = st.sampled_from(
    [
        *(
            "static:me:{}",
            "inline:{{ {{[h] = me:{}}} }}",
            "inline:{{h=me:{}}}",
            "static:{{ me:{} }}",
        ),
        *("pcre:{{ {{/a/ me:{}}} }}", "randmap:{{me:{}, b}}", "unionmap:{{static:me:{}, hash:/a}}"),
        *("pipemap:{{hash:/a, inline:{{ a = me:{} }}}}", "debug:static:me:{}"),
    ]
)


@given(AROUND, MAPS, st.sampled_from(["=", " = ", " =\n  "]), KINDS, st.booleans(), AROUND)
def test_tables_of_logins_in_any_company(before, name, equals, kind, override, after):
    value = kind.format(SECRET)
    if override:
        inside = f"{name}={value}" if " " not in value else f"{{ {name} = {value} }}"
        text = f"smtp unix - - n - - smtp\n  -o {inside} -o a=b\n"
    else:
        text = f"{before}{name}{equals}hash:/a, {value}, hash:/b\n{after}"
    assert SECRET not in masked(SourceFile("conf/main.cf", text))

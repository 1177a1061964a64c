"""Secrets planted wherever a configuration has them, and looked for in all that is printed.

A plugin tells of every line in its own words, quotes it whole, in words and cut short, offers to
write it again, and breaks with it in its exception.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

KEY = "hiddendqskey000000000000x"

FILES = {
    "main.cf": f"""\
smtp_sasl_password_maps = hash:/etc/postfix/relays, regexp:/etc/postfix/relays.regexp,
    inline:{{ {{[a.example] = me:Hidden01word}}, b.example=me:Hidden02word }}
    pcre:{{ {{/c/ me:Hidden03word}} }} unionmap:{{static:me:Hidden04word, hash:/etc/x}}
lmtp_sasl_password_maps = static:me:Hidden05word
own_creds = static:me:Hidden06word
own_password =
    Hidden07word
# own_secret = Hidden08word
    and Hidden09word
smtp_sasl_auth_enable = yes
directory_bind_pw = Hidden10word
mydb_password=Hidden11word
virtual_alias_maps = mysql:/etc/postfix/sql.cf, ldap:/etc/postfix/dir.cf,
    pgsql:/etc/postfix/pg.cf, mongodb:/etc/postfix/mongo.cf, memcache:/etc/postfix/mem.cf
virtual_mailbox_maps = ldap:directory sqlite:/etc/postfix/lite.cf
transport_maps = texthash:/etc/postfix/other_name
sender_dependent_relayhost_maps = texthash:/etc/postfix/other_name
smtpd_recipient_restrictions = reject_unauth_destination,
    reject_rbl_client {KEY}.zen.dq.spamhaus.net=127.0.0.[2..11],
    reject_rhsbl_sender {KEY}.dbl.dq.spamhaus.net
smtpd_relay_restrictions = reject_unauth_destination
postscreen_dnsbl_sites = {KEY}.combined.mail.abusix.zone*2
export_environment = TZ MAIL_CONFIG DB_PASSWORD=Hidden13word
alias_maps = hash:/etc/postfix/aliases
smtp_tls_policy_maps = texthash:/etc/postfix/policies
""",
    "master.cf": """\
smtp inet n - y - - smtpd
submission inet n - n - - smtpd
  -o smtp_sasl_password_maps=static:me:Hidden20word
  -o { own_creds = inline:{ {[x.example] = me:Hidden21word} } }
  -o own_secret=Hidden22word -o syslog_name=x
smtp unix - - n - - smtp -o smtp_sasl_password_maps=inline:{z.example=me:Hidden23word}
feed unix - n n - - pipe flags=R user=nobody argv=/bin/feed --password Hidden24word
  --token=Hidden25word -pw Hidden26word https://me:Hidden27word@api.example/x
""",
    "relays": """\
[a.example]:587 me:Hidden30word
[b.example]: me:Hidden31word more
[A.example]:587 me:Hidden32word
# [c.example] me:Hidden33word
[d.example] Hidden34word
   and:Hidden35word
e.example: Hidden36word
"quoted me:Hidden37word
* me:Hidden38word
""",
    "relays.regexp": """\
/(/ me:Hidden40word
/b/ me:Hidden41word $2
/c d:Hidden42word
e Hidden43word
""",
    "sql.cf": """\
hosts = db.example.com
user = postfix
password = Hidden50word
#password = Hidden51word
password Hidden52word
query = SELECT goto FROM %s WHERE address = "%s"
""",
    "dir.cf": """\
server_host = ldap://dir.example.com
bind_dn = cn=postfix
bind_pw = "Hidden53word with blanks"
bind_pw: Hidden54word
""",
    "pg.cf": """\
hosts = postgresql://me:Hidden55word@db.example.com/mail
dbname = postgresql://me:Hidden56word@h/d
""",
    "mongo.cf": """\
uri = mongodb+srv://me:Hidden57word@db.example.com/mail
mongodb_password = Hidden58word
""",
    "mem.cf": "memcache = inet:db.example.com:11211\npassword = Hidden59word\n",
    "lite.cf": """\
dbpath = /x
password=Hidden60word
  Hidden61word
query = SELECT a FROM b WHERE c = %s
""",
    "other_name": "a.example smtp:[b.example]\na.example smtp:[c.example]\n",
    "aliases": """\
robot: "|/bin/robot --api-key Hidden62word"
robot: "|/bin/x --secret=Hidden63word"
""",
    "policies": "[a.example]:587 encrypt\n[a.example]:587 may password=Hidden64word\n",
}

GOSSIP = '''\
"""Tells everything."""

from __future__ import annotations

from postlint.config.instance import Instance
from postlint.lint.finding import Edit, Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.syntax.source import Span


def sources(instance):
    found = [instance.main_cf.source, instance.master_cf.source]
    names = {name for table in instance.tables for name in [table.name]}
    found += [instance.files.read(name) for name in sorted(names)]
    return [source for source in found if source is not None and source.path]


def lines(instance):
    for source in sources(instance):
        for number in range(1, source.line_count() + 1):
            start = source.offset(number)
            text = source.line(number)
            if text.strip():
                yield text, Location(source, Span(start, start + len(text)))


@rule("XYZ001", severity=Severity.WARNING)
def gossip(instance: Instance):
    """Every line in its own words."""
    for text, location in lines(instance):
        words = text.split()
        last = words[-1]
        edit = Edit(location, text.replace("=", " = "))
        yield Finding(
            location,
            f"bad line {text} with {last} or {last[:-3]}... and {last.split(':')[-1]}",
            parameter="x",
            related=[Related(f"again {text}", location)],
            fix=Fix(f"write {last}", [edit], "safe"),
        )


@rule("XYZ002", severity=Severity.WARNING)
def breaks(instance: Instance):
    """Breaks."""
    everything = " ".join(text for text, _ in lines(instance))
    raise ValueError(everything)
    yield
'''

SECRETS = re.compile(r"Hidden[0-9]\w*|hiddendqs\w*", re.IGNORECASE)


def secrets(run: Run) -> set[str]:
    return set(SECRETS.findall(run.out)) | set(SECRETS.findall(run.err))


@pytest.fixture
def planted() -> None:
    write(FILES, "conf")
    write({"gossip.py": GOSSIP})


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("form", ["text", "json", "sarif"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_no_secret_in_a_check(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, form: str, jobs: str
) -> None:
    monkeypatch.setattr("postlint.lint.table_processes.WORTH_IT", 0)
    options = ("--select", "ALL,XYZ", "--plugin", "gossip.py", "--jobs", jobs, "--statistics")
    run = postlint("check", "conf", "--format", form, *options)
    lines = sum(text.count("\n") for text in FILES.values())
    assert run.out.count("XYZ001") >= lines  # it did tell of all
    assert "ValueError" in run.out + run.err
    assert secrets(run) == set()


@pytest.mark.usefixtures("planted")
def test_no_secret_on_a_terminal(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postlint.cli.output.is_terminal", lambda: True)
    monkeypatch.setattr("postlint.cli.check.is_terminal", lambda: True, raising=False)
    run = postlint("check", "conf", "--select", "ALL,XYZ", "--plugin", "gossip.py")
    assert run.out.count("XYZ001") > 50
    assert secrets(run) == set()


@pytest.mark.usefixtures("planted")
def test_no_secret_where_only_others_read_the_table(postlint: Callable[..., Run]) -> None:
    """The file of passwords has an ordinary name, and no table rule runs."""
    write({"conf/main.cf": "smtp_sasl_password_maps = hash:/etc/postfix/relays\n"})
    run = postlint("check", "conf", "--select", "XYZ001", "--plugin", "gossip.py")
    assert run.out.count("XYZ001") > 8
    assert secrets(run) == set()


@pytest.mark.usefixtures("planted")
def test_no_secret_in_what_is_exposed(postlint: Callable[..., Run]) -> None:
    for form in ("text", "json"):
        run = postlint("exposure", "conf", "--format", form)
        assert "smtp/inet" in run.out
        assert secrets(run) == set()
        explained = (
            "--explain",
            "smtp/inet",
            "--sender",
            "a@b.example",
            "--recipient",
            "c@d.example",
        )
        run = postlint("exposure", "conf", "--format", form, *explained)
        assert "reject_rbl_client" in run.out or "reject_unauth_destination" in run.out
        assert secrets(run) == set()


@pytest.mark.usefixtures("planted")
def test_no_secret_in_an_error(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise ValueError(FILES["sql.cf"])

    for name in ("postlint.cli.check.load_instance", "postlint.cli.check.render"):
        with monkeypatch.context() as patched:
            patched.setattr(name, fail)
            run = postlint("check", "conf")
        assert run.status == 2
        assert "ValueError" in run.err
        assert secrets(run) == set()


def test_identical_lines_differ_in_nothing_but_the_secret(postlint: Callable[..., Run]) -> None:
    """A hash of a secret would tell it to whoever tries them all."""
    reports = []
    for secret in ("Hidden70word", "Hidden71word"):
        main = f"own_password = {secret}\nown_password = {secret}\n"
        write({"conf/main.cf": main, "conf/master.cf": ""})
        reports.append(postlint("check", "conf", "--select", "DUP", "--format", "json").out)
    assert "fingerprint" in reports[0]
    assert reports[0] == reports[1]


def test_show_prints_what_postconf_prints(postlint: Callable[..., Run]) -> None:
    write({"conf/main.cf": "own_password = Hidden72word\nsmtp_helo_name = $own_password\n"})
    assert "Hidden72word" in postlint("show", "-c", "conf", "-n").out
    assert Path("conf/main.cf").exists()

"""Pairs of main.cf and master.cf that are as hard to read as they can be written."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

DIRECTORY = b"@DIR@"
"""Stands in the files for the folder that they are in."""

CLIENT_FILE = "client.cf"

USER_NAMES = ("foo", "bar", "a_b", "X", "0")
BUILT_IN = (
    "alias_maps",
    "canonical_maps",
    "compatibility_level",
    "mydestination",
    "mydomain",
    "myhostname",
    "mynetworks",
    "myorigin",
    "relayhost",
    "smtp_tls_security_level",
    "smtpd_banner",
    "smtpd_client_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_tls_wrappermode",
    "smtpd_use_tls",
    "transport_maps",
    "virtual_alias_maps",
    "virtual_transport",
)
RAW = ("forward_path", "smtpd_expansion_filter", "smtp_dns_reply_filter", "smtpd_reject_footer")
SPECIAL = (
    "config_directory",
    "process_id",
    "process_name",
    "service_name",
    "smtpd_restriction_classes",
    "stress",
)
OLD = ("virtual_maps", "fallback_relay", "tlsproxy_client_level", "smtpd_sasl_application_name")
DERIVED = (
    "smtp_destination_rate_delay",
    "foo_destination_recipient_limit",
    "foo_time_limit",
    "relay_transport_rate_delay",
    "local_destination_concurrency_limit",
    "bar_server_host",
    "foo_query",
    "foo_dbpath",
)
NAMES = (*USER_NAMES, *USER_NAMES, *BUILT_IN, *RAW, *SPECIAL, *OLD, *DERIVED)

ODD_NAMES = ("no-name", "a.b", "naïve", "a/b", "Foo", "{", "$", "-o", "x{y", "\ufeffz", "@", "[a]")
HOST_NAMES = ("inet_interfaces", "inet_protocols", "mynetworks_style")
"""Most of what can be said of them is fatal where the default of mynetworks is wanted."""


def _mostly(
    usual: st.SearchStrategy[str], *, rarely: st.SearchStrategy[str], turns: int = 8
) -> st.SearchStrategy[str]:
    return st.integers(1, turns).flatmap(lambda turn: rarely if turn == turns else usual)


names = _mostly(
    st.sampled_from(NAMES),
    rarely=_mostly(st.sampled_from(ODD_NAMES), rarely=st.sampled_from(("", *HOST_NAMES))),
)
blanks = st.sampled_from(("", "", "", " ", " ", "  ", "\t", " \t ", "\r", "\v", "\f"))
WORDS = (
    "a",
    "b",
    "yes",
    "no",
    "1",
    "010",
    "2",
    "3.6",
    "3.6.1.1",
    "99999999999999999999",
    "example.com",
    "x,y",
    "permit",
    "check_client_access",
    "#comment",
    "#",
    "=",
    ":",
    "?",
    "127.0.0.1",
    "[::1]",
    "all",
    "localhost",
    "loopback-only",
    "ipv4",
    "host",
    "subnet,class",
    "\xff\xfe",
    "é",
    "-",
    "--",
    "\\",
    '"',
    "w" * 40,
    "v" * 90,
)
TABLES = (
    "hash:/etc/aliases",
    "ldap:foo",
    "ldap:bar",
    "proxy:mysql:foo",
    "debug:proxy:sqlite:foo",
    "proxy:",
    "ldap:",
    "ldap:.foo",
    "ldap:@DIR@/client.cf",
    "proxy:pgsql:@DIR@/client.cf",
    "memcache:@DIR@/client.cf",
    "mysql:/nonexistent/x.cf",
    "sqlite:@DIR@",
    "regexp:/etc/x",
    "inline:{a=b, { c = d e }}",
    "pcre:{{/#x y/ z} {/b/ #c}}",
    "pipemap:{ldap:foo, unionmap:{mysql:bar}}",
    "unionmap:{sqlite:foo}x",
    "pipemap:{ldap:foo",
    "static:{ some text }",
    "cidr:{{10.0.0.0/8 OK}, {#x y}}",
    "{ inet:localhost:1, name=value }",
    "{ ldap:foo }",
    "{ #x }",
    "{a}b",
    "{",
    "}",
    "{{",
    "}{",
    "nosuch:foo",
    "unix:passwd.byname",
    "tcp:localhost:1",
    "randmap:{a,b}",
    "fail:x",
    "texthash:y",
    "mongodb:foo",
    "ldap:$foo",
    "ldap:${X:bar}",
    "btree:/var/lib/a/b",
    "cdb:/a",
    "dbm:/a",
    "environ:x",
    "internal:x",
    "lmdb:/a",
    "netinfo:/a",
    "nis:mail.aliases",
    "nisplus:[alias=%s];",
    "sdbm:/a",
    "socketmap:unix:/run/s:x",
    "socketmap:inet:localhost:1:x",
    "btree:$data_directory/x",
    "proxy:unix:group.byname",
    "proxy:pipemap:{ mysql:foo, { pgsql:bar } }",
    "debug:ldap:foo",
    "unionmap:{ static:{ a b }, inline:{ foo=ldap:bar } }",
    "randmap:{ ldap:foo, {mysql:bar} }",
    "check_client_access { pipemap:{ ldap:foo } , x }",
    "check_policy_service { unix:private/policy, timeout=1s }",
    "LDAP:foo",
    "ldap :foo",
    "ldap:foo:bar",
)
OPERATORS = (
    "==",
    "!=",
    "<",
    "<=",
    ">=",
    ">",
    "==level",
    "<level",
    ">=level",
    "=",
    "<>",
    "==length",
    "",
)


def _macros(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    macro_names = st.sampled_from((*NAMES, "nosuch", "", "no-name", " foo ", "\tbar", "foo bar"))
    return st.one_of(
        macro_names.map(lambda name: f"${name}"),
        macro_names.map(lambda name: f"${{{name}}}"),
        macro_names.map(lambda name: f"$({name})"),
        st.tuples(macro_names, st.sampled_from("?:"), inner).map(
            lambda parts: "${{{}{}{}}}".format(*parts)
        ),
        st.tuples(macro_names, st.sampled_from("?:"), inner).map(
            lambda parts: "$({}{}{})".format(*parts)
        ),
        st.tuples(macro_names, blanks, blanks, inner, blanks, blanks, inner, blanks).map(
            lambda parts: "${{{}{}?{}{{{}}}{}:{}{{{}}}{}}}".format(*parts)
        ),
        st.tuples(
            macro_names, st.sampled_from("?:"), inner, st.sampled_from(("", "x", "?", ":"))
        ).map(lambda parts: "${{{}{}{{{}}}{}}}".format(*parts)),
        st.tuples(inner, blanks, st.sampled_from(OPERATORS), blanks, inner).map(
            lambda parts: "${{{{{}}}{}{}{}{{{}}}}}".format(*parts)
        ),
        st.tuples(inner, st.sampled_from(OPERATORS), inner, blanks, inner, blanks, inner).map(
            lambda parts: "${{{{{}}} {} {{{}}}{}? {{{}}}{}: {{{}}}}}".format(*parts)
        ),
        st.tuples(inner, st.sampled_from(OPERATORS), inner, st.sampled_from("?:x"), inner).map(
            lambda parts: "${{{{{}}} {} {{{}}}{}{}}}".format(*parts)
        ),
        st.tuples(
            st.sampled_from(("domain_to_ascii", "domain_to_utf8", "nosuch", "")), blanks, inner
        ).map(lambda parts: "${{{}{}{{{}}}}}".format(*parts)),
    )


BROKEN = (
    "$",
    "${",
    "$(",
    "${}",
    "$()",
    "$$",
    "$$$$",
    "${foo",
    "$(foo",
    "${foo?{a}",
    "$ foo",
    "${{a}",
    "$1a",
    "${foo?bar",
)

pieces = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS),
    st.sampled_from(TABLES),
    st.recursive(st.sampled_from((*WORDS, "", "$foo", "$bar")), _macros, max_leaves=4),
    st.sampled_from(NAMES).map(lambda name: f"${name}"),
    st.sampled_from(BROKEN),
)
mild_pieces = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(TABLES),
    st.sampled_from(
        ("$foo", "$bar", "${a_b}", "$$", "${X?a}", "${0:b}", "$mydomain", "$myhostname")
    ),
)
gaps = st.sampled_from(
    (" ", " ", ",", ", ", "\t", "  ", "\n ", "\n\t", "\n#c\n ", "\n\n  ", "\n \n ", "")
)


def _joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(parts, gaps), max_size=5).map(
        lambda pairs: "".join(part + gap for part, gap in pairs)
    )


values = _mostly(_joined(mild_pieces), rarely=_joined(pieces), turns=6)

settings = st.one_of(
    st.tuples(names, blanks, st.just("="), blanks, values).map("".join),
    st.tuples(names, blanks, st.just("="), blanks, values).map("".join),
    st.tuples(names, blanks, st.just("="), blanks, values).map("".join),
    st.tuples(names, st.sampled_from(("\n ", "\n#c\n\n\t", " \n  \n ")), st.just("="), values).map(
        "".join
    ),
    st.sampled_from(
        (
            "smtpd_restriction_classes = foo, bar a_b,$X",
            "smtpd_restriction_classes =",
            "foo_query = SELECT $bar FROM x WHERE y='%s'",
            "inet_interfaces = loopback-only",
            "inet_interfaces = 127.0.0.1, [::1]",
            "inet_protocols = ipv4",
            "inet_protocols = ipv4, ipv6",
            "mynetworks_style = host",
            "mynetworks_style = ${X?{class}:{subnet}}",
            "mynetworks = 127.0.0.0/8, !10.0.0.0/8 [::1]/128 /etc/networks cidr:/etc/x",
            "compatibility_level = 3.6",
            "process_name = x",
            "bar = " + "a\tlong  value, " * 150,
        )
    ),
)
NOISE = ("# comment", "", " ", "  # indented", "\r", "#\0", " \v", "\f#")
RARE = (
    " leading white space that is quite long, longer than shown",
    "no equals sign",
    "= no name",
    "a b = c",
    "\0",
    "x\0 = y",
    "foo = a\0b",
    "z",
)
lines = _mostly(settings, rarely=st.sampled_from(NOISE))
rare_lines = _mostly(lines, rarely=st.sampled_from(RARE))

endings = st.sampled_from(("\n", "\n", "\n", "\n", "\r\n"))


def _file(items: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    return st.tuples(
        st.lists(items, max_size=most),
        endings,
        st.sampled_from(("", "\n", "\n#end", "\n ", "\r\n", "\n\n")),
    ).map(lambda parts: parts[1].join(parts[0]) + parts[2])


main_texts = _mostly(_file(lines, 20), rarely=_file(rare_lines, 12), turns=4)

service_names = st.sampled_from(
    (
        "smtp",
        "smtp",
        "foo",
        "foo",
        "relay",
        "local",
        "bar",
        "127.0.0.1:10025",
        "submission",
        "-o",
        "a.b",
        "mail_dict",
        "a/b",
        "lmtp",
        "X",
    )
)
types = st.sampled_from(("inet", "unix", "unix", "fifo", "pass", "unix-dgram"))
flags = st.sampled_from(("-", "-", "y", "n"))
wakeups = st.sampled_from(("-", "0", "60", "1000?", "?", "-?"))
limits = st.sampled_from(("-", "0", "1", "100"))
commands = st.sampled_from(
    (
        "smtpd",
        "smtp",
        "lmtp",
        "local",
        "pipe",
        "spawn",
        "virtual",
        "error",
        "x/smtp",
        "/",
        "smtpd/",
        "{smtp}",
    )
)
spelled = st.one_of(
    st.tuples(names, st.sampled_from(("=", " = ", "= ", " ="))).map("".join),
    names,
)
option_values = st.one_of(
    st.lists(mild_pieces, max_size=3).map("".join),
    st.lists(pieces, max_size=2).map("".join),
    st.sampled_from(("", "a,b", "{ a b }", "x{y z}w")),
)
overrides = st.tuples(
    st.sampled_from(
        ("-o ", "-o ", "-o ", "-o\t", "-o\n  ", "-o\n# c\n  ", "-o", "-vo ", "-vo", "-Do")
    ),
    st.one_of(
        st.tuples(names, st.just("="), option_values).map("".join),
        st.tuples(names, st.just("="), option_values).map("".join),
        st.tuples(
            st.just("{"), blanks, spelled, values, st.sampled_from(("}", " }", "}x", ""))
        ).map("".join),
        names,
    ),
).map("".join)
other_arguments = st.one_of(
    st.sampled_from(
        (
            "-v",
            "-D",
            "-",
            "--",
            "-vv",
            "-oo",
            "user=nobody",
            "argv=/bin/x",
            "${recipient}",
            "{ a b }",
            "{a}b",
            "{",
            "}",
            "{}",
            "flags=R",
            "a" * 60,
        )
    ),
    mild_pieces,
)
arguments = st.lists(
    st.tuples(
        st.sampled_from((" ", "\n  ", "\t", "\n# c\n  ", " \n ", "  ")),
        st.one_of(overrides, overrides, overrides, other_arguments),
    ).map("".join),
    max_size=6,
).map("".join)
field_gaps = st.sampled_from((" ", " ", "  ", "\t", "      ", "\n ", " \r"))
services = st.tuples(
    service_names,
    field_gaps,
    types,
    field_gaps,
    flags,
    field_gaps,
    flags,
    field_gaps,
    flags,
    field_gaps,
    wakeups,
    field_gaps,
    limits,
    field_gaps,
    commands,
    arguments,
).map("".join)
bad_services = st.sampled_from(
    (
        "smtp inet n - n - -",
        "smtp tcp n - n - - smtpd",
        "smtp inet Y - n - - smtpd",
        "smtp inet n - yes - - smtpd",
        "smtp inet n - n 1x - smtpd",
        "smtp inet n - n - -1 smtpd",
        "smtp inet n - n - 1? smtpd",
        "smtp inet n - { n - - smtpd",
        "smtp\0 inet n - n - - smtpd",
        "smtp inet n - n - - smtpd -o x=a\0b",
        "smtp\vinet n - n - - smtpd",
        " indented unix - - n - - smtp",
        "smtp=inet n - n - - smtpd",
        "smtp inet - - n - 1x smtpd",
        "smtp inet - - n - ? smtpd",
        "smtp inet - - - - - smtpd { -o",
        "smtp inet - - - - - - smtpd",
        "-o x=y",
        "{ inet - - - - - smtpd",
    )
)
master_lines = _mostly(services, rarely=st.sampled_from(NOISE), turns=6)
master_texts = _mostly(
    _file(master_lines, 8),
    rarely=_file(_mostly(master_lines, rarely=bad_services, turns=4), 5),
    turns=8,
)
client_texts = st.one_of(
    st.just("hosts = localhost\nquery = x\n"),
    st.just("hosts = a\nhosts = b\nnosuch = $foo\n server_host = c\n"),
    _file(
        st.tuples(st.sampled_from(("hosts", "query", "foo", "")), st.just(" = a")).map("".join), 3
    ),
    _file(rare_lines, 3),
)


class Nasty(NamedTuple):
    """The files of one folder."""

    main: bytes
    master: bytes
    client: bytes


def encode(text: str) -> bytes:
    """Octets as they are where possible, else UTF-8."""
    return b"".join(
        character.encode("latin-1") if character in "\xff\xfe" else character.encode("utf-8")
        for character in text
    )


inserted = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(
            (
                " ",
                "\n",
                " ",
                "\0",
                "\r",
                "{",
                "}",
                "$",
                "#",
                "=",
                "\n#",
                "\n ",
                "\t",
                "\\\n",
                "\xff",
                '"',
                "$$",
                ":",
                "?",
            )
        ),
    ),
    max_size=4,
)


def _spoil(text: str, insertions: list[tuple[float, str]]) -> str:
    for where, what in insertions:
        at = int(where * len(text))
        text = text[:at] + what + text[at:]
    return text


def _spoiled(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    spoiled = st.tuples(texts, inserted).map(lambda parts: _spoil(*parts))
    return _mostly(texts, rarely=spoiled).map(encode)


pairs = st.builds(
    Nasty, main=_spoiled(main_texts), master=_spoiled(master_texts), client=client_texts.map(encode)
)

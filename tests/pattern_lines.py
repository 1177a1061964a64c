"""Tables of regular expressions that are ordinary, or nearly so, for generated tests."""

from __future__ import annotations

from hypothesis import strategies as st

_ATOMS = (
    *("a", "bc", "X-Y: ", "example", "com", "1", "user@", "@", "-", "_", " ", ".", ".", "\\.", "]"),
    *("\\@", "\\/", "\\-", "\\\\", "\\s", "\\w", "\\d", "\\b", "\\<", "\\n", "\\1", "\\Q", "\\x2e"),
    *("}", "{", ",", "\t", "é", "\udc80", "\0", "\x85", "\\é", "\\$", "\\^", "\\(", "\\[", "!"),
    *("[a-z]", "[^@]", "[-._]", "[A-Z0-9]", "[[:alpha:]_]", "[a\\.b]", "[\\w.-]", "[\\]]", "[-]"),
    *(
        "[]a]",
        "[^]",
        "[z-a]",
        "[2-9]",
        "[0-5x]",
        "[a-f]",
        "[b-a]",
        "[9-1]",
        "[+-9]",
        "[[:foo:]]",
        "[:alpha:]",
        "[a",
        "[/]",
        "[\\/]",
        "[a-z-9]",
        "[.a.]",
    ),
    *("[é]", "[\\d-z]", "[a|b]", "[$^]", "[(]", "[\0]", "[\\n]", "[\\Q]", "[[.a.]]", "[--]"),
)
_REPEATS = ("", "", "", "*", "+", "?", "{2}", "{1,}", "{0,3}", "{2,1}", "{,2}", "*?", "++", "+*")
_OPENS = ("(", "(", "(^|", "(?:", "(?!", "(?i)", "(?i:", "(?<=", "(?#", "(?|", "(?x)", "(*")
_pieces = st.tuples(st.sampled_from(_ATOMS), st.sampled_from(_REPEATS)).map("".join)
_branches = st.tuples(
    st.sampled_from(["", "", "^", "^"]),
    st.lists(_pieces, max_size=4).map("".join),
    st.sampled_from(["", "", "$"]),
).map("".join)


def _grouped(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.tuples(
        st.sampled_from(_OPENS), inside, st.sampled_from([")", ")", ")*", ")?", ")+?", ""])
    ).map("".join)
    return st.one_of(
        st.tuples(inside, group, inside).map("".join),
        st.tuples(inside, inside).map("|".join),
    )


_patterns = st.one_of(
    _branches,
    _branches,
    st.recursive(_branches, _grouped, max_leaves=6),
    st.sampled_from(
        ["", "^", "$", "^$", ".", ".*", "^.*$", ".+$", "^.*?$", ".*.*", "^.{1}", "()", "|", "a|"]
    ),
    st.sampled_from(
        [
            *("^user@example\\.com$", "(^|\\.)example\\.com$", "example.com", "^.*@example\\.com$"),
            *("^Subject: .*(a|b)", "a$b", "a^b", "$a", "(a)$b", "^a|^b$", "\\dexample.com", "a\\"),
        ]
    ),
)
_results = st.sampled_from(
    [
        *("OK", "OK", "REJECT", "REJECT go away", "DUNNO", "550 no", "550", "", " ", "FILTER x:y"),
        *("$1", "REPLACE ${1} x", "$(2)", "$$", "$x", "${", "a$1b", "${mail_name}", "smtp:[h]"),
        *("é", "\udc80", "a\0b", "OK\r", "OK  ", "# no comment", "unknown", "FILTER", "filter a:b"),
    ]
)
_rules = st.tuples(
    st.sampled_from(["/"] * 12 + ["!/", "! /", "!!/", "//", "a/", " /"]),
    _patterns,
    st.sampled_from(
        ["/", "/", "/", "/", "/i", "/i", "/ii", "/m", "/x", "/ix", "/A", "/q", "/X", ""]
    ),
    st.sampled_from(
        [" ", " ", " ", "\t", " \t ", "", "\v", "\r", "!/b/ ", "\n  ", "\n#c\n ", "\n\n\t"]
    ),
    _results,
).map("".join)
_delimited = st.tuples(st.sampled_from("|:!\\#@é~"), _patterns, _results).map(
    lambda parts: f"{parts[0]}{parts[1]}{parts[0]} {parts[2]}"
)
_others = st.one_of(
    st.tuples(
        st.sampled_from(["if ", "IF ", "if", "if !", "iff "]),
        _patterns,
        st.sampled_from(["/", "/i", "/ x"]),
    ).map(lambda parts: f"{parts[0]}/{parts[1]}{parts[2]}"),
    st.sampled_from(["if /a/", "if /b/", "endif", "endif", "ENDIF x", "endif\n /a/ OK"]),
    st.sampled_from(
        [
            *("# comment", "  # indented", "", "  ", "  continued", "\tmore $1", "example.com OK"),
            *(".example.com REJECT", "@x y", "key", "/open", "/a/", "/^a$/i OK", "/^a$/ no", "\r"),
        ]
    ),
)
_lines = st.one_of(_rules, _rules, _rules, _rules, _delimited, _others)


@st.composite
def _spoilt(draw: st.DrawFn) -> str:
    """A line with a character more or less."""
    line = draw(_rules)
    at = draw(st.integers(0, len(line)))
    odd = st.sampled_from(list("\\/[](){}.*+?^$|!ixm# \t\r\v\0\n-,:é\udc80"))
    return line[:at] + draw(st.one_of(odd, st.just(""))) + line[at + draw(st.integers(0, 1)) :]


@st.composite
def pattern_tables(draw: st.DrawFn, size: int = 12) -> str:
    """The text of a table, in which some lines come again."""
    lines = draw(st.lists(st.one_of(_lines, _lines, _spoilt()), max_size=size))
    if lines:
        lines += draw(st.lists(st.sampled_from(lines), max_size=3))
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n"]))
    return end.join(lines) + draw(st.sampled_from([end, ""]))

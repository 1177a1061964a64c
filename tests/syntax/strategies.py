"""Texts that are hard to read: what separates, joins, quotes and ends in configuration files."""

from __future__ import annotations

from hypothesis import strategies as st

CHARACTERS = "aZ0_=#,:?/-*!$$(){}{}<> \t\n\n\r\v\f\0\x1c\x85\xa0\ufeffé\u2028\udc80\udcff"
"""White space of C and of Unicode, comment signs, macros, braces, NUL, undecodable bytes."""

PIECES = (
    "a = b\n",
    "name=$value",
    "${a?{b}:{c}}",
    "${{$a} == {b} ? {c} : {d}}",
    "$(a:b)",
    "$$",
    "${",
    "}",
    "\n ",
    "\n#",
    "\n\n",
    " # no comment",
    "\r\n",
    "-o",
    "-vo x=y",
    "{ x = y }",
    "smtp inet n - n - - smtpd",
    "hash:/etc/x, ",
    "pcre:{ {/a b/ c} }",
)

texts = st.one_of(
    st.text(alphabet=CHARACTERS, max_size=60),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(alphabet=CHARACTERS, max_size=6))).map(
        "".join
    ),
    st.text(max_size=40),
)
"""Any text, with a preference for what means something to Postfix."""

values = st.one_of(
    st.text(alphabet="ab_ $${}(){}?:<>=!{},\t", max_size=40),
    st.lists(
        st.sampled_from(("$", "{", "}", "${", "a", "?", ":", "{b}", " ", "==", "$(", ")"))
    ).map("".join),
    st.text(max_size=20),
)
"""Values full of macros, balanced and not."""

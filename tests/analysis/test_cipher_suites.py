"""Cipher lists: what the lists of Postfix leave, old libraries included."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.analysis.cipher_suites import read_cipher_list

EXPORT_LIST = "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH"
MEDIUM_LIST = "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH"
NEW_MEDIUM_LIST = (
    "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:"
    "+RC4:@STRENGTH"
)


def kinds(text: str, *, old: bool) -> set[str]:
    return {
        kind for suite in read_cipher_list(text) or () if suite.old == old for kind in suite.kinds
    }


@pytest.mark.parametrize(
    ("text", "current", "old"),
    [
        (EXPORT_LIST, {"anonymous", "static_rsa", "cbc"}, {"export", "des", "3des", "rc4"}),
        (MEDIUM_LIST, {"anonymous", "static_rsa", "cbc"}, {"3des", "rc4"}),
        (NEW_MEDIUM_LIST, {"anonymous", "static_rsa", "cbc"}, set()),
        ("aNULL:-aNULL:HIGH:@STRENGTH:!aNULL:!kRSA", {"cbc"}, {"3des"}),
        ("ECDHE-RSA-AES128-GCM-SHA256", set(), set()),
        ("eNULL:!aNULL", {"null", "static_rsa"}, {"null"}),
        ("RC4-SHA", set(), {"rc4", "static_rsa"}),
    ],
)
def test_kinds(text: str, current: set[str], old: set[str]) -> None:
    assert kinds(text, old=False) == current
    assert kinds(text, old=True) & {"export", "des", "3des", "rc4", "null"} == old - {"static_rsa"}


@pytest.mark.parametrize(
    "text", ["", "TLS_AES_256_GCM_SHA384", "HIGH:!ALL", "HIGH:/", "HIGH:@NONE"]
)
def test_refused(text: str) -> None:
    assert read_cipher_list(text) is None


@given(st.text(alphabet="!-+@:, aNULRSAkHIG/=_\ufdd0é", max_size=60))
def test_any_text_gets_an_answer(text: str) -> None:
    found = read_cipher_list(text)
    assert found is None or len(set(found)) == len(found) > 0

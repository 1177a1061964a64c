"""Settings of smtpd services for the proof of TLS and AUTH: made at random, always the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

MODES = (
    ({"smtpd_tls_security_level": "may"}, 8),
    ({"smtpd_tls_security_level": "encrypt"}, 6),
    ({"smtpd_tls_wrappermode": "yes"}, 4),
    ({"smtpd_tls_wrappermode": "yes", "smtpd_tls_security_level": "none"}, 1),
    ({"smtpd_tls_security_level": "none"}, 1),
    ({"smtpd_tls_security_level": "none", "smtpd_enforce_tls": "yes"}, 1),
    ({"smtpd_tls_security_level": "MAY"}, 1),
    ({"smtpd_tls_security_level": "verify"}, 1),
    ({"smtpd_tls_security_level": "fingerprint"}, 1),
    ({"smtpd_use_tls": "yes"}, 1),
    ({"smtpd_enforce_tls": "yes"}, 1),
    ({"smtpd_enforce_tls": "yes", "smtpd_tls_security_level": "may"}, 1),
    ({}, 1),
)
_LIKELY_LISTS = (
    "",
    "!SSLv2",
    "!SSLv2, !SSLv3",
    "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1",
    "!SSLv2:!SSLv3:!TLSv1",
    ">=TLSv1",
    ">=TLSv1.2",
    ">=TLSv1.3",
    "<=TLSv1.2",
    "<=TLSv1.1",
    "TLSv1.2",
    "TLSv1.2 TLSv1.3",
    "TLSv1, SSLv3",
    "!TLSv1.3",
    "!TLSv1.2",
    "!SSLv2, !SSLv3, TLSv1",
    ">= TLSv1.2",
    ">=0303",
    "<=0x0302",
    ">=TLSv1.2, TLSv1",
    "TLS1.2",
    "all -SSLv3",
)
_NAMES = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_SIGNS = ("", "!", "!", "!", ">=", "<=")
_GRADES = ("medium", "medium", "medium", "high", "high", "HIGH", "low", "export", "null", "strong")
_EXCLUSIONS = (
    "aNULL",
    "kRSA",
    "aNULL, kRSA",
    "aNULL:eNULL:EXPORT:DES:RC4",
    "MD5, DES, 3DES, RC4",
    "CAMELLIA ARIA",
    "AES256+SHA1",
    "SHA1, SHA256, SHA384",
    "kEDH",
    "ECDHE, EDH",
    "TLSv1.2",
    "HIGH",
    "ALL",
    "DSS, kRSA, aNULL, CBC",
    "!aNULL",
    "no-such-cipher",
    "ECDHE-RSA-AES128-GCM-SHA256",
)
_LISTS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305",
    "HIGH:!aNULL:!MD5",
    "ALL:COMPLEMENTOFALL",
    "kRSA:@STRENGTH",
    "aNULL:-aNULL:HIGH:@STRENGTH",
    "EECDH+AESGCM:EDH+AESGCM",
    "DEFAULT:!kRSA",
    "TLS_AES_256_GCM_SHA384",
    "HIGH:@SECLEVEL=1",
    "HIGH:@SECLEVEL=0",
    "AES128-SHA",
)
_OPTIONS = (
    "noanonymous",
    "noanonymous, noplaintext",
    "noplaintext noactive noanonymous",
    "",
    "nodictionary",
    "mutual_auth",
    "NOANONYMOUS, NOACTIVE",
)
_FILTERS = (
    "!external, static:rest",
    "!anonymous, static:rest",
    "plain, login, scram-sha-256",
    "!plain, !login, static:all",
    "PLAIN, gssapi, SCRAM-SHA-1",
)
_HIDDEN = ("starttls", "auth", "StartTLS, auth", "silent-discard, dsn", "etrn, AUTH")
_BY_ADDRESS = (
    "static:starttls",
    "static:{auth dsn}",
    "inline:{192.0.2.1=starttls}",
    "static:etrn",
    "cidr:{ {0.0.0.0/0 auth, starttls} }",
)


def make_service(chance: random.Random, certificate: str) -> dict[str, str]:
    """``-o`` settings of one service."""
    modes, weights = zip(*MODES, strict=True)
    found = dict(chance.choices(modes, weights)[0])
    for kind in ("", "mandatory_"):
        if chance.random() < 0.75:
            found[f"smtpd_tls_{kind}protocols"] = _protocols(chance)
        if chance.random() < 0.5:
            found[f"smtpd_tls_{kind}ciphers"] = chance.choice(_GRADES)
        if chance.random() < 0.35:
            found[f"smtpd_tls_{kind}exclude_ciphers"] = chance.choice(_EXCLUSIONS)
    for grade in ("medium", "high"):
        if chance.random() < 0.15:
            found[f"tls_{grade}_cipherlist"] = chance.choice(_LISTS)
    found.update(_certificate(chance, certificate))
    if chance.random() < 0.2:
        found["smtpd_tls_ask_ccert"] = chance.choice(("yes", "yes", "no"))
    if chance.random() < 0.15:
        found["smtpd_tls_req_ccert"] = "yes"
    if chance.random() < 0.1:
        found["smtpd_tls_fingerprint_digest"] = chance.choice(("md5", "sha1", "sha-265"))
    if chance.random() < 0.12:
        found["smtpd_discard_ehlo_keywords"] = chance.choice(_HIDDEN)
    if chance.random() < 0.06:
        found["smtpd_discard_ehlo_keyword_address_maps"] = chance.choice(_BY_ADDRESS)
    found.update(_login(chance))
    return found


def _protocols(chance: random.Random) -> str:
    if chance.random() < 0.7:
        return chance.choice(_LIKELY_LISTS)
    words = [
        chance.choice(_SIGNS) + chance.choices(_NAMES, (1, 2, 5, 5, 7, 7))[0]
        for _ in range(chance.randint(1, 4))
    ]
    return chance.choice((", ", " ", ":", ",")).join(words)


def _certificate(chance: random.Random, certificate: str) -> dict[str, str]:
    """Mostly there; the chain of main.cf is taken away for the rest."""
    kind = chance.random()
    if kind < 0.84:
        return {}
    if kind < 0.89:
        return {"smtpd_tls_chain_files": "", "smtpd_tls_cert_file": certificate}
    if kind < 0.92:
        return {"smtpd_tls_chain_files": "", "smtpd_tls_eccert_file": certificate}
    if kind < 0.97:
        return {"smtpd_tls_chain_files": "", "smtpd_tls_cert_file": "none"}
    return {"smtpd_tls_chain_files": ""}


def _login(chance: random.Random) -> dict[str, str]:
    if chance.random() < 0.35:
        return {"smtpd_sasl_auth_enable": "no"} if chance.random() < 0.5 else {}
    found = {"smtpd_sasl_auth_enable": "yes"}
    if chance.random() < 0.4:
        found["smtpd_tls_auth_only"] = chance.choice(("yes", "yes", "no"))
    for kind in ("", "tls_"):
        if chance.random() < 0.4:
            found[f"smtpd_sasl_{kind}security_options"] = chance.choice(_OPTIONS)
    if chance.random() < 0.3:
        found["smtpd_sasl_mechanism_filter"] = chance.choice(_FILTERS)
    return found

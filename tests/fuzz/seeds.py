"""What fuzzing starts from: the corpus, and small texts with what each reader knows."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.targets import pack

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "corpus"
FOUND = CORPUS / "hostile"
"""Inputs that once crashed something: a folder for each target."""

_LARGEST = 8192

_EVERY = {"check": 23, "exposure": 11, "show": 11}
"""Folders of the corpus for one that is a seed: whole commands take a tenth of a second each."""

_SMALL: dict[str, tuple[bytes, ...]] = {
    "value": (
        b"$a ${a} $(a) ${a?b} ${a:b} ${a?{b}:{c}} ${{$a} == {b} ? {c} : {d}} $$",
        b"${{1.2} <level {3.6} ? {x} : {y}} ${a{b}} ${u?{$a}}",
    ),
    "lists": (b"a, b {c, d} {e {f}} inline:{ {a=b} }",),
    "indexed": (b'# c\na b\n"a b" c\n a\n.example.com  x\n[a]:25 y\n',),
    "aliases": (
        b'postmaster: root, "|/bin/x y", :include:/etc/x, /dev/null\n"a b": c\na: (x) b <c@d>\n',
    ),
    "cidr": (
        b"192.0.2.0/24 OK\n!2001:db8::/32 x\nif 10.0.0.0/8\n10.1.2.3 a\nendif\n[::1]/128 b\n",
    ),
    "regexp": (b"/^a(b|c)*$/i x $1\nif !/a/\n/[[:alpha:]]{1,3}\\(x\\)/ b ${1}$$\nendif\n!/x/ y\n",),
    "pcre": (
        b"/(?<n>a)(?i:b)\\k<n>(?(1)a|b)[^\\d\\x{41}-z]{2,}+/ix x $1\nif /(?=a)/\n!m{a}b\nendif\n",
    ),
    "inline": (b"{ {a = b}, {/a/ b}, { c = {d} } }", b"{a=b}"),
    "client": (b"hosts = a b\nuser = x\npassword = y\nquery = SELECT '%s'\n",),
    "list_file": (b"# c\na, b {c d}\n !e\n/etc/x\n",),
    "policy": (
        b"verify match=a:b ciphers=high exclude=aNULL:b protocols=>=TLSv1.2,!SSLv3",
        b"dane-only { policy_ttl = 3 } servername=hostname tafile=/x",
    ),
    "suppression": (
        b"# postlint: ignore[TLS001, tls] x\na=b\n#postlint:ignore-file[]\n# postlint: ignore",
    ),
    "configuration": (
        b'select = ["TLS"]\njobs = 2\nfail-on = "error"\nquiet = true\nroot = "x"\n',
    ),
    "gitignore": (b"*.cf\n!main.cf\n/a/**/b\n[a-z]*\n\\!x\nfoo/\n**/x?\n",),
}


def seeds(target: str) -> list[bytes]:
    """The inputs that a target begins with."""
    found = list(_SMALL.get(target, ()))
    match target:
        case "main_cf" | "master_cf":
            found += _files(target.replace("_cf", ".cf"))
        case "value":
            found += [
                line for text in _files("main.cf") for line in text.split(b"\n") if b"$" in line
            ]
        case "check" | "exposure" | "show":
            found += [_folder(folder) for folder in _folders()[:: _EVERY[target]]]
        case "pem" | "certificate":
            found += [b"-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n"]
            found += _pem()
        case _:
            found += [text for text in _files("*") if len(text) < _LARGEST][:100]
    found += [file.read_bytes() for file in sorted((FOUND / target).glob("*"))]
    return [text for text in dict.fromkeys(found) if len(text) <= 4 * _LARGEST]


def words() -> list[bytes]:
    """What inputs are put together from."""
    from postlint.postfix import parameters

    names = [name.encode() for name in sorted(parameters.all_names())]
    return [
        *(b"${", b"$(", b"}", b"{", b" == ", b"?{", b":{", b"$$", b"\n ", b"\n#", b" -o ", b", "),
        *(b"hash:", b"inline:{", b"proxy:", b"pipemap:{", b"static:", b"/etc/postfix/", b"!"),
        *(b"\0", b"\xff", b"\x1b[31m", b"\xe2\x80\xae", b"{{ x }}", b"# postlint: ignore["),
        *(name + b" = " for name in names),
    ]


def _folders() -> list[Path]:
    return sorted({file.parent for file in CORPUS.rglob("m*.cf") if FOUND not in file.parents})


def _folder(folder: Path) -> bytes:
    return pack(
        {
            file.name: file.read_bytes()
            for file in sorted(folder.iterdir())
            if file.is_file() and file.stat().st_size < _LARGEST
        }
    )


def _files(pattern: str) -> list[bytes]:
    return [
        file.read_bytes()
        for file in sorted(CORPUS.rglob(pattern))
        if file.is_file() and FOUND not in file.parents
    ]


def _pem() -> list[bytes]:
    return [file.read_bytes() for file in sorted(CORPUS.rglob("*.pem"))][:20]

"""The parameters that name tables, against all that Postfix has."""

from __future__ import annotations

import re

from postlint.config.table_uses import PURPOSES
from postlint.postfix import parameters, restrictions

NO_TABLES = {
    # lists of words or characters, commands, and names of services
    *("maps_rbl_domains", "masquerade_domains", "content_filter", "smtpd_proxy_filter"),
    *("command_expansion_filter", "execution_directory_expansion_filter"),
    *("forward_expansion_filter", "postscreen_expansion_filter", "smtpd_expansion_filter"),
    *("verp_delimiter_filter", "broken_sasl_auth_clients"),
    # what proxymap may open
    *("proxy_read_maps", "proxy_write_maps"),
}
ELSEWHERE = {"postscreen_access_list"}
"""Restriction lists with tables of their own."""

TABLE_NAMES = re.compile(
    r"_(?:maps?|checks|database|domains|clients|networks|list|filter|exceptions|users|hosts"
    r"|exclusions|per_site)\Z"
)


def test_every_parameter_that_may_name_a_table_has_a_purpose() -> None:
    names = {name for name in parameters.all_names() if TABLE_NAMES.search(name)}
    unknown = names - set(PURPOSES) - set(restrictions.LISTS) - NO_TABLES - ELSEWHERE
    assert unknown == set()
    assert set(PURPOSES) <= set(parameters.all_names())
    assert not NO_TABLES & set(PURPOSES)

"""What Postfix is, by version: parameters, restrictions, services, tables, TLS keywords.

The facts were measured from builds of Postfix 2.6 to 3.12.  Every statement
about a default or about availability takes a ``PostfixVersion``.  The modules
import each other sparingly and nothing else of postlint; the tables below
``data`` are loaded when the first question needs them.
"""

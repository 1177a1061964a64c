"""What postconf(1) says about a configuration, for any known version, without Postfix.

Everything here works on octets: files, arguments and output are text with one character per
byte (Latin-1), so that lengths, sort order and truncation are those of Postfix. The names of
Postfix's own source files say where a behaviour comes from.
"""

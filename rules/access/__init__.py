"""RST: restriction lists and access tables of smtpd."""

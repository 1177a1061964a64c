"""MST: services in master.cf."""

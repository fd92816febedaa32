"""The applications of this site: each package in here is one."""

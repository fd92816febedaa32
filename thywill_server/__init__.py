"""thywill: a page in many browsers that talks to a Python package in real time.

This package is the framework. It does nothing when imported: other processes take single modules
from it (a broker takes the ticket authenticator) without having Django configured.
"""

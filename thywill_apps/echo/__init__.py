"""The echo as an `App`; its page is the one of ``proof_of_concept``."""

"""A strict reader of Prometheus's text format 0.0.4, for what a server writes."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\]|\\[\\n])+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram|summary|untyped)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def parse(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Read a page: name of each metric to its labels and values.

    Every family has to have HELP, then TYPE, then its samples, in one piece and once.

    Raises:
        AssertionError: anything else.
    """
    assert text.endswith("\n")
    families: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    helped = typed = None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            match = HELP.fullmatch(line)
            assert match is not None, line
            helped, typed = match[1], None
            assert helped not in families, line
        elif line.startswith("#"):
            match = TYPE.fullmatch(line)
            assert match is not None, line
            assert match[1] == helped, line
            assert (match[2] == "counter") == match[1].endswith("_total"), line
            typed = match[1]
            families[typed] = {}
        else:
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            assert match[1] == typed, line
            labels = tuple(_labels(match[2] or ""))
            assert labels not in families[typed], line
            families[typed][labels] = float(match[3])
    return families


def _labels(text: str) -> list[tuple[str, str]]:
    pairs = re.findall(r'([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"', text)
    return [
        (name, re.sub(r"\\.", lambda match: ESCAPES[match.group()], value)) for name, value in pairs
    ]

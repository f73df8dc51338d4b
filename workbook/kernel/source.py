"""A cell's text: its line magics, its code, and the lines above what Python compiles."""


def magics_and_code(source: str) -> tuple[list[str], str]:
    """The line magics that a cell begins with, and the code below them."""
    lines = source.splitlines()
    magics: list[str] = []
    below = 0
    for number, line in enumerate(map(str.strip, lines), start=1):
        if line.startswith("%"):
            magics.append(line)
            below = number
        elif line and not line.startswith("#"):
            break
    return magics, "\n".join(lines[below:]).strip()


def lines_above(code: str, source: str) -> int:
    """How many lines of the cell are above the code that Python compiled."""
    wanted, lines = code.rstrip().splitlines(), source.rstrip().splitlines()
    if lines and lines[0].startswith("%%") and len(lines) > len(wanted):
        return len(lines) - len(wanted)
    return blank_lines(source)


def blank_lines(source: str) -> int:
    """How many blank lines a cell begins with."""
    lines = source.splitlines()
    return next((n for n, line in enumerate(lines) if line.strip()), 0)

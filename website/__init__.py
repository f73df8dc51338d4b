"""The website of the chapters. `make site` runs __main__.py, which lays out the pages and starts
Sphinx with conf.py; site.css is how reports and tables look there."""


def anchor(heading: str) -> str:
    """The anchor of a heading in JupyterLab, which is what the links between chapters name."""
    return heading.replace(" ", "-")

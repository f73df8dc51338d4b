#!/usr/bin/env python
"""Django's command line for the workbook's shop."""

import os
import sys

if sys.version_info < (3, 12):
    sys.exit(
        f"Django 6 needs Python 3.12 or newer, and this is Python {sys.version.split()[0]}. "
        "Install a newer Python and make the environment again with `make lab`."
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopdb.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        sys.exit(
            "This Python has no Django. Activate the workbook's environment first: "
            "`source .venv/bin/activate`, or make it with `make shop`."
        )
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

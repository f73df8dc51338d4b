"""What ran and what it means: queries come in from Django's cursors, a report goes out.

Read recorder.py first; origins.py and relations.py say where a query came from, diagnosis.py what
was repeated, report.py how it looks.
"""

from workbook.queries.report import Report, queries

__all__ = ["Report", "queries"]

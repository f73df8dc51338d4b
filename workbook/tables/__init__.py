"""QuerySets as tables: a QuerySet comes in, a DataFrame or a short preview goes out.

Read reading.py first (rows and columns out of a QuerySet), then columns.py (what the ORM knows of
one); frame.py (with arrays.py) and preview.py are the two things made of them.
"""

from workbook.tables.frame import frame
from workbook.tables.preview import Preview, preview

__all__ = ["Preview", "frame", "preview"]

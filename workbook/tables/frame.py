"""`frame()`: a whole QuerySet as a pandas DataFrame, its dtypes decided by the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models.manager import BaseManager
from django.db.models.query import QuerySet, RawQuerySet

from workbook.tables.reading import read

if TYPE_CHECKING:
    import pandas as pd


def frame(queryset: QuerySet | RawQuerySet | BaseManager, *, exact: bool = False) -> pd.DataFrame:
    """The whole result of a query as a DataFrame, one column per selected column.

    Columns are named as in the query: fields of a model by their attribute (`customer_id`),
    annotations and `values()` by their name, `select_related("customer")` as `customer__name`.
    A QuerySet that was already evaluated is not asked again; prefetched rows are not part of it.

    Dtypes follow from the fields and annotations, never from the values:

    ==========================  ==============================================================
    integers                    int64; Int64 where NULL is possible (field, outer join, aggregate)
    DecimalField                float64, NULL is NaN; with `exact=True` objects: Decimal or None
    FloatField                  float64, NULL is NaN
    BooleanField                bool; boolean where NULL is possible
    text                        str, NULL is NaN
    text, integer with choices  category: the stored values, in the order of `choices`
    DateTimeField               datetime64[us] in the time zone the ORM gives it, NULL is NaT
    DateField                   datetime64[us] at midnight, NULL is NaT
    DurationField               timedelta64[us], NULL is NaT
    everything else             objects as the ORM gives them, NULL is None: JSON, UUID, time,
                                binary, any field with its own `from_db_value`
    ==========================  ==============================================================

    What no field describes (extra columns of `raw()`) gets the dtype pandas infers. A value that
    does not fit its field, which SQLite allows, makes its column one of objects rather than change.

    Raises TypeError for anything but a QuerySet, RawQuerySet or Manager; ImportError where there
    is no pandas.
    """
    try:
        import pandas as pd
    except ImportError:
        raise ImportError(
            "frame() gives a pandas DataFrame, and this environment has no pandas: "
            "`pip install pandas`, then run the cell again."
        ) from None

    from workbook.tables.arrays import SeriesBuilder

    rows = read(queryset, quick=not exact)
    builders = [SeriesBuilder(column, exact=exact) for column in rows.columns]
    for chunk in rows.chunks:
        for builder, raw in zip(builders, rows.by_column(chunk), strict=True):
            builder.add(raw)
    table = pd.DataFrame({n: builder.series() for n, builder in enumerate(builders)}, copy=False)
    table.columns = pd.Index([column.name for column in rows.columns], dtype="str")
    return table

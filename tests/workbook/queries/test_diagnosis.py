"""Every kind of repetition is named, at its line, with a remedy that works; all else is silent."""

from typing import NamedTuple

import pytest

from ..watching import *  # noqa: F403  (fixtures)


class Case(NamedTuple):
    """A cell that repeats itself, what the report says, and the cell mended as it says."""

    code: str
    says: str
    remedy: str
    mended: str
    queries: int


CASES = {
    "forward foreign key": Case(
        "for book in Book.objects.all():\n    book.author.name",
        "Book.author was fetched 10 times, at line 2.",
        'Try .select_related("author")',
        'for book in Book.objects.select_related("author"):\n    book.author.name',
        1,
    ),
    "one-to-one, forward": Case(
        "for passport in Passport.objects.all():\n    passport.author.name",
        "Passport.author was fetched 5 times, at line 2.",
        'Try .select_related("author")',
        'for passport in Passport.objects.select_related("author"):\n    passport.author.name',
        1,
    ),
    "one-to-one, backwards": Case(
        "for author in Author.objects.all():\n    author.passport.number",
        "Author.passport was fetched 5 times, at line 2.",
        'Try .select_related("passport")',
        'for author in Author.objects.select_related("passport"):\n    author.passport.number',
        1,
    ),
    "reverse foreign key": Case(
        "for author in Author.objects.all():\n    list(author.books.all())",
        "Author.books was fetched 5 times, at line 2.",
        'Try .prefetch_related("books")',
        'for author in Author.objects.prefetch_related("books"):\n    list(author.books.all())',
        2,
    ),
    "reverse foreign key, counted": Case(
        "for author in Author.objects.all():\n    author.books.count()",
        "Author.books was counted 5 times, at line 2.",
        'Try .annotate(Count("books")), or .prefetch_related("books") to have the rows too',
        "from django.db.models import Count\n"
        'for author in Author.objects.annotate(Count("books")):\n    author.books__count',
        1,
    ),
    "reverse foreign key, counted, and its rows read elsewhere": Case(
        "for author in Author.objects.all():\n    author.books.count()",
        "Author.books was counted 5 times, at line 2.",
        '.prefetch_related("books") to have the rows too',
        'for author in Author.objects.prefetch_related("books"):\n    author.books.count()',
        2,
    ),
    "many-to-many": Case(
        "for book in Book.objects.all():\n    [tag.word for tag in book.tags.all()]",
        "Book.tags was fetched 10 times, at line 2.",
        'Try .prefetch_related("tags")',
        'for book in Book.objects.prefetch_related("tags"):\n'
        "    [tag.word for tag in book.tags.all()]",
        2,
    ),
    "many-to-many, backwards": Case(
        "for tag in Tag.objects.all():\n    len(tag.books.all())",
        "Tag.books was fetched 3 times, at line 2.",
        'Try .prefetch_related("books")',
        'for tag in Tag.objects.prefetch_related("books"):\n    len(tag.books.all())',
        2,
    ),
    "many-to-many, counted": Case(
        "for book in Book.objects.all():\n    book.tags.count(), book.tags.exists()",
        "Book.tags was fetched 10 times, at line 2.",
        'Try .prefetch_related("tags")',
        'for book in Book.objects.prefetch_related("tags"):\n'
        "    book.tags.count(), book.tags.exists()",
        2,
    ),
    "generic foreign key": Case(
        "for note in Note.objects.all():\n    note.about",
        "Note.about was fetched 10 times, at line 2.",
        'Try .prefetch_related("about")',
        'for note in Note.objects.prefetch_related("about"):\n    note.about',
        2,
    ),
    "in a comprehension": Case(
        "titles = [\n    (book.title, book.author.name)\n    for book in Book.objects.all()\n]",
        "Book.author was fetched 10 times, at line 2.",
        'Try .select_related("author")',
        'titles = [(b.title, b.author.name) for b in Book.objects.select_related("author")]',
        1,
    ),
    "in a generator": Case(
        "sorted(book.author.name for book in Book.objects.all())",
        "Book.author was fetched 10 times, at line 1.",
        'Try .select_related("author")',
        'sorted(book.author.name for book in Book.objects.select_related("author"))',
        1,
    ),
    "in a template": Case(
        "from django.template import Context, Template\n"
        "page = Template('{% for book in books %}{{ book.author.name }}{% endfor %}')\n"
        "page.render(Context({'books': Book.objects.all()}))",
        "Book.author was fetched 10 times, at line 3.",
        'Try .select_related("author")',
        "page.render(Context({'books': Book.objects.select_related('author')}))",
        1,
    ),
    "under iterator(), where fetch modes do not help": Case(
        "for book in Book.objects.iterator():\n    book.author.name",
        "Book.author was fetched 10 times, at line 2.",
        'Try .select_related("author")',
        'for book in Book.objects.select_related("author").iterator():\n    book.author.name',
        1,
    ),
    "two relations deep": Case(
        "for passport in Passport.objects.select_related('author'):\n"
        "    for book in passport.author.books.all():\n        book.title",
        "Author.books was fetched 5 times, at line 2.",
        'Try .prefetch_related("author__books")',
        "for passport in Passport.objects.select_related('author')"
        ".prefetch_related('author__books'):\n    list(passport.author.books.all())",
        2,
    ),
    "below a prefetch": Case(
        "for author in Author.objects.prefetch_related('books'):\n"
        "    for book in author.books.all():\n        len(book.tags.all())",
        "Book.tags was fetched 10 times, at line 3.",
        'Try .prefetch_related("books__tags")',
        "for author in Author.objects.prefetch_related('books__tags'):\n"
        "    for book in author.books.all():\n        len(book.tags.all())",
        3,
    ),
    "deferred field": Case(
        "for book in Book.objects.defer('summary'):\n    book.summary",
        "Book.summary was left out of the first query, then fetched 10 times, at line 2.",
        'leave "summary" out of .defer(), or name it in .only()',
        "for book in Book.objects.only('title', 'summary'):\n    book.summary",
        1,
    ),
    "filtered, where no prefetch can serve": Case(
        "for author in Author.objects.all():\n    list(author.books.filter(title__endswith='.1'))",
        "Author.books was queried 5 times, at line 2.",
        'Prefetch("books", queryset=…, to_attr=…)',
        "from django.db.models import Prefetch\n"
        "first = Prefetch('books', Book.objects.filter(title__endswith='.1'), to_attr='firsts')\n"
        "for author in Author.objects.prefetch_related(first):\n    author.firsts",
        2,
    ),
    "filter after a prefetch": Case(
        "for author in Author.objects.prefetch_related('books'):\n"
        "    list(author.books.filter(title__endswith='.1'))",
        "Author.books was prefetched, then queried 5 times more, at line 2.",
        "to_attr=…), or in Python",
        "for author in Author.objects.prefetch_related('books'):\n"
        "    [book for book in author.books.all() if book.title.endswith('.1')]",
        2,
    ),
    "first() after a prefetch": Case(
        "for book in Book.objects.prefetch_related('tags'):\n    book.tags.first()",
        "Book.tags was prefetched, then queried 10 times more, at line 2.",
        "to_attr=…), or in Python",
        "for book in Book.objects.prefetch_related('tags'):\n    next(iter(book.tags.all()))",
        2,
    ),
    "count() of a filter after a prefetch": Case(
        "for author in Author.objects.prefetch_related('books'):\n"
        "    author.books.filter(title='x').count()",
        "Author.books was prefetched, then queried 5 times more, at line 2.",
        "to_attr=…), or in Python",
        "for author in Author.objects.prefetch_related('books'):\n"
        "    sum(book.title == 'x' for book in author.books.all())",
        2,
    ),
    "exists() of a filter after a prefetch": Case(
        "for author in Author.objects.prefetch_related('books'):\n"
        "    author.books.filter(title='x').exists()",
        "Author.books was prefetched, then queried 5 times more, at line 2.",
        "to_attr=…), or in Python",
        "for author in Author.objects.prefetch_related('books'):\n"
        "    any(book.title == 'x' for book in author.books.all())",
        2,
    ),
    "same query, same parameters, in a loop": Case(
        "for _ in range(4):\n    Book.objects.filter(title='x').count()",
        "The same query ran 4 times with the same parameters, at line 2.",
        "Run it once and keep the result.",
        "found = Book.objects.filter(title='x').count()\nfor _ in range(4):\n    found",
        1,
    ),
    "same query, same parameters, on two lines": Case(
        "books = Book.objects.all()\nlen(books.all())\nlen(books.all())",
        "The same query ran 2 times with the same parameters, at lines 2 and 3.",
        "Run it once and keep the result.",
        "books = Book.objects.all()\nlen(books)\nlen(books)",
        1,
    ),
    "not understood, and said so": Case(
        "for n in range(4):\n    Book.objects.filter(title=f'book {n}.1').exists()",
        "One statement ran 4 times, at line 2, each time with other parameters.",
        "",
        "set(Book.objects.filter(title__in=[f'book {n}.1' for n in range(4)]))",
        1,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_repetition_is_named_and_the_remedy_mends_it(case, library_cell):
    shown = library_cell(case.code)
    assert shown.result.success, shown.printed
    assert case.says in [sentence for _, sentence in shown.findings], shown.report
    assert case.remedy in shown.report

    mended = library_cell(case.mended)
    assert mended.result.success, mended.printed
    assert mended.findings == []
    assert mended.headline.startswith(f"{case.queries} quer")


def test_the_line_of_a_function_defined_in_an_earlier_cell(library_cell):
    library_cell("def name(book):\n    return book.author.name")
    shown = library_cell("for book in Book.objects.all():\n    name(book)")
    assert shown.findings == [("N+1", "Book.author was fetched 10 times, at line 2 of cell [3].")]
    assert "return book.author.name" in shown.report


def test_a_relation_of_objects_from_an_earlier_cell(library_cell):
    library_cell("books = list(Book.objects.all())")
    shown = library_cell("for book in books:\n    book.author")
    assert 'Try .select_related("author") where the Book objects are loaded' in shown.report


def test_a_chain_of_relations_is_mended_by_one_path(library_cell):
    shown = library_cell("for book in Book.objects.all():\n    book.author.passport.number")
    assert shown.findings == [
        ("N+1", "Book.author was fetched 10 times, at line 2."),
        ("N+1", "Author.passport was fetched 10 times, at line 2."),
    ]
    assert 'Try .select_related("author__passport")' in shown.report
    mended = library_cell(
        'for book in Book.objects.select_related("author__passport"):\n    book.author.passport'
    )
    assert mended.headline == "1 query · 10 rows"


LEGITIMATE = {
    "three lookups written out": (
        "Book.objects.get(title='book 1.1')\n"
        "Book.objects.get(title='book 2.1')\n"
        "Book.objects.get(title='book 3.1')"
    ),
    "three lookups on one line": (
        "[Book.objects.get(title='book 1.1'), Book.objects.get(title='book 2.1'),"
        " Book.objects.get(title='book 3.1')]"
    ),
    "a relation of three objects, written out": (
        "a, b, c = Book.objects.all()[:3]\na.author\nb.author\nc.author"
    ),
    "a relation of three objects on one line": (
        "a, b, c = Book.objects.all()[:3]\n[a.author, b.author, c.author]"
    ),
    "a relation of three objects in a template": (
        "from django.template import Context, Template\n"
        "a, b, c = Book.objects.all()[:3]\n"
        "Template('{{ a.author }} {{ b.author }} {{ c.author }}').render(\n"
        "    Context({'a': a, 'b': b, 'c': c}))"
    ),
    "a helper called three times by hand": (
        "def author_of(book):\n    return book.author\n"
        "a, b, c = Book.objects.all()[:3]\n"
        "author_of(a)\nauthor_of(b)\nauthor_of(c)"
    ),
    "a loop over two rows": "for book in Book.objects.all()[:2]:\n    book.author",
    # Rows may be read in a later cell: that nobody used them yet proves nothing.
    "a prefetch that nobody used": "authors = list(Author.objects.prefetch_related('books'))",
    "a select_related that nobody used": "books = list(Book.objects.select_related('author'))",
    "a count before and after a write": (
        "Tag.objects.count()\nTag.objects.create(word='new')\nTag.objects.count()"
    ),
    "several prefetches": "list(Author.objects.prefetch_related('books__tags', 'passport'))",
    "FETCH_PEERS": (
        "from django.db.models import FETCH_PEERS\n"
        "for book in Book.objects.fetch_mode(FETCH_PEERS):\n    book.author"
    ),
    "FETCH_PEERS on a deferred field": (
        "from django.db.models import FETCH_PEERS\n"
        "for book in Book.objects.defer('summary').fetch_mode(FETCH_PEERS):\n    book.summary"
    ),
    "in_bulk and aggregates": (
        "from django.db.models import Count\n"
        "Book.objects.in_bulk([1, 2])\nBook.objects.aggregate(Count('pk'))\n"
        "list(Author.objects.annotate(n=Count('books')))"
    ),
    "random order twice": ("list(Book.objects.order_by('?'))\nlist(Book.objects.order_by('?'))"),
    "bulk_create in batches": (
        "Tag.objects.bulk_create([Tag(word=str(n)) for n in range(4)], batch_size=2)"
    ),
    "a delete that cascades": "Author.objects.filter(name='author 1').delete()",
    "get_or_create, update_or_create": (
        "Tag.objects.get_or_create(word='sea')\nTag.objects.update_or_create(word='war')"
    ),
    "two prefetched relations read": (
        "for author in Author.objects.prefetch_related('books').select_related('passport'):\n"
        "    list(author.books.all()), author.books.count(), author.passport"
    ),
    "pages of one query": "books = Book.objects.order_by('pk')\nlist(books[:3])\nlist(books[3:6])",
    "an iterator in chunks": "sum(1 for book in Book.objects.iterator(chunk_size=2))",
    "refreshing two objects": (
        "a, b = Author.objects.all()[:2]\na.refresh_from_db()\nb.refresh_from_db()"
    ),
    "savepoints": (
        "from django.db import transaction\n"
        "with transaction.atomic():\n    with transaction.atomic():\n        Tag.objects.count()"
    ),
}


@pytest.mark.parametrize("code", LEGITIMATE.values(), ids=LEGITIMATE)
def test_no_false_alarm(code, library_cell):
    shown = library_cell(code)
    assert shown.result.success, shown.printed
    assert " quer" in shown.headline
    assert shown.findings == [], shown.report


UNREAD = {
    "a join": (
        "for book in Book.objects.select_related('author'):\n    book.title",
        "Book.author was joined to 10 rows, and never read, at line 1.",
        'Leave out .select_related("author")',
        "for book in Book.objects.all():\n    book.title",
    ),
    "a join, where the id is enough": (
        "[book.author_id for book in Book.objects.select_related('author')]",
        "Book.author was joined to 10 rows, and never read, at line 1.",
        'Leave out .select_related("author")',
        "[book.author_id for book in Book.objects.all()]",
    ),
    "a join to a one-to-one, backwards": (
        "for author in Author.objects.select_related('passport'):\n    author.name",
        "Author.passport was joined to 5 rows, and never read, at line 1.",
        'Leave out .select_related("passport")',
        "for author in Author.objects.all():\n    author.name",
    ),
    "the end of a chain of joins": (
        "for book in Book.objects.select_related('author__passport'):\n    book.author.name",
        "Author.passport was joined to 10 rows, and never read, at line 1.",
        '.select_related("author") is enough',
        "for book in Book.objects.select_related('author'):\n    book.author.name",
    ),
    "a prefetch to many": (
        "for author in Author.objects.prefetch_related('books'):\n    author.name",
        "Author.books was prefetched (10 rows), and never read, at line 1.",
        'Leave out .prefetch_related("books")',
        "for author in Author.objects.all():\n    author.name",
    ),
    "a prefetch in chunks": (
        "[a.name for a in Author.objects.prefetch_related('books').iterator(chunk_size=3)]",
        "Author.books was prefetched (6 rows), and never read, at line 1.",
        'Leave out .prefetch_related("books")',
        "[a.name for a in Author.objects.iterator(chunk_size=3)]",
    ),
    "a prefetch of many-to-many, backwards": (
        "words = [tag.word for tag in Tag.objects.prefetch_related('books')]",
        "Tag.books was prefetched (20 rows), and never read, at line 1.",
        'Leave out .prefetch_related("books")',
        "words = [tag.word for tag in Tag.objects.all()]",
    ),
    "a prefetch to one": (
        "for book in Book.objects.prefetch_related('author'):\n    book.title",
        "Book.author was prefetched (5 rows), and never read, at line 1.",
        'Leave out .prefetch_related("author")',
        "for book in Book.objects.all():\n    book.title",
    ),
    "the end of a chain of prefetches": (
        "[[book.title for book in author.books.all()] for author in"
        " Author.objects.prefetch_related('books__tags')]",
        "Book.tags was prefetched (20 rows), and never read, at line 1.",
        '.prefetch_related("books") is enough',
        "for author in Author.objects.prefetch_related('books'):\n"
        "    [book.title for book in author.books.all()]",
    ),
    "one of two joins": (
        "for book in Book.objects.select_related('author__passport', 'author'):\n"
        "    book.author.name",
        "Author.passport was joined to 10 rows, and never read, at line 1.",
        '.select_related("author") is enough',
        "for book in Book.objects.select_related('author'):\n    book.author.name",
    ),
    "a prefetch, where rows of another model are kept": (
        "kept = [*Book.objects.select_related('author')]\n"
        "kept[0].author\n"
        "for author in Author.objects.prefetch_related('books'):\n    author.name",
        "Author.books was prefetched (10 rows), and never read, at line 3.",
        'Leave out .prefetch_related("books")',
        "kept[0].author",
    ),
    "a list that is thrown away": (
        "len(list(Author.objects.prefetch_related('books')))",
        "Author.books was prefetched (10 rows), and never read, at line 1.",
        'Leave out .prefetch_related("books")',
        "len(list(Author.objects.all()))",
    ),
}


@pytest.mark.parametrize(("code", "says", "remedy", "mended"), UNREAD.values(), ids=UNREAD)
def test_what_nobody_read_is_named_and_can_be_left_out(code, says, remedy, mended, library_cell):
    shown = library_cell(code)
    assert shown.findings == [("Unread", says)], shown.report
    assert remedy in shown.report
    assert library_cell(mended).findings == []


READ = {
    "rows kept for a later cell": "authors = list(Author.objects.prefetch_related('books'))",
    "rows that are the cell's result": "list(Book.objects.select_related('author'))",
    "a queryset kept": (
        "books = Book.objects.select_related('author')\nfor book in books:\n    book.title"
    ),
    "some rows kept": (
        "kept = [b for b in Book.objects.select_related('author') if b.title > 'book 3']"
    ),
    "one row that decides": (
        "for book in Book.objects.select_related('author'):\n"
        "    if book.title == 'book 3.1':\n        book.author.name"
    ),
    "read by a template": (
        "from django.template import Context, Template\n"
        "page = Template('{% for book in books %}{{ book.tags.all.0.word }}{% endfor %}')\n"
        "page.render(Context({'books': Book.objects.prefetch_related('tags')}))"
    ),
    "read by a serializer": (
        "from django.core import serializers\n"
        "text = serializers.serialize('json', Book.objects.prefetch_related('tags'))"
    ),
    "pickled": ("import pickle\ntext = pickle.dumps(list(Book.objects.select_related('author')))"),
    "copied": (
        "import copy\nbooks = [copy.copy(b) for b in Book.objects.select_related('author')]"
    ),
    "into a list of its own": (
        "from django.db.models import Prefetch\n"
        "for author in Author.objects.prefetch_related(Prefetch('books', to_attr='works')):\n"
        "    author.works"
    ),
    "a generic relation, read": (
        "for note in Note.objects.prefetch_related('about'):\n    note.about"
    ),
    "counted by the database": "Book.objects.select_related('author').count()",
    "one object": "author = Author.objects.prefetch_related('books').get(name='author 1')",
    "a table": "Book.objects.select_related('author')",
    "a frame": "frame(Book.objects.select_related('author'))",
    "an error before the reading": (
        "for book in Book.objects.select_related('author'):\n    1 / 0"
    ),
    "a joined object kept, with what was joined to it": (
        "authors = {b.author for b in Book.objects.select_related('author__passport')}"
    ),
    "locked": (
        "from django.db import transaction\n"
        "with transaction.atomic():\n"
        "    for book in Book.objects.select_for_update().select_related('author'):\n"
        "        book.title"
    ),
    "row by row, where nothing is certain": (
        "[book.author_id for book in Book.objects.select_related('author').iterator()]"
    ),
    "read in another thread": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(1) as pool:\n"
        "    books = Book.objects.select_related('author')\n"
        "    names = list(pool.map(lambda book: book.author.name, list(books)))"
    ),
    "read by async code": (
        "names = [book.author.name async for book in Book.objects.select_related('author')]"
    ),
}


@pytest.mark.parametrize("code", READ.values(), ids=READ)
def test_what_is_read_or_may_be_is_not_called_unread(code, library_cell):
    assert library_cell(code).findings == []


def test_reading_in_one_cell_does_not_count_for_the_next(library_cell):
    reading = "for book in Book.objects.select_related('author'):\n    book.author.name"
    assert library_cell(reading).findings == []
    assert library_cell(reading.removesuffix(".author.name")).findings

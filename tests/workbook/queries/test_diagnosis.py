"""Every kind of repetition is named, at its line, with a fix that works; all else is silent."""

import re
from typing import NamedTuple

import pytest
from asgiref.sync import async_to_sync

from workbook.queries import diagnosis, queries

from .. import library
from ..watching import *  # noqa: F403  (fixtures)


class Case(NamedTuple):
    """A cell that repeats itself, what the report says of it, and the cell fixed as it says."""

    title: str
    code: str
    says: str
    fix: str  # a part of what the report tells to do
    fixed: str
    queries: int  # that are left


@pytest.fixture
def told(library_cell):
    """A shell in which the library is filled and everything imported (in cells [2] and [3])."""
    library_cell(
        "import asyncio\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from django.core import serializers\n"
        "from django.core.paginator import Paginator\n"
        "from django.db import connection, transaction\n"
        "from django.db.models import *\n"
        "from django.shortcuts import get_object_or_404\n"
        "from django.template import Context, Template\n"
        f"from {library.__name__} import fill_more\n"
        "fill_more()\n"
        "cursor = connection.cursor()\n"
        "run = cursor.execute\n"
        "table = Tag._meta.db_table\n"
        "%queries on"
    )
    yield library_cell
    library_cell("cursor.close()")  # an unread result would lock its table


FOLLOWED = {
    "forward foreign key": Case(
        "N+1",
        "for book in Book.objects.all():\n    book.author.name",
        "Book.author was fetched 14 times, at line 2.",
        'Try .select_related("author").',
        'for book in Book.objects.select_related("author"):\n    book.author.name',
        1,
    ),
    "forward foreign key of a model built by hand": Case(
        "N+1",
        "for n in Author.objects.values_list('pk', flat=True)[:4]:\n    Book(author_id=n).author",
        "Book.author was fetched 4 times, at line 2.",
        'Try prefetch_related_objects(objects, "author") before the loop.',
        "books = [Book(author_id=n) for n in Author.objects.values_list('pk', flat=True)[:4]]\n"
        'prefetch_related_objects(books, "author")\n'
        "for book in books:\n    book.author",
        2,
    ),
    "forward foreign key of objects just written": Case(
        "N+1",
        "key = Author.objects.first().pk\n"
        "books = Book.objects.bulk_create(Book(title=t, author_id=key) for t in 'abcd')\n"
        "for book in books:\n    book.author",
        "Book.author was fetched 4 times, at line 4.",
        'Try prefetch_related_objects(objects, "author") before the loop.',
        "key = Author.objects.first().pk\n"
        "books = Book.objects.bulk_create(Book(title=t, author_id=key) for t in 'abcd')\n"
        'prefetch_related_objects(books, "author")\n'
        "for book in books:\n    book.author",
        3,
    ),
    "a field of the parent model": Case(
        "N+1",
        "for novelist in Novelist.objects.all():\n    novelist.passport",
        "Novelist.passport was fetched 4 times, at line 2.",
        'Try .select_related("passport").',
        'for novelist in Novelist.objects.select_related("passport"):\n    novelist.passport',
        1,
    ),
    "the parent of a child model": Case(
        "N+1",
        "for novelist in Novelist.objects.only('pen_name'):\n    novelist.author_ptr.pk\n"
        "    novelist.name",
        "Novelist.name was left out of the first query, then fetched 4 times, at line 3.",
        'Fix: name "name" in .only().',
        "for novelist in Novelist.objects.only('pen_name', 'name'):\n    novelist.name",
        1,
    ),
    "a relation of the parent, by the parent link": Case(
        "N+1",
        "for novelist in Novelist.objects.all():\n    list(novelist.author_ptr.books.all())",
        "Author.books was fetched 4 times, at line 2.",
        'Try .prefetch_related("author_ptr__books").',
        "for novelist in Novelist.objects.prefetch_related('author_ptr__books'):\n"
        "    list(novelist.author_ptr.books.all())",
        3,
    ),
    "the child of a parent model": Case(
        "N+1",
        "for author in Author.objects.filter(name__startswith='novelist'):\n    author.novelist",
        "Author.novelist was fetched 4 times, at line 2.",
        'Try .select_related("novelist").',
        "for author in Author.objects.filter(name__startswith='novelist')"
        '.select_related("novelist"):\n    author.novelist',
        1,
    ),
    "one-to-one, forward": Case(
        "N+1",
        "for passport in Passport.objects.all():\n    passport.author.name",
        "Passport.author was fetched 9 times, at line 2.",
        'Try .select_related("author").',
        'for passport in Passport.objects.select_related("author"):\n    passport.author.name',
        1,
    ),
    "one-to-one, backwards": Case(
        "N+1",
        "for author in Author.objects.all():\n    author.passport.number",
        "Author.passport was fetched 9 times, at line 2.",
        'Try .select_related("passport").',
        'for author in Author.objects.select_related("passport"):\n    author.passport.number',
        1,
    ),
    "reverse foreign key": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.books.all())",
        "Author.books was fetched 9 times, at line 2.",
        'Try .prefetch_related("books").',
        'for author in Author.objects.prefetch_related("books"):\n    list(author.books.all())',
        2,
    ),
    "reverse foreign key without a related name": Case(
        "N+1",
        "for publisher in Publisher.objects.all():\n    len(publisher.book_set.all())",
        "Publisher.book_set was fetched 5 times, at line 2.",
        'Try .prefetch_related("book_set").',
        'for publisher in Publisher.objects.prefetch_related("book_set"):\n'
        "    len(publisher.book_set.all())",
        2,
    ),
    "reverse foreign key, counted": Case(
        "N+1",
        "for publisher in Publisher.objects.all():\n    publisher.book_set.count()",
        "Publisher.book_set was counted 5 times, at line 2.",
        'Try .annotate(Count("book")), or .prefetch_related("book_set") to have the rows too.',
        'for publisher in Publisher.objects.annotate(Count("book")):\n    publisher.book__count',
        1,
    ),
    "reverse foreign key, counted, and its rows read elsewhere": Case(
        "N+1",
        "for author in Author.objects.all():\n    author.books.count()",
        "Author.books was counted 9 times, at line 2.",
        '.prefetch_related("books") to have the rows too.',
        'for author in Author.objects.prefetch_related("books"):\n    author.books.count()',
        2,
    ),
    "reverse foreign key whose manager filters and sorts": Case(
        "N+1",
        "for book in Book.objects.all():\n    list(book.reviews.all())",
        "Book.reviews was fetched 14 times, at line 2.",
        'Try .prefetch_related("reviews").',
        'for book in Book.objects.prefetch_related("reviews"):\n    list(book.reviews.all())',
        2,
    ),
    "rows counted that its manager filters": Case(
        "N+1",
        "for book in Book.objects.all():\n    book.reviews.count()",
        "Book.reviews was counted 14 times, at line 2.",
        'Try .prefetch_related("reviews").',
        'for book in Book.objects.prefetch_related("reviews"):\n    book.reviews.count()',
        2,
    ),
    "the first of rows that its manager sorts": Case(
        "N+1",
        "for book in Book.objects.all():\n    book.reviews.first()",
        "Book.reviews was fetched 14 times, at line 2.",
        'Try .prefetch_related("reviews").',
        'for book in Book.objects.prefetch_related("reviews"):\n    book.reviews.first()',
        2,
    ),
    "a slice, an index, contains()": Case(
        "N+1",
        "for author in Author.objects.filter(books__isnull=False).distinct():\n"
        "    author.books.all()[0]",
        "Author.books was fetched 9 times, at line 2.",
        'Try .prefetch_related("books").',
        "book = Book.objects.first()\n"
        "for author in Author.objects.filter(books__isnull=False).distinct()"
        '.prefetch_related("books"):\n'
        "    author.books.all()[0], author.books.all()[:3], author.books.contains(book)",
        3,
    ),
    "two columns": Case(
        "N+1",
        "for copy in Copy.objects.all():\n    copy.shelf",
        "Copy.shelf was fetched 4 times, at line 2.",
        'Try .select_related("shelf").',
        'for copy in Copy.objects.select_related("shelf"):\n    copy.shelf',
        1,
    ),
    "two columns, backwards": Case(
        "N+1",
        "for shelf in Shelf.objects.all():\n    list(shelf.copies.all())",
        "Shelf.copies was fetched 4 times, at line 2.",
        'Try .prefetch_related("copies").',
        'for shelf in Shelf.objects.prefetch_related("copies"):\n    list(shelf.copies.all())',
        2,
    ),
    "many-to-many": Case(
        "N+1",
        "for book in Book.objects.all():\n    [tag.word for tag in book.tags.all()]",
        "Book.tags was fetched 14 times, at line 2.",
        'Try .prefetch_related("tags").',
        'for book in Book.objects.prefetch_related("tags"):\n'
        "    [tag.word for tag in book.tags.all()]",
        2,
    ),
    "many-to-many, backwards": Case(
        "N+1",
        "for tag in Tag.objects.all():\n    len(tag.books.all())",
        "Tag.books was fetched 3 times, at line 2.",
        'Try .prefetch_related("books").',
        'for tag in Tag.objects.prefetch_related("books"):\n    len(tag.books.all())',
        2,
    ),
    "many-to-many, counted": Case(
        "N+1",
        "for book in Book.objects.all():\n    book.tags.count(), book.tags.exists()",
        "Book.tags was counted 14 times, at line 2.",
        'Try .annotate(Count("tags")), or .prefetch_related("tags") to have the rows too.',
        'for book in Book.objects.prefetch_related("tags"):\n'
        "    book.tags.count(), book.tags.exists()",
        2,
    ),
    "many-to-many to itself": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.influences.all())",
        "Author.influences was fetched 9 times, at line 2.",
        'Try .prefetch_related("influences").',
        'for author in Author.objects.prefetch_related("influences"):\n'
        "    list(author.influences.all())",
        2,
    ),
    "many-to-many to itself, backwards": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.influenced.all())",
        "Author.influenced was fetched 9 times, at line 2.",
        'Try .prefetch_related("influenced").',
        'for author in Author.objects.prefetch_related("influenced"):\n'
        "    list(author.influenced.all())",
        2,
    ),
    "many-to-many to itself, backwards, without a related name": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.author_set.all())",
        "Author.author_set was fetched 9 times, at line 2.",
        'Try .prefetch_related("author_set").',
        'for author in Author.objects.prefetch_related("author_set"):\n'
        "    list(author.author_set.all())",
        2,
    ),
    "many-to-many to itself, both ways, counted": Case(
        "N+1",
        "for author in Author.objects.all():\n    author.author_set.count()",
        "Author.author_set was counted 9 times, at line 2.",
        'Try .annotate(Count("author")), or .prefetch_related("author_set")',
        'for author in Author.objects.annotate(Count("author")):\n    author.author__count',
        1,
    ),
    "a relation to itself, from what it led to": Case(
        "N+1",
        "for author in Author.objects.all():\n"
        "    for pupil in author.pupils.all():\n        list(pupil.pupils.all())",
        "Author.pupils was fetched 4 times, at line 3.",
        'Try .prefetch_related("pupils__pupils").',
        "for author in Author.objects.prefetch_related('pupils__pupils'):\n"
        "    for pupil in author.pupils.all():\n        list(pupil.pupils.all())",
        3,
    ),
    "a relation to itself, in two loops": Case(
        "N+1",
        "authors = list(Author.objects.all())\n"
        "for author in authors:\n    list(author.pupils.all())\n"
        "for author in authors:\n    author.pupils.all()[0:1].count()",
        "Author.pupils was fetched 9 times, at line 3.",
        'Try .prefetch_related("pupils").',
        "for author in Author.objects.prefetch_related('pupils'):\n"
        "    author.pupils.all(), author.pupils.all()[:1]",
        2,
    ),
    "down a tree": Case(
        "N+1",
        "def below(author):\n    return [below(pupil) for pupil in author.pupils.all()]\n"
        "for author in Author.objects.all():\n    below(author)",
        "Author.pupils was fetched 9 times, at line 2.",
        'Try .prefetch_related("pupils").',
        "for author in Author.objects.prefetch_related('pupils'):\n    author.pupils.all()",
        2,
    ),
    "symmetrical many-to-many": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.friends.all())",
        "Author.friends was fetched 9 times, at line 2.",
        'Try .prefetch_related("friends").',
        'for author in Author.objects.prefetch_related("friends"):\n    list(author.friends.all())',
        2,
    ),
    "generic foreign key": Case(
        "N+1",
        "for note in Note.objects.all():\n    note.about",
        "Note.about was fetched 15 times, at line 2.",
        'Try .prefetch_related("about").',
        'for note in Note.objects.prefetch_related("about"):\n    note.about',
        3,
    ),
    "generic relation": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.notes.all())",
        "Author.notes was fetched 9 times, at line 2.",
        'Try .prefetch_related("notes").',
        'for author in Author.objects.prefetch_related("notes"):\n    list(author.notes.all())',
        2,
    ),
    "generic relation, counted": Case(
        "N+1",
        "for book in Book.objects.all():\n    book.notes.count()",
        "Book.notes was counted 14 times, at line 2.",
        'Try .annotate(Count("notes")), or .prefetch_related("notes") to have the rows too.',
        'for book in Book.objects.prefetch_related("notes"):\n    book.notes.count()',
        2,
    ),
    "generic relation, filtered": Case(
        "N+1",
        "for book in Book.objects.all():\n    list(book.notes.filter(text='x'))",
        "Book.notes was queried 14 times, at line 2.",
        'Try Prefetch("notes", queryset=…, to_attr=…) before the loop.',
        "notes = Prefetch('notes', queryset=Note.objects.filter(text='x'), to_attr='found')\n"
        "for book in Book.objects.prefetch_related(notes):\n    book.found",
        2,
    ),
    "a library's manager": Case(
        "N+1",
        "for magazine in Magazine.objects.all():\n    list(magazine.labels.all())",
        "Magazine.labels was fetched 4 times, at line 2.",
        'Try .prefetch_related("labels").',
        'for magazine in Magazine.objects.prefetch_related("labels"):\n'
        "    list(magazine.labels.all())",
        2,
    ),
    "a library's manager, reached by a relation": Case(
        "N+1",
        "for issue in Issue.objects.select_related('magazine'):\n"
        "    for label in issue.magazine.labels.all():\n        label.word",
        "Magazine.labels was fetched 12 times, at line 2.",
        'Try .prefetch_related("magazine__labels").',
        'for issue in Issue.objects.select_related("magazine")'
        '.prefetch_related("magazine__labels"):\n'
        "    for label in issue.magazine.labels.all():\n        label.word",
        2,
    ),
    "a library's manager, asked for more": Case(
        "N+1",
        "for magazine in Magazine.objects.all():\n    list(magazine.labels.names())",
        "Magazine.labels was queried 4 times, at line 2.",
        'Try .prefetch_related("labels"), and .all() in the loop.',
        'for magazine in Magazine.objects.prefetch_related("labels"):\n'
        "    [label.word for label in magazine.labels.all()]",
        2,
    ),
    "a library's descriptor": Case(
        "N+1",
        "for magazine in Magazine.objects.all():\n    list(magazine.issues.all())",
        "Magazine.issues was fetched 4 times, at line 2.",
        'Try .prefetch_related("issues").',
        'for magazine in Magazine.objects.prefetch_related("issues"):\n'
        "    list(magazine.issues.all())",
        2,
    ),
    "filtered by a library's method": Case(
        "N+1",
        "for magazine in Magazine.objects.all():\n    list(magazine.first_issues())",
        "Magazine.issues was queried 4 times, at line 2.",
        "The code called here makes its own query on Magazine.issues, so a prefetch does not help: "
        "try one query of your own before the loop.",
        "issues = Issue.objects.filter(number__lt=3)\nfor issue in issues:\n    issue.magazine_id",
        1,
    ),
    "sorted by a library's property": Case(
        "N+1",
        "for magazine in Magazine.objects.all():\n    magazine.total",
        "Magazine.issues was queried 4 times, at line 2.",
        "try one query of your own before the loop.",
        "dict(Issue.objects.values_list('magazine').annotate(Sum('number')))",
        1,
    ),
    "counted and fetched in the same turn": Case(
        "N+1",
        "for author in Author.objects.all():\n"
        "    author.books.count()\n    list(author.books.all())",
        "Author.books was fetched 9 times, at line 3.",
        'Try .prefetch_related("books").',
        "for author in Author.objects.prefetch_related('books'):\n"
        "    author.books.count()\n    list(author.books.all())",
        2,
    ),
    "in a comprehension": Case(
        "N+1",
        "titles = [\n    (book.title, book.author.name)\n    for book in Book.objects.all()\n]",
        "Book.author was fetched 14 times, at line 2.",
        'Try .select_related("author").',
        'titles = [(b.title, b.author.name) for b in Book.objects.select_related("author")]',
        1,
    ),
    "in a generator": Case(
        "N+1",
        "sorted(book.author.name for book in Book.objects.all())",
        "Book.author was fetched 14 times, at line 1.",
        'Try .select_related("author").',
        'sorted(book.author.name for book in Book.objects.select_related("author"))',
        1,
    ),
    "in a key function": Case(
        "N+1",
        "sorted(Book.objects.all(), key=lambda book: book.author.name)",
        "Book.author was fetched 14 times, at line 1.",
        'Try .select_related("author").',
        'sorted(Book.objects.select_related("author"), key=lambda book: book.author.name)',
        1,
    ),
    "in a template": Case(
        "N+1",
        "page = Template('{% for book in books %}{{ book.author.name }}{% endfor %}')\n"
        "text = page.render(Context({'books': Book.objects.all()}))",
        "Book.author was fetched 14 times, at line 2.",
        'Try .select_related("author").',
        "text = page.render(Context({'books': Book.objects.select_related('author')}))",
        1,
    ),
    "in a template's loop within a loop": Case(
        "N+1",
        "page = Template('{% for book in books %}{% for tag in book.tags.all %}{{ tag }}'\n"
        "                '{% endfor %}{% endfor %}')\n"
        "text = page.render(Context({'books': Book.objects.all()}))",
        "Book.tags was fetched 14 times, at line 3.",
        'Try .prefetch_related("tags").',
        "text = page.render(Context({'books': Book.objects.prefetch_related('tags')}))",
        2,
    ),
    "a generic relation, counted in a template": Case(
        "N+1",
        "page = Template('{% for book in books %}{{ book.notes.count }}{% endfor %}')\n"
        "text = page.render(Context({'books': Book.objects.all()}))",
        "Book.notes was counted 14 times, at line 2.",
        'Try .annotate(Count("notes")), or .prefetch_related("notes") to have the rows too.',
        "text = page.render(Context({'books': Book.objects.prefetch_related('notes')}))",
        2,
    ),
    "in a serializer": Case(
        "N+1",
        "text = serializers.serialize('json', Book.objects.all())",
        "Book.tags was queried 14 times, at line 1.",
        'Try .prefetch_related("tags")',
        "text = serializers.serialize('json', Book.objects.prefetch_related('tags'))",
        2,
    ),
    "in the pages of a paginator": Case(
        "N+1",
        "for page in Paginator(Book.objects.order_by('pk'), 5):\n"
        "    for book in page:\n        book.author.name",
        "Book.author was fetched 14 times, at line 3.",
        'Try .select_related("author").',
        "for page in Paginator(Book.objects.order_by('pk').select_related('author'), 5):\n"
        "    for book in page:\n        book.author.name",
        4,
    ),
    "in threads": Case(
        "N+1",
        "books = list(Book.objects.all())\n"
        "with ThreadPoolExecutor(1) as pool:\n"
        "    def name(book):\n        return book.author.name\n"
        "    list(map(name, books))",
        "Book.author was fetched 14 times, at line 4.",
        'Try .select_related("author").',
        "list(map(name, Book.objects.select_related('author')))",
        1,
    ),
    "under iterator(), where fetch modes do not help": Case(
        "N+1",
        "for book in Book.objects.iterator():\n    book.author.name",
        "Book.author was fetched 14 times, at line 2.",
        'Try .select_related("author").',
        'for book in Book.objects.select_related("author").iterator():\n    book.author.name',
        1,
    ),
    "a relation to many under iterator()": Case(
        "N+1",
        "for book in Book.objects.iterator():\n    list(book.tags.all())",
        "Book.tags was fetched 14 times, at line 2.",
        'Try .prefetch_related("tags") with .iterator(chunk_size=2000).',
        'for book in Book.objects.prefetch_related("tags").iterator(chunk_size=2000):\n'
        "    list(book.tags.all())",
        2,
    ),
    "of a union": Case(
        "N+1",
        "books = Book.objects.filter(title__startswith='book')\n"
        "for book in books.union(Book.objects.filter(title__startswith='novel')):\n"
        "    book.author.name",
        "Book.author was fetched 14 times, at line 3.",
        'Try prefetch_related_objects(objects, "author") on the list of its objects.',
        "books = list(books.union(Book.objects.filter(title__startswith='novel')))\n"
        'prefetch_related_objects(books, "author")\n'
        "for book in books:\n    book.author.name",
        2,
    ),
    "of raw SQL": Case(
        "N+1",
        "for book in Book.objects.raw(f'SELECT * FROM {Book._meta.db_table}'):\n    book.author",
        "Book.author was fetched 14 times, at line 2.",
        'Try .prefetch_related("author").',
        "for book in Book.objects.raw(f'SELECT * FROM {Book._meta.db_table}')"
        '.prefetch_related("author"):\n    book.author',
        2,
    ),
    "of locked rows": Case(
        "N+1",
        "with transaction.atomic():\n"
        "    for book in Book.objects.select_for_update():\n        book.publisher",
        "Book.publisher was fetched 10 times, at line 3.",
        'Try .prefetch_related("publisher").',
        "with transaction.atomic():\n"
        '    for book in Book.objects.select_for_update().prefetch_related("publisher"):\n'
        "        book.publisher",
        2,
    ),
    "of rows that have only some fields": Case(
        "N+1",
        "for book in Book.objects.only('title', 'author'):\n    book.author.name",
        "Book.author was fetched 14 times, at line 2.",
        'Try .select_related("author").',
        "for book in Book.objects.only('title', 'author').select_related('author'):\n"
        "    book.author.name",
        1,
    ),
    "of rows that lack its own field": Case(
        "N+1",
        "for book in Book.objects.only('title'):\n    book.author.name",
        "Book.author was fetched 14 times, at line 2.",
        'Try .select_related("author") and name "author" in .only().',
        "for book in Book.objects.only('title', 'author').select_related('author'):\n"
        "    book.author.name",
        1,
    ),
    "two relations deep": Case(
        "N+1",
        "for passport in Passport.objects.select_related('author'):\n"
        "    for book in passport.author.books.all():\n        book.title",
        "Author.books was fetched 9 times, at line 2.",
        'Try .prefetch_related("author__books").',
        "for passport in Passport.objects.select_related('author')"
        ".prefetch_related('author__books'):\n    list(passport.author.books.all())",
        2,
    ),
    "below a prefetch": Case(
        "N+1",
        "for author in Author.objects.prefetch_related('books'):\n"
        "    for book in author.books.all():\n        len(book.tags.all())",
        "Book.tags was fetched 14 times, at line 3.",
        'Try .prefetch_related("books__tags").',
        "for author in Author.objects.prefetch_related('books__tags'):\n"
        "    for book in author.books.all():\n        len(book.tags.all())",
        3,
    ),
    "below a relation to many": Case(
        "N+1",
        "for author in Author.objects.all():\n"
        "    for book in author.books.all():\n        book.publisher",
        "Book.publisher was fetched 10 times, at line 3.",
        'Try .prefetch_related("books__publisher").',
        "for author in Author.objects.prefetch_related('books__publisher'):\n"
        "    for book in author.books.all():\n        book.publisher",
        3,
    ),
    "a deferred field": Case(
        "N+1",
        "for book in Book.objects.defer('summary'):\n    book.summary",
        "Book.summary was left out of the first query, then fetched 14 times, at line 2.",
        'Fix: take "summary" out of .defer().',
        "for book in Book.objects.all():\n    book.summary",
        1,
    ),
    "a field that only() leaves out": Case(
        "N+1",
        "for book in Book.objects.only('title'):\n    book.summary",
        "Book.summary was left out of the first query, then fetched 14 times, at line 2.",
        'Fix: name "summary" in .only().',
        "for book in Book.objects.only('title', 'summary'):\n    book.summary",
        1,
    ),
    "a field of a joined object that only() leaves out": Case(
        "N+1",
        "for book in Book.objects.select_related('author').only('title', 'author__id'):\n"
        "    book.author.name",
        "Author.name was left out of the first query, then fetched 14 times, at line 2.",
        'Fix: name "author__name" in .only().',
        "for book in Book.objects.select_related('author').only('title', 'author__name'):\n"
        "    book.author.name",
        1,
    ),
    "a column that raw SQL leaves out": Case(
        "N+1",
        "for book in Book.objects.raw(f'SELECT id, title FROM {Book._meta.db_table}'):\n"
        "    book.summary",
        "Book.summary was left out of the first query, then fetched 14 times, at line 2.",
        'Fix: select the column of "summary" in the raw query.',
        "for book in Book.objects.raw(f'SELECT id, summary FROM {Book._meta.db_table}'):\n"
        "    book.summary",
        1,
    ),
    "filtered, where no prefetch can serve": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.books.filter(title__endswith='.1'))",
        "Author.books was queried 9 times, at line 2.",
        'Try Prefetch("books", queryset=…, to_attr=…) before the loop.',
        "first = Prefetch('books', Book.objects.filter(title__endswith='.1'), to_attr='firsts')\n"
        "for author in Author.objects.prefetch_related(first):\n    author.firsts",
        2,
    ),
    "joined, where a plain prefetch would not serve": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.books.select_related('publisher'))",
        "Author.books was queried 9 times, at line 2.",
        'Try Prefetch("books", queryset=…, to_attr=…) before the loop.',
        "books = Prefetch('books', Book.objects.select_related('publisher'), to_attr='found')\n"
        "for author in Author.objects.prefetch_related(books):\n    author.found",
        2,
    ),
    "prefetched in the loop": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.books.prefetch_related('tags'))",
        "Author.books was queried 9 times, at line 2.",
        'Try .prefetch_related("books"), and .all() in the loop',
        "for author in Author.objects.prefetch_related('books__tags'):\n"
        "    [list(book.tags.all()) for book in author.books.all()]",
        3,
    ),
    "sorted": Case(
        "N+1",
        "for author in Author.objects.all():\n    author.books.order_by('-title').first()",
        "Author.books was queried 9 times, at line 2.",
        'Try Prefetch("books", queryset=…, to_attr=…) before the loop.',
        "books = Prefetch('books', Book.objects.order_by('-title'), to_attr='sorted')\n"
        "for author in Author.objects.prefetch_related(books):\n    author.sorted[:1]",
        2,
    ),
    "filtered and counted": Case(
        "N+1",
        "for author in Author.objects.all():\n    author.books.filter(title='x').count()",
        "Author.books was counted 9 times, at line 2.",
        'Try .annotate(Count("books", filter=Q(…))) before the loop.',
        "for author in Author.objects.annotate(n=Count('books', filter=Q(books__title='x'))):\n"
        "    author.n",
        1,
    ),
    "summed up": Case(
        "N+1",
        "for author in Author.objects.all():\n    author.books.aggregate(Max('title'))",
        "Author.books was queried 9 times, at line 2.",
        'Try .annotate() before the loop, with the aggregate over "books__…".',
        "for author in Author.objects.annotate(last=Max('books__title')):\n    author.last",
        1,
    ),
    "only its values": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.books.values_list('title'))",
        "Author.books was queried 9 times, at line 2.",
        'Try .prefetch_related("books"), and .all() in the loop: read the values from the objects.',
        "for author in Author.objects.prefetch_related('books'):\n"
        "    [book.title for book in author.books.all()]",
        2,
    ),
    "row by row": Case(
        "N+1",
        "for author in Author.objects.all():\n    list(author.books.iterator())",
        "Author.books was queried 9 times, at line 2.",
        'Try .prefetch_related("books"), and .all() in the loop instead of .iterator().',
        "for author in Author.objects.prefetch_related('books'):\n    list(author.books.all())",
        2,
    ),
    "up to the root": Case(
        "N+1",
        "author = Author.objects.get(name='author 4')\n"
        "while author.mentor:\n    author = author.mentor",
        "Author.mentor was followed from row to row, 4 times, at line 2.",
        "Try Author.objects.in_bulk() once, and look up each mentor_id in it",
        "authors = Author.objects.in_bulk()\n"
        "author = max(authors.values(), key=lambda author: author.pk)\n"
        "while author.mentor_id:\n    author = authors[author.mentor_id]",
        1,
    ),
    "prefetched for one object at a time": Case(
        "N+1",
        "for author in Author.objects.all():\n    prefetch_related_objects([author], 'books')",
        "Author.books was prefetched for one object at a time, 9 times, at line 2.",
        "Fix: call prefetch_related_objects() once, with all the objects.",
        "authors = list(Author.objects.all())\nprefetch_related_objects(authors, 'books')",
        2,
    ),
    "prefetched for one object at a time, to one": Case(
        "N+1",
        "for book in Book.objects.iterator():\n    prefetch_related_objects([book], 'author')",
        "Book.author was prefetched for one object at a time, 14 times, at line 2.",
        "Fix: call prefetch_related_objects() once, with all the objects.",
        "books = list(Book.objects.all())\nprefetch_related_objects(books, 'author')",
        2,
    ),
    "prefetched for one object at a time, generic": Case(
        "N+1",
        "for book in Book.objects.all():\n    prefetch_related_objects([book], 'notes')",
        "Book.notes was prefetched for one object at a time, 14 times, at line 2.",
        "Fix: call prefetch_related_objects() once, with all the objects.",
        "books = list(Book.objects.all())\nprefetch_related_objects(books, 'notes')",
        2,
    ),
    "with await": Case(
        "N+1",
        "async for author in Author.objects.all():\n    await author.books.acount()",
        "Author.books was counted 9 times, at line 2.",
        'Try .annotate(Count("books"))',
        "async for author in Author.objects.annotate(Count('books')):\n    author.books__count",
        1,
    ),
}

AFTER_PREFETCH = {
    "a filter": Case(
        "After prefetch",
        "for author in Author.objects.prefetch_related('books'):\n"
        "    list(author.books.filter(title__endswith='.1'))",
        "Author.books was prefetched, then queried 9 times more, at line 2.",
        'Fix: filter and sort in Prefetch("books", queryset=…, to_attr=…), or in Python.',
        "for author in Author.objects.prefetch_related('books'):\n"
        "    [book for book in author.books.all() if book.title.endswith('.1')]",
        2,
    ),
    "first() of rows without an order": Case(
        "After prefetch",
        "for book in Book.objects.prefetch_related('tags'):\n    book.tags.first()",
        "Book.tags was prefetched, then queried 14 times more, at line 2.",
        'with Prefetch("tags", queryset=….order_by(…)): then .first() runs no query.',
        "tags = Prefetch('tags', queryset=Tag.objects.order_by('pk'))\n"
        "for book in Book.objects.prefetch_related(tags):\n    book.tags.first()",
        2,
    ),
    "first() of a relation without a related name": Case(
        "After prefetch",
        "for author in Author.objects.prefetch_related('author_set'):\n"
        "    author.author_set.order_by('name').first()",
        "Author.author_set was prefetched, then queried 9 times more, at line 2.",
        "or in Python",
        "for author in Author.objects.prefetch_related('author_set'):\n"
        "    min(author.author_set.all(), key=lambda each: each.name, default=None)",
        2,
    ),
    "count() of a filter": Case(
        "After prefetch",
        "for author in Author.objects.prefetch_related('books'):\n"
        "    author.books.filter(title='x').count()",
        "Author.books was prefetched, then queried 9 times more, at line 2.",
        "to_attr=…), or in Python",
        "for author in Author.objects.prefetch_related('books'):\n"
        "    sum(book.title == 'x' for book in author.books.all())",
        2,
    ),
    "exists() of a filter": Case(
        "After prefetch",
        "for author in Author.objects.prefetch_related('books'):\n"
        "    author.books.filter(title='x').exists()",
        "Author.books was prefetched, then queried 9 times more, at line 2.",
        ".exists() and .contains() run no query",
        "for author in Author.objects.prefetch_related('books'):\n"
        "    any(book.title == 'x' for book in author.books.all())",
        2,
    ),
}

REPEATED = {
    "same query, same parameters, in a loop": Case(
        "Repeated",
        "for _ in range(4):\n    Book.objects.filter(title='x').count()",
        "The same query ran 4 times with the same parameters, at line 2.",
        "Fix: run it once and keep the result.",
        "found = Book.objects.filter(title='x').count()\nfor _ in range(4):\n    found",
        1,
    ),
    "same query, same parameters, on two lines": Case(
        "Repeated",
        "books = Book.objects.all()\nlen(books.all())\nlen(books.all())",
        "The same query ran 2 times with the same parameters, at lines 2 and 3.",
        "Fix: run it once and keep the result.",
        "books = Book.objects.all()\nlen(books)\nlen(books)",
        1,
    ),
    "the same, consumed in different ways": Case(
        "Repeated",
        "books = Book.objects.all()\nlen(books.all())\nfor book in books.all():\n    pass",
        "The same query ran 2 times with the same parameters, at lines 2 and 3.",
        "Fix: run it once and keep the result.",
        "books = Book.objects.all()\nlen(books)\nfor book in books:\n    pass",
        1,
    ),
    "a helper called again": Case(
        "Repeated",
        "def total():\n    return Book.objects.count()\nprint(total())\nprint(total() + 1)",
        "The same query ran 2 times with the same parameters, at line 2.",
        "Fix: run it once and keep the result.",
        "found = total()\nprint(found)\nprint(found + 1)",
        1,
    ),
    "a query given to a function, twice": Case(
        "Repeated",
        "def show(books):\n    print(len(books))\nbooks = Book.objects.all()\n"
        "show(books.all())\nshow(books.all())",
        "The same query ran 2 times with the same parameters, at line 2.",
        "Fix: run it once and keep the result.",
        "books = Book.objects.all()\nshow(books)\nshow(books)",
        1,
    ),
    "a relation of one object, in two methods": Case(
        "Repeated",
        "def first(self):\n    return self.books.count()\n"
        "def second(self):\n    return 1 + self.books.count()\n"
        "author = Author.objects.first()\nfirst(author)\nsecond(author)",
        "The same query ran 2 times with the same parameters, at lines 2 and 4.",
        "Fix: run it once and keep the result.",
        "total = Author.objects.first().books.count()",
        2,
    ),
    "a relation of one object, on two lines": Case(
        "Repeated",
        "book = Book.objects.first()\nlist(book.tags.all())\nlen(book.tags.all())",
        "The same query ran 2 times with the same parameters, at lines 2 and 3.",
        "Fix: run it once and keep the result.",
        "tags = list(Book.objects.first().tags.all())\nlen(tags)",
        2,
    ),
    "a relation of one object, in a loop": Case(
        "Repeated",
        "author = Author.objects.first()\nfor n in range(5):\n    author.books.count()",
        "Author.books was queried 5 times for one and the same Author, at line 3.",
        "Fix: run it once and keep the result.",
        "total = Author.objects.first().books.count()\nfor n in range(5):\n    total",
        2,
    ),
    "not understood, and said so": Case(
        "Repeated",
        "for n in range(4):\n    list(Book.objects.filter(title__gte=f'book {n}.1')[:2])",
        "One statement ran 4 times, at line 2, with different parameters.",
        "",
        "list(Book.objects.all())",
        1,
    ),
    "rows looked up by a field": Case(
        "Repeated",
        "titles = ['book 1.1', 'book 2.1', 'book 3.1']\n"
        "books = [Book.objects.get(title=title) for title in titles]",
        "One statement ran 3 times, at line 2, with different parameters.",
        "Try one query before the loop: Book.objects.filter(title__in=…).",
        "books = Book.objects.filter(title__in=titles)\nfor book in books:\n    pass",
        1,
    ),
    "rows looked up by primary key": Case(
        "Repeated",
        "keys = list(Book.objects.values_list('pk', flat=True))\n"
        "for key in keys:\n    Book.objects.get(pk=key)",
        "One statement ran 14 times, at line 3, with different parameters.",
        "Try one query before the loop: Book.objects.in_bulk(…).",
        "books = Book.objects.in_bulk(keys)\nfor key in keys:\n    books[key]",
        1,
    ),
    "rows looked up with a shortcut": Case(
        "Repeated",
        "for title in ['book 1.1', 'book 2.1', 'book 3.1']:\n"
        "    get_object_or_404(Book, title=title)",
        "One statement ran 3 times, at line 2, with different parameters.",
        "Try one query before the loop: Book.objects.filter(title__in=…).",
        "len(Book.objects.filter(title__in=['book 1.1', 'book 2.1', 'book 3.1']))",
        1,
    ),
    "looked up by a foreign key, with another condition": Case(
        "Repeated",
        "for author in Author.objects.all():\n"
        "    list(Book.objects.filter(author=author, title='x'))",
        "One statement ran 9 times, at line 2, with different parameters.",
        "Try one query before the loop: Book.objects.filter(…, author__in=…).",
        "len(Book.objects.filter(title='x', author__in=Author.objects.all()))",
        1,
    ),
    "looked up by a field of another table": Case(
        "Repeated",
        "for name in ['author 1', 'author 2', 'author 3']:\n"
        "    Book.objects.filter(author__name=name).exists()",
        "One statement ran 3 times, at line 2, with different parameters.",
        "Try one query before the loop: Book.objects.filter(author__name__in=…).",
        "len(Book.objects.filter(author__name__in=['author 1', 'author 2', 'author 3']))",
        1,
    ),
    "looked up by a field of the parent model": Case(
        "Repeated",
        "for n in range(4):\n    Novelist.objects.filter(name=f'novelist {n}').first()",
        "One statement ran 4 times, at line 2, with different parameters.",
        "Try one query before the loop: Novelist.objects.filter(name__in=…).",
        "len(Novelist.objects.filter(name__in=[f'novelist {n}' for n in range(4)]))",
        1,
    ),
    "counted by a field": Case(
        "Repeated",
        "for author in Author.objects.all():\n    Book.objects.filter(author=author).count()",
        "One statement ran 9 times, at line 2, with different parameters.",
        'Try one query before the loop: Book.objects.values("author").annotate(Count("pk")).',
        'dict(Book.objects.values_list("author").annotate(Count("pk")))',
        1,
    ),
    "one after the other": Case(
        "Repeated",
        "author = Author.objects.get(name='author 3')\n"
        "for _ in range(3):\n    author = Author.objects.get(pk=author.mentor_id)",
        "One statement ran 3 times, at line 3, with different parameters.",
        "",
        "authors = Author.objects.in_bulk()",
        1,
    ),
    "objects loaded again": Case(
        "Repeated",
        "for book in Book.objects.all():\n    book.refresh_from_db()",
        "One statement ran 14 times, at line 2, with different parameters.",
        "Try one query before the loop: Book.objects.in_bulk(…).",
        "Book.objects.in_bulk()",
        1,
    ),
    "raw SQL, the same again": Case(
        "Repeated",
        "for _ in range(3):\n    run(f'SELECT COUNT(*) FROM {table}')",
        "The same query ran 3 times with the same parameters, at line 2.",
        "Fix: run it once and keep the result.",
        "run(f'SELECT COUNT(*) FROM {table}')",
        1,
    ),
    "a library's method": Case(
        "N+1",
        "for issue in Issue.objects.filter(number=3):\n    issue.predecessor()",
        "Issue.predecessor() ran 4 queries, at line 2.",
        "Try one query before the loop: Issue.objects.filter(…, magazine__in=…).",
        "len(Issue.objects.filter(number=2))",
        1,
    ),
    "a library's property": Case(
        "N+1",
        "for issue in Issue.objects.filter(number=3):\n    issue.next_number",
        "Issue.next_number ran 4 queries, at line 2.",
        "",
        "dict(Issue.objects.values_list('magazine').annotate(Max('number')))",
        1,
    ),
    "a library's property, by a function of another name": Case(
        "N+1",
        "for issue in Issue.objects.filter(number=3):\n    issue.following",
        "Issue.following ran 4 queries, at line 2.",
        "",
        "dict(Issue.objects.values_list('magazine').annotate(Max('number')))",
        1,
    ),
    "rows looked up by a library's method, several at a time": Case(
        "Repeated",
        "for issue in Issue.objects.filter(number=3):\n    list(issue.earlier())",
        "One statement ran 4 times, at line 2, with different parameters.",
        "",
        "list(Issue.objects.filter(number__lt=3))",
        1,
    ),
}

ONE_BY_ONE = {
    "created": Case(
        "One by one",
        "for n in range(4):\n    Tag.objects.create(word=str(n))",
        "create() ran 4 queries on Tag, at line 2.",
        "Try Tag.objects.bulk_create([…]): it calls no save() and sends no signals.",
        "Tag.objects.bulk_create([Tag(word=str(n)) for n in range(4)])",
        1,
    ),
    "saved for the first time": Case(
        "One by one",
        "for n in range(4):\n    Tag(word=str(n)).save()",
        "save() ran 4 queries on Tag, at line 2.",
        "Try Tag.objects.bulk_create([…])",
        "Tag.objects.bulk_create([Tag(word=str(n)) for n in range(4)])",
        1,
    ),
    "created by a related manager": Case(
        "One by one",
        "author = Author.objects.first()\nfor n in range(4):\n    author.books.create(title=n)",
        "create() ran 4 queries on Author.books, at line 3.",
        "Try Book.objects.bulk_create([…])",
        "author = Author.objects.first()\n"
        "Book.objects.bulk_create([Book(title=n, author=author) for n in range(4)])",
        2,
    ),
    "created as tags of a book": Case(
        "One by one",
        "book = Book.objects.first()\nfor n in range(4):\n    book.tags.create(word=n)",
        "create() ran 8 queries on Book.tags, at line 3.",
        "Try Tag.objects.bulk_create([…]), then Book.tags.through.objects.bulk_create([…]",
        "book = Book.objects.first()\n"
        "tags = Tag.objects.bulk_create([Tag(word=n) for n in range(4)])\n"
        "through = Book.tags.through\n"
        "through.objects.bulk_create([through(book=book, tag=tag) for tag in tags])",
        3,
    ),
    "saved": Case(
        "One by one",
        "for tag in Tag.objects.all():\n    tag.word += '!'\n    tag.save()",
        "save() ran 3 queries on Tag, at line 3.",
        "Try Tag.objects.bulk_update(objects, fields) after the loop",
        "tags = list(Tag.objects.all())\nfor tag in tags:\n    tag.word += '!'\n"
        "Tag.objects.bulk_update(tags, ['word'])",
        2,
    ),
    "updated": Case(
        "One by one",
        "for n, word in enumerate(['sea', 'war', 'love']):\n"
        "    Tag.objects.filter(word=word).update(word=n)",
        "update() ran 3 queries on Tag, at line 2.",
        "Try one .update() for all the rows: with .filter(pk__in=…) if they get the same values, "
        "with Case() and When() if not.",
        "Tag.objects.update(word=Case(When(word='sea', then=Value('0')), default=Value('1')))",
        1,
    ),
    "updated by a related manager": Case(
        "One by one",
        "for author in Author.objects.all():\n    author.books.update(summary='x')",
        "update() ran 9 queries on Author.books, at line 2.",
        "Try one .update() for all the rows",
        "Book.objects.filter(author__in=Author.objects.all()).update(summary='x')",
        1,
    ),
    "deleted": Case(
        "One by one",
        "for note in Note.objects.all():\n    note.delete()",
        "delete() ran 15 queries on Note, at line 2.",
        "Try Note.objects.filter(pk__in=…).delete() for all of them.",
        "Note.objects.all().delete()",
        1,
    ),
    "deleted by a related manager": Case(
        "One by one",
        "for tag in Tag.objects.all():\n    tag.books.filter(title='x').delete()",
        "delete() ran 3 queries on Tag.books, at line 2.",
        "Try Book.objects.filter(pk__in=…).delete() for all of them.",
        "Book.objects.filter(title='x').delete()",
        1,
    ),
    "got or created, where nothing is unique": Case(
        "One by one",
        "for word in ['sea', 'a', 'b', 'c']:\n    Tag.objects.get_or_create(word=word)",
        "get_or_create() ran 7 queries on Tag, at line 2.",
        "Try one Tag.objects.filter(word__in=…) for the rows that exist, .bulk_create() for those "
        "that do not.",
        "words = ['sea', 'a', 'b', 'c']\n"
        "known = {tag.word for tag in Tag.objects.filter(word__in=words)}\n"
        "Tag.objects.bulk_create([Tag(word=word) for word in words if word not in known])",
        2,
    ),
    "got or created, where the field is unique": Case(
        "One by one",
        "for n in range(4, 8):\n    Publisher.objects.get_or_create(name=f'publisher {n}')",
        "get_or_create() ran 7 queries on Publisher, at line 2.",
        "Try Publisher.objects.bulk_create([…], ignore_conflicts=True), then one "
        ".filter(name__in=…) for the objects.",
        "names = [f'publisher {n}' for n in range(4, 8)]\n"
        "Publisher.objects.bulk_create([Publisher(name=n) for n in names], ignore_conflicts=True)\n"
        "len(Publisher.objects.filter(name__in=names))",
        2,
    ),
    "updated or created": Case(
        "One by one",
        "for n in range(4, 8):\n    Publisher.objects.update_or_create(name=f'publisher {n}')",
        "update_or_create() ran 7 queries on Publisher, at line 2.",
        "Try Publisher.objects.bulk_create([…], update_conflicts=True, ",
        "by = ['name'] if connection.vendor != 'mysql' else None\n"
        "Publisher.objects.bulk_create([Publisher(name=f'publisher {n}') for n in range(4, 8)],\n"
        "    update_conflicts=True, unique_fields=by, update_fields=['name'])",
        1,
    ),
    "added to one object": Case(
        "One by one",
        "book = Book.objects.first()\nfor tag in Tag.objects.all():\n    book.tags.add(tag)",
        " on Book.tags, at line 3.",
        "Try one call for all of them: .tags.add(*objects).",
        "book = Book.objects.first()\nbook.tags.add(*Tag.objects.all())",
        3,
    ),
    "added to many objects": Case(
        "One by one",
        "tag = Tag.objects.first()\nfor book in Book.objects.all():\n    book.tags.add(tag)",
        " on Book.tags, at line 3.",
        "Try Book.tags.through.objects.bulk_create([…], ignore_conflicts=True).",
        "tag, through = Tag.objects.first(), Book.tags.through\n"
        "links = [through(book=book, tag=tag) for book in Book.objects.all()]\n"
        "Book.tags.through.objects.bulk_create(links, ignore_conflicts=True)",
        3,
    ),
    "set": Case(
        "One by one",
        "tags = list(Tag.objects.all()[:2])\n"
        "for book in Book.objects.all():\n    book.tags.set(tags)",
        " on Book.tags, at line 3.",
        "Try Book.tags.through.objects.filter(…).delete(), then Book.tags.through.objects.bulk_",
        "through = Book.tags.through\nthrough.objects.filter(book__title='x').delete()\n"
        "through.objects.bulk_create([], ignore_conflicts=True)",
        1,
    ),
    "cleared": Case(
        "One by one",
        "for tag in Tag.objects.all():\n    tag.books.clear()",
        "clear() ran 3 queries on Tag.books, at line 2.",
        "Try Tag.books.through.objects.filter(…).delete() for all of them.",
        "Tag.books.through.objects.filter(tag__in=Tag.objects.all()).delete()",
        1,
    ),
    "written by raw SQL": Case(
        "One by one",
        "for n in range(4):\n    run(f'INSERT INTO {table} (word) VALUES (%s)', [n])",
        "One INSERT ran 4 times, at line 2, with different parameters.",
        "Try cursor.executemany(), with a list of the parameters.",
        "connection.cursor().executemany(f'INSERT INTO {table} (word) VALUES (%s)', [[1], [2]])",
        1,
    ),
}

CASES = {
    f"{kind}: {name}": case
    for kind, cases in {
        "followed": FOLLOWED,
        "after a prefetch": AFTER_PREFETCH,
        "repeated": REPEATED,
        "one by one": ONE_BY_ONE,
    }.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_repetition_is_named_and_the_fix_removes_it(case, told):
    shown = told(f"%rollback\n{case.code}")
    assert shown.result.success, shown.printed
    says = one_line_lower(case.says)
    assert [title for title, sentence in shown.findings if says in sentence] == [case.title], (
        shown.report
    )
    assert case.fix in " ".join(shown.report.split())

    fixed = told(f"%rollback\n{case.fixed}")
    assert fixed.result.success, fixed.printed
    assert fixed.findings == [], fixed.report
    assert fixed.headline.startswith(f"{case.queries} quer"), fixed.report


def one_line_lower(sentence):
    """The sentence for a cell that begins with a magic."""
    return re.sub(r"(lines?|and) (\d+)", lambda m: f"{m[1]} {int(m[2]) + 1}", sentence)


def test_a_template_that_is_given_a_queryset_of_an_earlier_cell(told):
    told(
        "books = Book.objects.all()\n"
        "page = Template('{% for book in books %}{% for tag in book.tags.all %}{{ tag }}'\n"
        "                '{% endfor %}{% endfor %}')"
    )
    shown = told("text = page.render(Context({'books': books}))")
    assert shown.findings == [("N+1", "Book.tags was fetched 14 times, at line 1.")]


def test_lazy_objects_are_not_evaluated_by_being_watched(told):
    told(
        "from django.utils.functional import SimpleLazyObject\n"
        "def lazy(n):\n"
        "    return SimpleLazyObject(lambda: Author.objects.get(name=f'author {n}'))"
    )
    assert told("lazy(1).name").headline.startswith("1 query")
    assert told("for n in range(4):\n    lazy(n).name").headline.startswith("4 queries")
    assert told("for n in range(4):\n    lazy(n).save()").headline.startswith("8 queries")


# What the report says is true, and no change at this line would take it away.
WITHOUT_A_FIX = {
    "of objects that the same call loads": (
        "for magazine in Magazine.objects.all():\n    magazine.neighbours()",
        "Magazine.issues was fetched 12 times, at line 2.",
    ),
    "counted by what a library looks up": (
        "for issue in Issue.objects.filter(number=3):\n    issue.itself().count()",
        "One statement ran 4 times",
    ),
}


@pytest.mark.parametrize(("code", "says"), WITHOUT_A_FIX.values(), ids=WITHOUT_A_FIX)
def test_no_fix_is_told_where_none_is_known(code, says, told):
    shown = told(code)
    assert any(says in sentence for _, sentence in shown.findings), shown.report
    assert "Try " not in shown.report
    assert "Fix: " not in shown.report


def test_the_line_of_a_function_defined_in_an_earlier_cell(library_cell):
    library_cell("def name(book):\n    return book.author.name")
    shown = library_cell("for book in Book.objects.all():\n    name(book)")
    assert shown.findings == [("N+1", "Book.author was fetched 10 times, at line 2 of cell [3].")]
    assert "return book.author.name" in shown.report


def test_a_relation_of_objects_from_an_earlier_cell(library_cell):
    library_cell("books = list(Book.objects.all())")
    shown = library_cell("for book in books:\n    book.author")
    assert 'Try .select_related("author") where the Book objects are loaded' in shown.report


def test_a_chain_of_relations_is_fixed_by_one_path(library_cell):
    shown = library_cell("for book in Book.objects.all():\n    book.author.passport.number")
    assert shown.findings == [
        ("N+1", "Book.author was fetched 10 times, at line 2."),
        ("N+1", "Author.passport was fetched 10 times, at line 2."),
    ]
    assert 'Try .select_related("author__passport")' in shown.report
    fixed = library_cell(
        'for book in Book.objects.select_related("author__passport"):\n    book.author.passport'
    )
    assert fixed.headline == "1 query · 10 rows"


SILENT = {
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
        "a, b, c = Book.objects.all()[:3]\n"
        "text = Template('{{ a.author }} {{ b.author }} {{ c.author }}').render(\n"
        "    Context({'a': a, 'b': b, 'c': c}))"
    ),
    "a helper called three times by hand": (
        "def author_of(book):\n    return book.author\n"
        "a, b, c = Book.objects.all()[:3]\n"
        "author_of(a)\nauthor_of(b)\nauthor_of(c)"
    ),
    "objects loaded one by one, by hand": (
        "a = Author.objects.filter(name='author 1').first()\n"
        "b = Author.objects.filter(name='author 2').first()\n"
        "c = Author.objects.filter(name='author 3')[0]\n"
        "a.passport\nb.passport\nc.passport\n"
        "list(a.books.all())\nlist(b.books.all())\nlist(c.books.all())\n"
        "a.notes.first()\nb.notes.first()\nc.notes.first()"
    ),
    "a loop over two rows": "for book in Book.objects.all()[:2]:\n    book.author",
    "a queryset evaluated once and read again": (
        "tags = Book.objects.first().tags.all()\nlist(tags)\nlist(tags)"
    ),
    "a generic foreign key to nothing": (
        "Note.objects.bulk_create(Note(text=n) for n in range(4))\n"
        "for note in Note.objects.filter(object_id=None):\n    note.about"
    ),
    "a generic foreign key read again": (
        "note = Note.objects.first()\nnote.about\nnote.about\nnote.about"
    ),
    # Rows may be read in a later cell: that nobody used them yet proves nothing.
    "a prefetch that nobody used": "authors = list(Author.objects.prefetch_related('books'))",
    "a select_related that nobody used": "books = list(Book.objects.select_related('author'))",
    "a prefetch where a join would do": (
        "for book in Book.objects.prefetch_related('author', 'publisher'):\n"
        "    book.author, book.publisher"
    ),
    "prefetched rows, used in each way they can": (
        "book = Book.objects.first()\n"
        "for author in Author.objects.prefetch_related('books'):\n"
        "    author.books.all()[:1], author.books.all()[0:5:2], len(author.books.all())\n"
        "    author.books.count(), author.books.exists(), author.books.contains(book)\n"
        "    bool(author.books.all()), book in author.books.all()"
    ),
    "the first of prefetched rows that are sorted": (
        "books = Prefetch('books', queryset=Book.objects.order_by('title'))\n"
        "for author in Author.objects.prefetch_related(books):\n    author.books.first()"
    ),
    "the first of prefetched rows that their manager sorts": (
        "for book in Book.objects.prefetch_related('reviews'):\n    book.reviews.first()"
    ),
    "a count before and after a write": (
        "Tag.objects.count()\nTag.objects.create(word='new')\nTag.objects.count()"
    ),
    "a count after each write of a loop": (
        "for n in range(4):\n"
        "    Tag.objects.filter(word='x').exists()\n"
        "    run('DELETE FROM ' + table + ' WHERE 1 = 0')"
    ),
    "a count of one object after each write": (
        "author = Author.objects.first()\n"
        "for n in range(4):\n    author.books.count()\n"
        "    run('DELETE FROM ' + table + ' WHERE 1 = 0')"
    ),
    "the same read in two transactions": (
        "for n in range(3):\n    with transaction.atomic():\n        Tag.objects.count()"
    ),
    "a write in a WITH between two reads": (
        "Tag.objects.count()\n"
        "if connection.vendor == 'postgresql':\n"
        "    run(f'WITH a AS (SELECT 1) UPDATE {table} SET word = word')\n"
        "else:\n    run(f'UPDATE {table} SET word = word')\n"
        "Tag.objects.count()"
    ),
    "statements that set something": (
        "for n in range(4):\n"
        "    run('PRAGMA foreign_keys' if connection.vendor == 'sqlite' else 'SET @x = 1'"
        " if connection.vendor == 'mysql' else 'SET work_mem = 4096')"
    ),
    "waiting for a row": (
        "turns = 0\n"
        "while not Tag.objects.filter(word='new').exists():\n"
        "    turns += 1\n    if turns > 4:\n        break"
    ),
    "two spellings of one query, compared": (
        "print(Tag.objects.order_by().first())\nprint(Tag.objects.order_by().last())"
    ),
    "two lookups that are one, compared": (
        "print(Book.objects.filter(publisher=None).count())\n"
        "print(Book.objects.filter(publisher__isnull=True).count())"
    ),
    "two spellings of one query, compared in a loop": (
        "spellings = [Book.objects.filter(pk=1), Book.objects.filter(pk__in=[1])[:99],"
        " Book.objects.filter(pk=1)]\n"
        "for books in spellings:\n    len(books)"
    ),
    "two spellings of one query, under one name": (
        "books = Book.objects.filter(publisher=None)\nprint(len(books))\n"
        "books = Book.objects.filter(publisher__isnull=True)\nprint(len(books))"
    ),
    "two spellings of one query, given to a function": (
        "def show(books):\n    print(len(books))\n"
        "show(Book.objects.filter(publisher=None))\n"
        "show(Book.objects.filter(publisher__isnull=True))"
    ),
    "several prefetches": "list(Author.objects.prefetch_related('books__tags', 'passport'))",
    "FETCH_PEERS": "for book in Book.objects.fetch_mode(FETCH_PEERS):\n    book.author",
    "FETCH_PEERS on a deferred field": (
        "for book in Book.objects.defer('summary').fetch_mode(FETCH_PEERS):\n    book.summary"
    ),
    "in_bulk and aggregates": (
        "Book.objects.in_bulk([1, 2])\nBook.objects.aggregate(Count('pk'))\n"
        "list(Author.objects.annotate(n=Count('books')))"
    ),
    "random order twice": "list(Book.objects.order_by('?'))\nlist(Book.objects.order_by('?'))",
    "a function of the database's that we do not know": (
        "for n in range(3):\n"
        "    run('SELECT ' + {'sqlite': 'total_changes()', 'mysql': 'last_insert_id()'}.get("
        "connection.vendor, 'txid_current()'))"
    ),
    "bulk_create in batches": (
        "Tag.objects.bulk_create([Tag(word=str(n)) for n in range(9)], batch_size=2)"
    ),
    "bulk_create in a loop": (
        "for n in range(4):\n    Tag.objects.bulk_create([Tag(word=str(n)), Tag(word='x')])"
    ),
    "bulk_update in batches": "Tag.objects.bulk_update(Tag.objects.all(), ['word'], batch_size=1)",
    "in_bulk in a loop": "for n in range(4):\n    Tag.objects.in_bulk([n, n + 1, n + 2])",
    "rows looked up in batches": (
        "keys = list(range(12))\n"
        "for n in range(0, 12, 3):\n    Tag.objects.filter(pk__in=keys[n : n + 3]).count()"
    ),
    "a big delete": (
        "Note.objects.bulk_create(Note(text=n) for n in range(450))\nAuthor.objects.all().delete()"
    ),
    "a delete that cascades": "Author.objects.filter(name='author 1').delete()",
    "get_or_create, update_or_create": (
        "Tag.objects.get_or_create(word='sea')\nTag.objects.update_or_create(word='war')"
    ),
    "a table emptied in each turn": (
        "for n in range(4):\n    Note.objects.all().delete()\n    Note.objects.update(text='x')"
    ),
    "set() on one object": "Book.objects.first().tags.set(Tag.objects.all()[:1])",
    "child models created": ("for n in range(4):\n    Novelist.objects.create(name=n, pen_name=n)"),
    "checking objects": (
        "for book in Book.objects.all():\n    book.full_clean(exclude=['publisher'])"
    ),
    "a library's loop over what it loads itself": "found = Tag.everything()",
    "a library's loop": "siblings = Issue.objects.first().siblings()",
    "pages": "for page in Paginator(Book.objects.order_by('pk'), 4):\n    len(page)",
    "two prefetched relations read": (
        "for author in Author.objects.prefetch_related('books').select_related('passport'):\n"
        "    list(author.books.all()), author.books.count(), author.passport"
    ),
    "pages of one query": "books = Book.objects.order_by('pk')\nlist(books[:3])\nlist(books[3:6])",
    "an iterator in chunks": "sum(1 for book in Book.objects.iterator(chunk_size=2))",
    "an iterator in chunks, with a prefetch": (
        "for author in Author.objects.prefetch_related('books').iterator(chunk_size=2):\n"
        "    list(author.books.all())"
    ),
    "refreshing two objects": (
        "a, b = Author.objects.all()[:2]\na.refresh_from_db()\nb.refresh_from_db()"
    ),
    "savepoints": (
        "with transaction.atomic():\n    with transaction.atomic():\n        Tag.objects.count()"
    ),
    "awaits on different lines": (
        "await Book.objects.aget(title='book 1.1')\n"
        "await Book.objects.aget(title='book 2.1')\n"
        "await Book.objects.aget(title='book 3.1')"
    ),
    "awaits gathered": (
        "await asyncio.gather(Book.objects.acount(), Tag.objects.acount(), Author.objects.acount())"
    ),
    "schema": "for n in range(4):\n    connection.introspection.table_names()",
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_no_false_alarm(code, told):
    shown = told(f"%rollback\n{code}")
    assert shown.result.success, shown.printed
    assert " quer" in shown.headline
    assert shown.findings == [], shown.report


def test_work_in_batches_is_called_so(told):
    shown = told("Tag.objects.bulk_create([Tag(word=str(n)) for n in range(9)], batch_size=3)")
    assert "    line 1 · in 3 batches" in shown.report
    shown = told("for n in range(0, 9, 3):\n    len(Tag.objects.filter(pk__in=range(n, n + 3)))")
    assert "    line 2 · in 3 batches" in shown.report


def test_two_questions_about_the_same_rows_are_no_batches(told):
    shown = told(
        "for other in ('Rust', 'SQL'):\n"
        "    list(Tag.objects.filter(pk__in=[1, 2, 3]).exclude(word=other))"
    )
    assert "batches" not in shown.report


async def _three_awaits():
    await library.Tag.objects.aget(word="sea")
    await library.Tag.objects.aget(word="war")
    await library.Tag.objects.aget(word="love")


async def _loop_of_awaits():
    for word in ("sea", "war", "love"):
        await library.Tag.objects.aget(word=word)


@pytest.mark.django_db
@pytest.mark.usefixtures("library_tables")
def test_awaits_without_a_notebook_are_told_apart_by_their_lines():
    library.fill()
    with queries() as q:
        async_to_sync(_three_awaits)()
    assert q.count == 3
    assert diagnosis.diagnose(q) == []
    assert len({query.line for query in q.queries}) == 3
    with queries() as q:
        async_to_sync(_loop_of_awaits)()
    (finding,) = diagnosis.diagnose(q)
    assert finding.sentence.startswith("One statement ran 3 times, at line ")
    assert finding.code == "await library.Tag.objects.aget(word=word)"


UNREAD = {
    "a join": (
        "for book in Book.objects.select_related('author'):\n    book.title",
        "Book.author was joined to 10 rows, and never read, at line 1.",
        'leave out .select_related("author")',
        "for book in Book.objects.all():\n    book.title",
    ),
    "a join, where the id is enough": (
        "[book.author_id for book in Book.objects.select_related('author')]",
        "Book.author was joined to 10 rows, and never read, at line 1.",
        'leave out .select_related("author")',
        "[book.author_id for book in Book.objects.all()]",
    ),
    "a join to a one-to-one, backwards": (
        "for author in Author.objects.select_related('passport'):\n    author.name",
        "Author.passport was joined to 5 rows, and never read, at line 1.",
        'leave out .select_related("passport")',
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
        'leave out .prefetch_related("books")',
        "for author in Author.objects.all():\n    author.name",
    ),
    "a prefetch in chunks": (
        "[a.name for a in Author.objects.prefetch_related('books').iterator(chunk_size=3)]",
        "Author.books was prefetched (6 rows), and never read, at line 1.",
        'leave out .prefetch_related("books")',
        "[a.name for a in Author.objects.iterator(chunk_size=3)]",
    ),
    "a prefetch of many-to-many, backwards": (
        "words = [tag.word for tag in Tag.objects.prefetch_related('books')]",
        "Tag.books was prefetched (20 rows), and never read, at line 1.",
        'leave out .prefetch_related("books")',
        "words = [tag.word for tag in Tag.objects.all()]",
    ),
    "a prefetch to one": (
        "for book in Book.objects.prefetch_related('author'):\n    book.title",
        "Book.author was prefetched (5 rows), and never read, at line 1.",
        'leave out .prefetch_related("author")',
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
        'leave out .prefetch_related("books")',
        "kept[0].author",
    ),
    "a prefetch below a join": (
        "for passport in Passport.objects.select_related('author')"
        ".prefetch_related('author__books'):\n    passport.author.name",
        "Author.books was prefetched (10 rows), and never read, at line 1.",
        'Fix: leave out .prefetch_related("author__books").',
        "for passport in Passport.objects.select_related('author'):\n    passport.author.name",
    ),
    "a prefetch of a many-to-many to itself, backwards": (
        "for author in Author.objects.prefetch_related('author_set'):\n    author.name",
        "Author.author_set was prefetched (10 rows), and never read, at line 1.",
        'Fix: leave out .prefetch_related("author_set").',
        "for author in Author.objects.all():\n    author.name",
    ),
    "a prefetch of a generic relation": (
        "for book in Book.objects.prefetch_related('notes'):\n    book.title",
        "Book.notes was prefetched (10 rows), and never read, at line 1.",
        'Fix: leave out .prefetch_related("notes").',
        "for book in Book.objects.all():\n    book.title",
    ),
    "a prefetch by function": (
        "from django.db.models import prefetch_related_objects\n"
        "prefetch_related_objects(list(Book.objects.all()), 'tags')",
        "Book.tags was prefetched (20 rows), and never read, at line 2.",
        'Fix: leave "tags" out of prefetch_related_objects().',
        "len(Book.objects.all())",
    ),
    "a list that is thrown away": (
        "len(list(Author.objects.prefetch_related('books')))",
        "Author.books was prefetched (10 rows), and never read, at line 1.",
        'leave out .prefetch_related("books")',
        "len(list(Author.objects.all()))",
    ),
}


@pytest.mark.parametrize(("code", "says", "remedy", "fixed"), UNREAD.values(), ids=UNREAD)
def test_what_nobody_read_is_named_and_can_be_left_out(code, says, remedy, fixed, library_cell):
    shown = library_cell(code)
    assert shown.findings == [("Unread", says)], shown.report
    assert remedy in shown.report
    assert library_cell(fixed).findings == []


READ = {
    "where Django keeps it, to one": (
        "[b._state.fields_cache['author'] for b in Book.objects.select_related('author')]"
    ),
    "where Django keeps it, as a whole": (
        "[{**b._state.fields_cache} for b in Book.objects.select_related('author')]"
    ),
    "where Django keeps it, to many": (
        "[a._prefetched_objects_cache.get('books') for a in"
        " Author.objects.prefetch_related('books')]"
    ),
    "a look whether it is there": (
        "[book.author.name for book in Book.objects.select_related('author')"
        " if Book.author.field.is_cached(book)]"
    ),
    "by a descriptor of a library's": (
        "for magazine in Magazine.objects.prefetch_related('issues'):\n"
        "    len(magazine.issues.all())"
    ),
    "by a manager of a library's": (
        "for magazine in Magazine.objects.prefetch_related('labels'):\n"
        "    len(magazine.labels.all())"
    ),
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
    "a relation of the same name as an argument": (
        "for magazine in Magazine.with_issues():\n    dict(issues=magazine.name)"
    ),
    "prefetched by a library's method": (
        "for magazine in Magazine.with_issues():\n    magazine.name"
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
def test_what_is_read_or_may_be_is_not_called_unread(code, told):
    shown = told(code)
    assert shown.result.success or "1 / 0" in code, shown.printed
    assert shown.findings == []


def test_a_library_s_relation_that_nobody_read(told):
    shown = told("for magazine in Magazine.objects.prefetch_related('labels'):\n    magazine.name")
    assert shown.findings == [
        ("Unread", "Magazine.labels was prefetched (12 rows), and never read, at line 1.")
    ]
    shown = told("for magazine in Magazine.objects.prefetch_related('issues'):\n    magazine.name")
    assert shown.findings == [
        ("Unread", "Magazine.issues was prefetched (12 rows), and never read, at line 1.")
    ]


def test_objects_that_were_watched_can_be_pickled_and_loaded_elsewhere(told):
    shown = told(
        "import pickle\n"
        "books = list(Book.objects.select_related('author').prefetch_related('tags'))\n"
        "pickle.dumps(books)"
    )
    assert b"workbook.queries" not in shown.result.result
    assert "tags" in told("pickle.loads(_)[0]._prefetched_objects_cache").printed


def test_reading_in_one_cell_does_not_count_for_the_next(library_cell):
    reading = "for book in Book.objects.select_related('author'):\n    book.author.name"
    assert library_cell(reading).findings == []
    assert library_cell(reading.removesuffix(".author.name")).findings

"""A tiny library, with every kind of relation: models that only these tests know."""

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Author(models.Model):
    """Someone who writes."""

    name = models.CharField(max_length=50)

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A word books are found by."""

    word = models.CharField(max_length=50)

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.word


class Book(models.Model):
    """Has an author (foreign key), tags (many-to-many) and a long text to leave out."""

    title = models.CharField(max_length=50)
    summary = models.TextField(default="…")
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    tags = models.ManyToManyField(Tag, related_name="books")

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.title


class Passport(models.Model):
    """One-to-one."""

    author = models.OneToOneField(Author, models.CASCADE, related_name="passport")
    number = models.CharField(max_length=20)

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.number


class Note(models.Model):
    """A remark about any object (generic foreign key)."""

    text = models.CharField(max_length=50)
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveIntegerField()
    about = GenericForeignKey("content_type", "object_id")

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.text


MODELS = [Author, Tag, Book, Passport, Note]


def fill(authors: int = 5) -> None:
    """Authors with a passport, two books each, two tags a book, a note about each book."""
    ContentType.objects.clear_cache()  # another test may have rolled its rows back
    tags = [Tag.objects.create(word=word) for word in ("sea", "war", "love")]
    for n in range(authors):
        author = Author.objects.create(name=f"author {n}")
        Passport.objects.create(author=author, number=f"P{n}")
        for volume in (1, 2):
            book = Book.objects.create(title=f"book {n}.{volume}", author=author)
            book.tags.add(tags[n % 3], tags[(n + 1) % 3])
            Note.objects.create(text=f"on {book}", about=book)

"""A small library, with every kind of relation: models that only these tests know."""

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.fields.related_descriptors import (
    ReverseManyToOneDescriptor,
    create_reverse_many_to_one_manager,
)


class Author(models.Model):
    """Someone who writes; the relations to itself are the kinds that are easily mixed up."""

    name = models.CharField(max_length=50)
    mentor = models.ForeignKey("self", models.CASCADE, null=True, related_name="pupils")
    influences = models.ManyToManyField("self", symmetrical=False, related_name="influenced")
    rivals = models.ManyToManyField("self", symmetrical=False)  # backwards: author_set
    friends = models.ManyToManyField("self")
    notes = GenericRelation("Note")

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.name


class Novelist(Author):
    """A child model: it has its parent's fields and relations."""

    pen_name = models.CharField(max_length=50)

    class Meta:
        app_label = "workbook"


class Tag(models.Model):
    """A word books are found by."""

    word = models.CharField(max_length=50)

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.word


class Publisher(models.Model):
    """Named once; its books have no related name: book_set."""

    name = models.CharField(max_length=50, unique=True)

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    """Has an author (foreign key), tags (many-to-many) and a long text to leave out."""

    title = models.CharField(max_length=50)
    summary = models.TextField(default="…")
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    publisher = models.ForeignKey(Publisher, models.CASCADE, null=True)
    tags = models.ManyToManyField(Tag, related_name="books")
    notes = GenericRelation("Note")

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
    content_type = models.ForeignKey(ContentType, models.CASCADE, null=True)
    object_id = models.PositiveIntegerField(null=True)
    about = GenericForeignKey("content_type", "object_id")

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.text


class PublicManager(models.Manager):
    """Leaves some rows out, and sorts the others."""

    def get_queryset(self) -> models.QuerySet:
        return super().get_queryset().filter(public=True).order_by("text")


class Review(models.Model):
    """Its default manager shows not all of its rows."""

    book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
    text = models.CharField(max_length=50)
    public = models.BooleanField(default=True)

    objects = PublicManager()

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.text


class Shelf(models.Model):
    """Found by two columns."""

    room = models.IntegerField()
    number = models.IntegerField()

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return f"{self.room}.{self.number}"


class Copy(models.Model):
    """Names its shelf by two columns, without a foreign key in the database."""

    room = models.IntegerField()
    number = models.IntegerField()
    shelf = models.ForeignObject(
        Shelf,
        models.CASCADE,
        from_fields=["room", "number"],
        to_fields=["room", "number"],
        related_name="copies",
    )

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return f"a copy on {self.room}.{self.number}"


# Relations as some libraries make them.


class Labels(models.ManyToManyField):
    """A relation whose manager is no manager of Django's, as those of tags often are."""

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> object:
        return self if instance is None else LabelManager(self, instance)

    def contribute_to_class(self, cls: type[models.Model], name: str, **kwargs: object) -> None:
        super().contribute_to_class(cls, name, **kwargs)
        setattr(cls, name, self)


class LabelManager(models.Manager):
    """Looks where Django keeps prefetched rows, else queries; it leaves no mark on QuerySets."""

    def __init__(self, field: Labels, instance: models.Model) -> None:
        super().__init__()
        self.field, self.instance, self.model = field, instance, field.related_model

    def get_queryset(self) -> models.QuerySet:
        try:
            return self.instance._prefetched_objects_cache[self.field.name]
        except (AttributeError, KeyError):
            return self.model.objects.filter(magazine=self.instance)

    def names(self) -> models.QuerySet:
        return self.get_queryset().values_list("word", flat=True)

    def get_prefetch_querysets(self, instances: list, querysets: list | None = None) -> tuple:
        through = self.field.remote_field.through
        found = Tag.objects.filter(magazine__in=instances).extra(
            select={"magazine_id": f"{through._meta.db_table}.magazine_id"}
        )
        return (
            found,
            lambda tag: tag.magazine_id,
            lambda each: each.pk,
            False,
            self.field.name,
            False,
        )


class Children(ReverseManyToOneDescriptor):
    """A descriptor with a `__get__` of its own, as page editors have."""

    def __get__(self, instance: models.Model | None, cls: type | None = None) -> object:
        if instance is None:
            return self
        manager = create_reverse_many_to_one_manager(models.Manager, self.rel)
        return manager(instance)


class Magazine(models.Model):
    """Its labels and issues are the relations of such libraries."""

    name = models.CharField(max_length=50)
    labels = Labels(Tag)

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return self.name


class Issue(models.Model):
    """A number of a magazine."""

    magazine = models.ForeignKey(Magazine, models.CASCADE, related_name="issues")
    number = models.IntegerField()

    class Meta:
        app_label = "workbook"

    def __str__(self) -> str:
        return f"{self.magazine_id}/{self.number}"


Magazine.issues = Children(Issue._meta.get_field("magazine").remote_field)

# Methods that a library gives to its models: code of an installed package, for what we know.
exec(
    compile(
        """
def predecessor(self):
    return type(self).objects.get(number=self.number - 1, magazine=self.magazine_id)

def siblings(self):
    model = type(self)
    return [model.objects.get(number=n, magazine=self.magazine_id) for n in (1, 2, 3)]

def earlier(self):
    return type(self).objects.filter(number__in=range(self.number), magazine=self.magazine_id)

def itself(self):
    return type(self).objects.filter(id=self.id)

def next_number(self):
    return type(self).objects.filter(magazine=self.magazine_id).latest("number").number + 1

def wrapped(self):
    return self.next_number

def first_issues(self):
    return self.issues.filter(number__lt=3)

def total(self):
    return sum(issue.number for issue in self.issues.order_by("number"))

def with_issues(self):
    return self.objects.prefetch_related(self.issues.rel.related_name)

def neighbours(self):
    return [list(issue.magazine.issues.all()) for issue in self.issues.select_related("magazine")]

def everything():
    return [list(magazine.issues.all()) for magazine in Magazine.objects.all()]
""",
        "<a library>",
        "exec",
    )
)
Issue.predecessor, Issue.siblings = predecessor, siblings  # noqa: F821
Issue.earlier, Issue.itself = earlier, itself  # noqa: F821
Issue.next_number, Issue.following = property(next_number), property(wrapped)  # noqa: F821
Magazine.first_issues, Magazine.total = first_issues, property(total)  # noqa: F821
Magazine.with_issues = classmethod(with_issues)  # noqa: F821
Tag.everything = staticmethod(everything)  # noqa: F821
Magazine.neighbours = neighbours  # noqa: F821


MODELS = [
    *(Author, Novelist, Tag, Publisher, Book, Passport, Note, Review, Shelf, Copy),
    *(Magazine, Issue),
]


def fill(authors: int = 5) -> None:
    """Authors with a passport, two books each, two tags a book, a note about each book, …"""
    ContentType.objects.clear_cache()  # another test may have rolled its rows back
    tags = [Tag.objects.create(word=word) for word in ("sea", "war", "love")]
    publishers = [Publisher.objects.get_or_create(name=f"publisher {n}")[0] for n in range(5)]
    author = None
    for n in range(authors):
        author = Author.objects.create(name=f"author {n}", mentor=author)
        Passport.objects.create(author=author, number=f"P{n}")
        Note.objects.create(text=f"on {author}", about=author)
        for volume in (1, 2):
            publisher = publishers[n % 5]
            book = Book.objects.create(
                title=f"book {n}.{volume}", author=author, publisher=publisher
            )
            book.tags.add(tags[n % 3], tags[(n + 1) % 3])
            Note.objects.create(text=f"on {book}", about=book)
            Review.objects.create(book=book, text="good")
    everybody = list(Author.objects.order_by("pk"))
    for n, author in enumerate(everybody):
        author.influences.set(everybody[:n])
        author.rivals.set(everybody[n + 1 :])


def fill_more() -> None:
    """What only a few tests want: child models, two-column relations, those of libraries."""
    for n in range(4):
        novelist = Novelist.objects.create(name=f"novelist {n}", pen_name="X")
        Passport.objects.create(author=novelist, number=f"N{n}")
        Book.objects.create(title=f"novel {n}", author=novelist)
        Shelf.objects.create(room=1, number=n)
        Copy.objects.create(room=1, number=n)
        magazine = Magazine.objects.create(name=f"magazine {n}")
        for number in (1, 2, 3):
            Issue.objects.create(magazine=magazine, number=number)
        through = Magazine.labels.remote_field.through
        through.objects.bulk_create(
            through(magazine=magazine, tag=tag) for tag in Tag.objects.all()
        )

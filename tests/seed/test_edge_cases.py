"""The second shop: small, the same every time, each special case beside its opposite."""

from datetime import date

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Count, F

from seed import edge_cases
from seed.writer import shop_models
from shopdb.models import Category, Customer, Invoice, InvoiceProduct, Payment, Product, User
from tests.seed import invariants
from tests.seed.digest import shop_digest
from tests.seed.queries import FILTERS

LAST_DAY = date(2026, 6, 30)
VAT = {"sara": 20, "rahim": 20, "tim": 5, "jonas": 19, "sarah": 0, "zoe": 20, "RAOUL": 20}


@pytest.mark.usefixtures("small_shop")
class TestSmallShop:
    """True in its own order and in any other."""

    def test_it_is_small_and_sound(self):
        connection.check_constraints()
        invariants.assert_owners_agree()
        invariants.assert_books_balance(VAT)
        invariants.assert_payments_add_up()
        invariants.assert_numbers_have_no_gaps()
        assert sum(model.objects.count() for model in shop_models()) < 700

    @pytest.mark.parametrize("name", FILTERS)
    def test_filter_of_the_seed_document_finds_some_rows_but_not_all(self, name):
        queryset = FILTERS[name]()
        assert 0 < queryset.count() < queryset.model.objects.count()

    def test_every_ranking_has_ties(self):
        assert {name: tied for name, tied in invariants.rankings().items() if tied < 2} == {}

    def test_the_first_and_the_last_invoice_are_alone_in_their_moment(self):
        moments = list(Invoice.objects.order_by("issued_at").values_list("issued_at", flat=True))
        assert moments[0] < moments[1]
        assert moments[-2] < moments[-1]

    def test_special_cases_are_dense(self):
        cases = {
            "owner without products": User.objects.filter(products=None),
            "category without products": Category.objects.filter(products=None),
            "category with parent": Category.objects.filter(parent__isnull=False),
            "category without parent": Category.objects.filter(parent=None),
            "customer without invoices": Customer.objects.filter(invoices=None),
            "product never sold": Product.objects.filter(invoice_products=None),
            "product at exactly 100": Product.objects.filter(price=100),
            "product at exactly 500": Product.objects.filter(price=500),
            "product out of stock": Product.objects.filter(stock=0),
            "product without attributes": Product.objects.filter(attributes={}),
            "invoice without lines": Invoice.objects.filter(invoice_products=None),
            "unpaid invoice": Invoice.objects.filter(payment=0, payment_due__gt=0),
            "part-paid invoice": Invoice.objects.filter(payment__gt=0, payment_due__gt=0),
            "invoice with discount": Invoice.objects.filter(discount__gt=0),
            "invoice paid in parts": Invoice.objects.alias(n=Count("payments")).filter(n__gt=1),
            "invoice written down later": Invoice.objects.filter(created_at__gt=F("issued_at")),
            "invoice due on the last day": Invoice.objects.filter(due_on=LAST_DAY),
            "void invoice": Invoice.objects.filter(void_at__isnull=False),
            "void invoice with lines": Invoice.objects.filter(
                void_at__isnull=False, pk__in=InvoiceProduct.objects.values("invoice")
            ),
            "void invoice that was paid and refunded": Invoice.objects.filter(
                void_at__isnull=False, pk__in=Payment.objects.values("invoice")
            ),
            "refund": Payment.objects.filter(amount__lt=0),
            "invoice with payments that come to nothing": Invoice.objects.filter(
                void_at=None, payment=0, pk__in=Payment.objects.values("invoice")
            ),
            **{
                f"invoice that is {status}": Invoice.objects.with_status(on=LAST_DAY).filter(
                    status=status
                )
                for status in Invoice.Status
            },
            **{
                f"payment by {method}": Payment.objects.filter(method=method)
                for method in ("cash", "card", "transfer")
            },
            "invoice given away": Invoice.objects.filter(discount=F("total"), total__gt=0),
            "invoice of June 2026": Invoice.objects.filter(
                issued_at__year=2026, issued_at__month=6
            ),
            "invoice of June 2025": Invoice.objects.filter(
                issued_at__year=2025, issued_at__month=6
            ),
            "invoice at midnight": Invoice.objects.filter(
                issued_at__hour=0, issued_at__minute=0, issued_at__second=0
            ),
            "line at another price": InvoiceProduct.objects.exclude(sale_price=F("product__price")),
        }
        assert [
            case
            for case, found in cases.items()
            if not 0 < found.count() < found.model.objects.count()
        ] == []
        names = Product.objects.values("name").annotate(owners=Count("username"))
        assert names.filter(owners__gt=1).exists()
        for model in (Product, Customer):
            found = list(model.objects.values_list("name", flat=True))
            assert invariants.case_twins(found)
            assert not "".join(found).isascii()


@pytest.mark.django_db
class TestBuild:
    """What `build` promises its caller."""

    def test_the_same_number_gives_the_same_rows_another_number_others(self):
        digests = []
        for shuffle in (None, None, 1, 1, 2):
            edge_cases.build(shuffle)
            digests.append(shop_digest())
        assert digests[0] == digests[1]
        assert digests[2] == digests[3]
        assert len(set(digests)) == 3

    def test_shuffled_rows_say_the_same(self):
        found = []
        for shuffle in (None, 3):
            edge_cases.build(shuffle)
            lines = InvoiceProduct.objects.values_list(
                *("username__username", "product__name", "customer__name", "qty", "sale_price"),
                *("invoice__issued_at", "invoice__total", "product__category__name"),
                "product__category__parent__name",
            )
            found.append(sorted(map(str, lines)))
        assert found[0] == found[1]

    def test_it_replaces_all_rows_and_what_refers_to_them(self):
        learner = User.objects.create_user("learner", "learner@example.com", "secret")
        learner.groups.add(Group.objects.create(name="students"))
        LogEntry.objects.create(
            user=learner,
            action_flag=ADDITION,
            content_type=ContentType.objects.get_for_model(User),
            object_repr="learner",
        )
        edge_cases.build()
        connection.check_constraints()
        assert not User.objects.filter(username="learner").exists()
        assert not LogEntry.objects.exists()
        assert Group.objects.filter(name="students").exists()

    def test_new_rows_are_numbered_after_the_built_ones(self):
        edge_cases.build()
        sara = User.objects.get(username="sara")
        new = Customer.objects.create(name="New", email="new@example.com", username=sara)
        assert new.pk > Customer.objects.exclude(pk=new.pk).count()

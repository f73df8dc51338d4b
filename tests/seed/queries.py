"""The seed document's nine example queries, verbatim."""

from django.db.models import Q

from shopdb.models import Product, User

FILTERS = {
    "icontains": lambda: User.objects.filter(username__icontains="ra"),
    "exclude": lambda: User.objects.exclude(username__icontains="ra"),
    "gt": lambda: Product.objects.filter(price__gt=500),
    "lt": lambda: Product.objects.filter(price__lt=500),
    "range": lambda: Product.objects.filter(price__range=(200, 500)),
    "in": lambda: Product.objects.filter(price__in=[100, 500]),
    "Q": lambda: Product.objects.filter(Q(name__icontains="a") | Q(price__gt=500)),
}
SORTS = {
    "order_by": lambda: User.objects.order_by("username"),
    "order_by descending": lambda: User.objects.order_by("-username"),
}
